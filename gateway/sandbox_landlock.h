/* Landlock by system call: Debian 12's kernel headers end at version 2. Private to the sandbox. */
#ifndef CAMGATE_SANDBOX_LANDLOCK_H
#define CAMGATE_SANDBOX_LANDLOCK_H

#include "sandbox.h"

/* Versions of Landlock from which on the kernel has it. */
enum { LANDLOCK_HAS_TCP = 4, LANDLOCK_HAS_SCOPES = 6 };

/* The kernel's version; 0 when it has none or it is switched off. */
int landlock_version(void);
/* Forbids every file but those below the lists, TCP bind and connect, abstract sockets and (without
 * SANDBOX_SIGNAL) signals, as far as version goes. Readable directories that do not exist are
 * passed over. 0 or -errno. */
int landlock_enter(const struct sandbox *s, int version);

#endif
