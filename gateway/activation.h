/*
 * What the service manager opened for us before it started us: a listening socket
 * (sd_listen_fds(3): LISTEN_PID, LISTEN_FDS, descriptors from 3 on).
 */
#ifndef CAMGATE_ACTIVATION_H
#define CAMGATE_ACTIVATION_H

/* The one listening TCP socket that was handed to this process; non-blocking, close-on-exec, the
 * caller's. -ENOENT: none was; -E2BIG: several; -ENOTSOCK: it is something else. The variables are
 * taken out of the environment. */
int activation_socket(void);

#endif
