/* The listening socket of `camgate run`, which outlives web roles. */
#ifndef CAMGATE_RUN_LISTEN_H
#define CAMGATE_RUN_LISTEN_H

#include <stddef.h>

/* text: "ADDR:PORT" as --listen has it; no address, or [::], is every address, IPv4 included.
 * *ret_fd (non-blocking, close-on-exec) becomes the caller's; listening gets the address as bound,
 * "[::]:8443". 0 or -errno. */
int listen_open(const char *text, int *ret_fd, char *listening, size_t size);

/* Logs why that failed, who has the port, and what to do. */
void listen_explain(const char *text, int error);

#endif
