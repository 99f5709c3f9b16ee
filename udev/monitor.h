/*
 * Discovery for `camgate run`: which video4linux nodes there are, and which come and go.
 *
 * Listens to udev where udevd runs, so that a node is reported when its permissions are set. Where
 * it does not (containers, minimal systems) it listens to the kernel and also looks at /sys every
 * two seconds, because the kernel's events do not reach every network namespace. Leaves out what
 * udev found to be no capture device, and what a rule marked with CAMGATE_IGNORE=1. Says nothing
 * else of whether a node is a camera: that is for the camera role, which may open it.
 *
 * One thread. A callback must not destroy the monitor.
 */
#ifndef CAMGATE_MONITOR_H
#define CAMGATE_MONITOR_H

#include <stdbool.h>

struct monitor;

/* path: "/dev/video0", borrowed during the call. present: it is there (new, or found at the start);
 * otherwise it went away, or is to be ignored from now on. A node may be reported present more than
 * once. */
typedef void (*monitor_changed)(void *context, const char *path, bool present);

/* 0 or -errno. destroy accepts NULL. */
int monitor_create(monitor_changed changed, void *context, struct monitor **ret);
void monitor_destroy(struct monitor *m);
/* To poll for reading. */
int monitor_fd(const struct monitor *m);
/* Reports which candidates went away and which came since the last time, in order of their number:
 * at first all that are there. 0 or -errno. */
int monitor_enumerate(struct monitor *m);
/* After the descriptor became readable: reports what changed. 0; -ENOBUFS when events were lost; or
 * another -errno. */
int monitor_dispatch(struct monitor *m);

#endif
