/*
 * Gives up rights for good: no_new_privs, not dumpable, no core, Landlock as far as the kernel has
 * it, capabilities, seccomp (an allow list; anything else ends the process and names the call on
 * standard error, but for looking up a path, which fails with EACCES: libraries do that on the
 * side).
 *
 * Called once per role, after set-up and before the first byte from outside is parsed. What could
 * not be had is named in the report, which goes to the log and to the keeper (IPC_SANDBOX); the
 * lack of seccomp or no_new_privs is an error, a kernel without Landlock is not. Built with a
 * sanitizer, seccomp and Landlock are left out, and the report says so.
 */
#ifndef CAMGATE_SANDBOX_H
#define CAMGATE_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

enum sandbox_right {
	SANDBOX_ACCEPT = 1, /* accept connections on listening sockets that are already open */
	SANDBOX_FILES = 2, /* open, rename and lock files below the writable and readable paths */
	SANDBOX_DEVICE = 4, /* ioctl and mmap on a device that is already open */
	SANDBOX_SIGNAL = 8, /* kill(2): the keeper ends a camera that does not answer a revoke */
	SANDBOX_RING = 16, /* memfd_create and eventfd2: the camera role makes rings and wake-ups */
};

struct sandbox {
	unsigned int rights;
	const char *const *writable; /* NULL-ended lists of directories; only with SANDBOX_FILES */
	const char *const *readable;
};

/* First thing in main() of a role: not dumpable, no core, umask 077, mallopt(M_PERTURB) for the
 * camera role, LIBV4L* dropped from the environment. */
void sandbox_prepare(bool perturb_heap);
/* report (size bytes) gets one line, e.g. "seccomp, landlock 2, no core dumps; not had: landlock's
 * network rules (kernel has version 2), landlock's scopes". 0 or -errno. */
int sandbox_enter(const struct sandbox *s, char *report, size_t size);

#endif
