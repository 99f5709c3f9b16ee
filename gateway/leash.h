/*
 * How the keeper ends a process of another user without the right to do so: the process itself
 * gives it a socket, and has asked the kernel to end it by SIGKILL when anything arrives there
 * (fcntl(2): F_SETSIG, F_SETOWN). It works however busy or hung that process is, short of what
 * SIGKILL cannot reach either.
 */
#ifndef CAMGATE_LEASH_H
#define CAMGATE_LEASH_H

/* The keeper's end: close-on-exec, the caller's. The other one stays open as long as the process
 * lives. That the keeper's is closed ends nobody: a role without a keeper wipes its keys first.
 * -errno where the kernel does not know how. */
int leash_make(void);
/* Makes one and sends it to the keeper, as IPC_LEASH. Logs a failure: then the keeper has nothing
 * but kill(2). */
void leash_give(int keeper);
/* Ends the process that made it. Never blocks. 0 or -errno. */
int leash_pull(int fd);

#endif
