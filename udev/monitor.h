/*
 * Discovery for `camgate run`: which video4linux nodes there are, and which come and go.
 *
 * Listens to udev where udevd runs, so that a node is reported when its permissions are set, and to
 * the kernel where it does not (containers, minimal systems). Says nothing of whether a node is a
 * camera: that is for the camera role, which may open it.
 *
 * One thread. A callback must not destroy the monitor.
 */
#ifndef CAMGATE_MONITOR_H
#define CAMGATE_MONITOR_H

#include <stdbool.h>

struct monitor;

/* path: "/dev/video0", borrowed during the call. present: it is there (new, or found at the start);
 * otherwise it went away. A node may be reported present more than once. */
typedef void (*monitor_changed)(void *context, const char *path, bool present);

/* 0 or -errno. destroy accepts NULL. */
int monitor_create(monitor_changed changed, void *context, struct monitor **ret);
void monitor_destroy(struct monitor *m);
/* To poll for reading. */
int monitor_fd(const struct monitor *m);
/* Reports all capture candidates that are there now, in order of their number. 0 or -errno. */
int monitor_enumerate(struct monitor *m);
/* After the descriptor became readable: reports what changed. 0 or -errno. */
int monitor_dispatch(struct monitor *m);

#endif
