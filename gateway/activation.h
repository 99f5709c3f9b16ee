/*
 * What the service manager opened for us before it started us: a listening socket
 * (sd_listen_fds(3): LISTEN_PID, LISTEN_FDS, descriptors from 3 on) and files that only it may
 * read (CREDENTIALS_DIRECTORY, systemd.exec(5), LoadCredential=).
 */
#ifndef CAMGATE_ACTIVATION_H
#define CAMGATE_ACTIVATION_H

#include <stddef.h>

/* The one listening TCP socket that was handed to this process; non-blocking, close-on-exec, the
 * caller's. -ENOENT: none was; -E2BIG: several; -ENOTSOCK: it is something else. The variables are
 * taken out of the environment. */
int activation_socket(void);

/* The path of the credential of this name. -ENOENT: there is none; -ENAMETOOLONG. */
int activation_credential(const char *name, char *out, size_t size);

#endif
