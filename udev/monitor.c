#include "monitor.h"

#include <errno.h>
#include <libudev.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct monitor {
	struct udev *udev;
	struct udev_monitor *events;
	monitor_changed changed;
	void *context;
};

/* udevd's own sign of life, as libudev and systemctl look for it. */
static bool udevd_runs(void)
{
	return access("/run/udev/control", F_OK) == 0;
}

int monitor_create(monitor_changed changed, void *context, struct monitor **ret)
{
	struct monitor *m = calloc(1, sizeof *m);
	int r = -ENOMEM;

	if (m == NULL) {
		return r;
	}
	m->changed = changed;
	m->context = context;
	m->udev = udev_new();
	if (m->udev == NULL) {
		goto fail;
	}
	m->events = udev_monitor_new_from_netlink(m->udev, udevd_runs() ? "udev" : "kernel");
	if (m->events == NULL) {
		goto fail;
	}
	r = udev_monitor_filter_add_match_subsystem_devtype(m->events, "video4linux", NULL);
	if (r == 0) {
		r = udev_monitor_enable_receiving(m->events);
	}
	if (r < 0) {
		goto fail;
	}
	*ret = m;
	return 0;
fail:
	monitor_destroy(m);
	return r;
}

void monitor_destroy(struct monitor *m)
{
	if (m == NULL) {
		return;
	}
	if (m->events != NULL) {
		udev_monitor_unref(m->events);
	}
	if (m->udev != NULL) {
		udev_unref(m->udev);
	}
	free(m);
}

int monitor_fd(const struct monitor *m)
{
	return udev_monitor_get_fd(m->events);
}

/* vbi, radio and subdevice nodes are of this subsystem too. What udev has looked at and found to be
 * no capture device is left out here, so that it is not opened at every start. */
static bool is_candidate(struct udev_device *d)
{
	const char *name = udev_device_get_sysname(d);
	const char *capabilities = udev_device_get_property_value(d, "ID_V4L_CAPABILITIES");

	return name != NULL && strncmp(name, "video", 5) == 0 &&
	       (capabilities == NULL || strstr(capabilities, ":capture:") != NULL);
}

static void report(struct monitor *m, struct udev_device *d, bool present)
{
	const char *path = udev_device_get_devnode(d);

	if (path != NULL && (!present || is_candidate(d))) {
		m->changed(m->context, path, present);
	}
}

static unsigned long node_number(struct udev_device *d)
{
	const char *number = udev_device_get_sysnum(d);

	return number != NULL ? strtoul(number, NULL, 10) : 0;
}

static int by_number(const void *a, const void *b)
{
	unsigned long left = node_number(*(struct udev_device *const *)a);
	unsigned long right = node_number(*(struct udev_device *const *)b);

	return left < right ? -1 : left > right;
}

enum { NODES_MAX = 256 };

int monitor_enumerate(struct monitor *m)
{
	struct udev_device *nodes[NODES_MAX];
	size_t count = 0;
	struct udev_list_entry *entry;
	struct udev_enumerate *all = udev_enumerate_new(m->udev);

	if (all == NULL) {
		return -ENOMEM;
	}
	int r = udev_enumerate_add_match_subsystem(all, "video4linux");
	if (r == 0) {
		r = udev_enumerate_scan_devices(all);
	}
	if (r == 0) {
		udev_list_entry_foreach(entry, udev_enumerate_get_list_entry(all))
		{
			struct udev_device *d = udev_device_new_from_syspath(
				m->udev, udev_list_entry_get_name(entry));

			if (d != NULL && count < NODES_MAX) {
				nodes[count++] = d;
			} else if (d != NULL) {
				udev_device_unref(d);
			}
		}
	}
	udev_enumerate_unref(all);
	/* In the order of their numbers, not of their names: video2 before video10. */
	qsort(nodes, count, sizeof nodes[0], by_number);
	for (size_t i = 0; i < count; i++) {
		report(m, nodes[i], true);
		udev_device_unref(nodes[i]);
	}
	return r;
}

int monitor_dispatch(struct monitor *m)
{
	for (;;) {
		struct udev_device *d = udev_monitor_receive_device(m->events);
		const char *action;

		if (d == NULL) {
			/* The socket is non-blocking; an overrun loses events and is told. */
			return errno == EAGAIN || errno == 0 ? 0 : -errno;
		}
		action = udev_device_get_action(d);
		if (action != NULL && strcmp(action, "remove") == 0) {
			report(m, d, false);
		} else if (action != NULL && strcmp(action, "unbind") != 0) {
			report(m, d, true);
		}
		udev_device_unref(d);
	}
}
