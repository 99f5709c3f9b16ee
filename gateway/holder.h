/*
 * Who has what we were refused: which program listens on a port, or has a device open.
 *
 * Looks through /proc, so it knows only what this user may see there: root all, others their own
 * processes. Only for error messages; before a sandbox. One thread.
 */
#ifndef CAMGATE_HOLDER_H
#define CAMGATE_HOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { HOLDER_NAME_BYTES = 32, HOLDER_WORDS_BYTES = 160 };

struct holder {
	pid_t pid;
	char name[HOLDER_NAME_BYTES]; /* printable */
};

/* The process that listens on this TCP port. False when that cannot be known. */
bool holder_of_port(unsigned int port, struct holder *ret);
/* Another process that has this device node open. */
bool holder_of_device(const char *path, struct holder *ret);
/* "by NAME (pid N): end that one", or "by another program" and how to find out which. */
void holder_port_words(unsigned int port, char out[static HOLDER_WORDS_BYTES]);
void holder_device_words(const char *path, char out[static HOLDER_WORDS_BYTES]);

#endif
