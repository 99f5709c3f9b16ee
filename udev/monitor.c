#include "monitor.h"

#include <errno.h>
#include <libudev.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { NODES_MAX = 256, RESCAN_S = 2 };

/* What was reported present and not gone since. */
struct node {
	char *path; /* "/dev/video0" */
	char *syspath; /* another one is another device, with the same number */
	ino_t inode; /* and so is another inode below /sys; 0: not known */
	bool seen; /* by the scan that is going on */
};

struct monitor {
	struct udev *udev;
	struct udev_monitor *events; /* NULL where there is no netlink */
	int timer; /* -1 where udevd runs */
	int fd; /* epoll: events and timer */
	monitor_changed changed;
	void *context;
	struct node nodes[NODES_MAX];
	size_t count;
};

/* udevd's own sign of life, as libudev and systemctl look for it. */
static bool udevd_runs(void)
{
	return access("/run/udev/control", F_OK) == 0;
}

static int watch(struct monitor *m, int fd)
{
	struct epoll_event event = {.events = EPOLLIN};

	return epoll_ctl(m->fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int listen_to_events(struct monitor *m, const char *source)
{
	m->events = udev_monitor_new_from_netlink(m->udev, source);
	if (m->events == NULL) {
		return -ENOTSUP;
	}
	int r = udev_monitor_filter_add_match_subsystem_devtype(m->events, "video4linux", NULL);
	if (r == 0) {
		r = udev_monitor_enable_receiving(m->events);
	}
	if (r == 0) {
		r = watch(m, udev_monitor_get_fd(m->events));
	}
	if (r < 0) {
		m->events = udev_monitor_unref(m->events);
	}
	return r;
}

static int start_timer(struct monitor *m)
{
	const struct itimerspec every = {
		.it_interval = {.tv_sec = RESCAN_S}, .it_value = {.tv_sec = RESCAN_S}};

	m->timer = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (m->timer < 0 || timerfd_settime(m->timer, 0, &every, NULL) < 0) {
		return -errno;
	}
	return watch(m, m->timer);
}

int monitor_create(monitor_changed changed, void *context, struct monitor **ret)
{
	struct monitor *m = calloc(1, sizeof *m);
	int r = -ENOMEM;

	if (m == NULL) {
		return r;
	}
	*m = (struct monitor){.timer = -1, .fd = -1, .changed = changed, .context = context};
	m->udev = udev_new();
	if (m->udev == NULL) {
		goto fail;
	}
	m->fd = epoll_create1(EPOLL_CLOEXEC);
	if (m->fd < 0) {
		r = -errno;
		goto fail;
	}
	r = listen_to_events(m, udevd_runs() ? "udev" : "kernel");
	/* The kernel alone may be silent here, or have no netlink for us. */
	if (r < 0 || !udevd_runs()) {
		r = start_timer(m);
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

static void node_forget(struct monitor *m, size_t i)
{
	free(m->nodes[i].path);
	free(m->nodes[i].syspath);
	m->nodes[i] = m->nodes[--m->count];
}

void monitor_destroy(struct monitor *m)
{
	if (m == NULL) {
		return;
	}
	while (m->count > 0) {
		node_forget(m, m->count - 1);
	}
	if (m->events != NULL) {
		udev_monitor_unref(m->events);
	}
	if (m->timer >= 0) {
		(void)close(m->timer);
	}
	if (m->fd >= 0) {
		(void)close(m->fd);
	}
	if (m->udev != NULL) {
		udev_unref(m->udev);
	}
	free(m);
}

int monitor_fd(const struct monitor *m)
{
	return m->fd;
}

/* vbi, radio and subdevice nodes are of this subsystem too. What udev has looked at and found to be
 * no capture device is left out here, so that it is not opened at every start. */
static bool is_candidate(struct udev_device *d)
{
	const char *name = udev_device_get_sysname(d);
	const char *capabilities = udev_device_get_property_value(d, "ID_V4L_CAPABILITIES");
	const char *ignore = udev_device_get_property_value(d, "CAMGATE_IGNORE");

	return name != NULL && strncmp(name, "video", 5) == 0 &&
	       (capabilities == NULL || strstr(capabilities, ":capture:") != NULL) &&
	       (ignore == NULL || strcmp(ignore, "1") != 0);
}

/* The place of a node in the table; count if it is not there. */
static size_t node_find(const struct monitor *m, const char *path)
{
	size_t i = 0;

	while (i < m->count && strcmp(m->nodes[i].path, path) != 0) {
		i++;
	}
	return i;
}

static void node_gone(struct monitor *m, size_t i)
{
	m->changed(m->context, m->nodes[i].path, false);
	node_forget(m, i);
}

static ino_t inode_of(const char *syspath)
{
	struct stat st;

	return stat(syspath, &st) == 0 ? st.st_ino : 0;
}

static bool is_same(const struct node *n, const char *syspath)
{
	ino_t inode = inode_of(syspath);

	return strcmp(n->syspath, syspath) == 0 &&
	       (inode == 0 || n->inode == 0 || inode == n->inode);
}

static int node_add(struct monitor *m, const char *path, const char *syspath)
{
	struct node n = {.path = strdup(path),
		.syspath = strdup(syspath),
		.inode = inode_of(syspath),
		.seen = true};

	if (n.path == NULL || n.syspath == NULL || m->count == NODES_MAX) {
		free(n.path);
		free(n.syspath);
		return -ENOMEM;
	}
	m->nodes[m->count++] = n;
	m->changed(m->context, path, true);
	return 0;
}

/* again: also report a node that was there before. 0 or -ENOMEM. */
static int node_present(struct monitor *m, struct udev_device *d, bool again)
{
	const char *path = udev_device_get_devnode(d);
	const char *syspath = udev_device_get_syspath(d);

	if (path == NULL || syspath == NULL) {
		return 0;
	}
	size_t i = node_find(m, path);
	bool candidate = is_candidate(d);

	if (i < m->count && (!candidate || !is_same(&m->nodes[i], syspath))) {
		node_gone(m, i);
		i = m->count;
	}
	if (!candidate) {
		return 0;
	}
	if (i == m->count) {
		return node_add(m, path, syspath);
	}
	m->nodes[i].seen = true;
	if (again) {
		m->changed(m->context, path, true);
	}
	return 0;
}

static void node_removed(struct monitor *m, struct udev_device *d)
{
	const char *path = udev_device_get_devnode(d);
	const char *syspath = udev_device_get_syspath(d);
	size_t i = path != NULL ? node_find(m, path) : m->count;

	/* The number may be another device's by now. */
	if (i < m->count && syspath != NULL && strcmp(m->nodes[i].syspath, syspath) == 0) {
		node_gone(m, i);
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

static int scan(struct monitor *m, struct udev_device *found[static NODES_MAX], size_t *ret_count)
{
	struct udev_list_entry *entry;
	struct udev_enumerate *all = udev_enumerate_new(m->udev);
	size_t count = 0;

	if (all == NULL) {
		return -ENOMEM;
	}
	int r = udev_enumerate_add_match_subsystem(all, "video4linux");
	if (r == 0) {
		r = udev_enumerate_scan_devices(all);
	}
	if (r < 0) {
		udev_enumerate_unref(all);
		return r;
	}
	udev_list_entry_foreach(entry, udev_enumerate_get_list_entry(all))
	{
		const char *name = udev_list_entry_get_name(entry);
		struct udev_device *d = udev_device_new_from_syspath(m->udev, name);

		if (d != NULL && count < NODES_MAX) {
			found[count++] = d;
		} else if (d != NULL) {
			udev_device_unref(d);
		}
	}
	udev_enumerate_unref(all);
	*ret_count = count;
	return 0;
}

int monitor_enumerate(struct monitor *m)
{
	struct udev_device *found[NODES_MAX];
	size_t count;
	int r = scan(m, found, &count);

	if (r < 0) {
		return r;
	}
	for (size_t i = 0; i < m->count; i++) {
		m->nodes[i].seen = false;
	}
	/* In the order of their numbers, not of their names: video2 before video10. */
	qsort(found, count, sizeof found[0], by_number);
	for (size_t i = 0; i < count; i++) {
		int added = node_present(m, found[i], false);

		r = r < 0 ? r : added;
		udev_device_unref(found[i]);
	}
	for (size_t i = m->count; i > 0; i--) {
		if (!m->nodes[i - 1].seen) {
			node_gone(m, i - 1);
		}
	}
	return r;
}

static int receive(struct monitor *m)
{
	for (;;) {
		struct udev_device *d;

		errno = 0;
		d = udev_monitor_receive_device(m->events);
		if (d == NULL) {
			/* The socket is non-blocking; an overrun loses events and is told. */
			return errno == EAGAIN || errno == 0 ? 0 : -errno;
		}
		const char *action = udev_device_get_action(d);
		int r = 0;

		if (action != NULL && strcmp(action, "remove") == 0) {
			node_removed(m, d);
		} else if (action != NULL && strcmp(action, "unbind") != 0) {
			r = node_present(m, d, true);
		}
		udev_device_unref(d);
		if (r < 0) {
			return r;
		}
	}
}

int monitor_dispatch(struct monitor *m)
{
	uint64_t ticks;
	int r = m->events != NULL ? receive(m) : 0;

	if (r == 0 && m->timer >= 0 && read(m->timer, &ticks, sizeof ticks) > 0) {
		r = monitor_enumerate(m);
	}
	return r;
}
