/* libudev's lists and monitors: see libudev_fake.h. */
#include "libudev_fake.h"
#include "registry.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

enum { TICK_MS = 100 };

struct fake_entry {
	uint64_t magic;
	char name[FAKE_PATH_BYTES];
	struct fake_entry *next;
};

struct fake_enumerate {
	uint64_t magic;
	bool others_only; /* a subsystem that we have nothing of */
	struct fake_entry entries[FAKECAM_DEVICES_MAX];
	unsigned int count;
};

struct fake_monitor {
	uint64_t magic;
	struct udev *udev;
	int timer;
	struct fakecam_config
		known[FAKECAM_DEVICES_MAX]; /* as it was reported; not present: free */
};

static void *next_of(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

/* ---- enumerate: no real device is shown beside the fake ones ---- */

EXPORT struct udev_enumerate *udev_enumerate_new(struct udev *udev)
{
	if (!registry_open()) {
		return ((struct udev_enumerate * (*)(struct udev *)) next_of("udev_enumerate_new"))(
			udev);
	}
	struct fake_enumerate *e = calloc(1, sizeof(*e));
	if (e != NULL) {
		e->magic = FAKE_MAGIC;
	}
	return (struct udev_enumerate *)e;
}

EXPORT struct udev_enumerate *udev_enumerate_unref(struct udev_enumerate *e)
{
	if (fake_is(e)) {
		free(e);
		return NULL;
	}
	return ((struct udev_enumerate * (*)(struct udev_enumerate *))
			next_of("udev_enumerate_unref"))(e);
}

EXPORT int udev_enumerate_add_match_subsystem(struct udev_enumerate *e, const char *subsystem)
{
	if (fake_is(e)) {
		((struct fake_enumerate *)e)->others_only |= strcmp(subsystem, "video4linux") != 0;
		return 0;
	}
	return ((int (*)(struct udev_enumerate *, const char *))next_of(
		"udev_enumerate_add_match_subsystem"))(e, subsystem);
}

EXPORT int udev_enumerate_add_match_is_initialized(struct udev_enumerate *e)
{
	if (fake_is(e)) {
		return 0;
	}
	return ((int (*)(struct udev_enumerate *))next_of(
		"udev_enumerate_add_match_is_initialized"))(e);
}

EXPORT int udev_enumerate_scan_devices(struct udev_enumerate *enumerate)
{
	if (!fake_is(enumerate)) {
		return ((int (*)(struct udev_enumerate *))next_of("udev_enumerate_scan_devices"))(
			enumerate);
	}
	struct fake_enumerate *e = (struct fake_enumerate *)enumerate;
	e->count = 0;
	for (unsigned int i = 0; !e->others_only && i < FAKECAM_DEVICES_MAX; i++) {
		struct udev_device *d = registry_device(i) != NULL
						? fake_device_new(NULL, registry_device(i), NULL)
						: NULL;
		if (d == NULL) {
			continue;
		}
		struct fake_entry *entry = &e->entries[e->count];
		entry->magic = FAKE_MAGIC;
		snprintf(entry->name, sizeof(entry->name), "%s", udev_device_get_syspath(d));
		if (e->count++ > 0) {
			entry[-1].next = entry;
		}
		udev_device_unref(d);
	}
	return 0;
}

EXPORT struct udev_list_entry *udev_enumerate_get_list_entry(struct udev_enumerate *enumerate)
{
	if (fake_is(enumerate)) {
		struct fake_enumerate *e = (struct fake_enumerate *)enumerate;
		return e->count > 0 ? (struct udev_list_entry *)e->entries : NULL;
	}
	return ((struct udev_list_entry * (*)(struct udev_enumerate *))
			next_of("udev_enumerate_get_list_entry"))(enumerate);
}

EXPORT struct udev_list_entry *udev_list_entry_get_next(struct udev_list_entry *entry)
{
	if (fake_is(entry)) {
		return (struct udev_list_entry *)((struct fake_entry *)entry)->next;
	}
	return ((struct udev_list_entry * (*)(struct udev_list_entry *))
			next_of("udev_list_entry_get_next"))(entry);
}

EXPORT const char *udev_list_entry_get_name(struct udev_list_entry *entry)
{
	if (fake_is(entry)) {
		return ((struct fake_entry *)entry)->name;
	}
	return ((const char *(*)(struct udev_list_entry *))next_of("udev_list_entry_get_name"))(
		entry);
}

/* ---- monitor ---- */

EXPORT struct udev_monitor *udev_monitor_new_from_netlink(struct udev *udev, const char *name)
{
	if (!registry_open()) {
		return ((struct udev_monitor * (*)(struct udev *, const char *))
				next_of("udev_monitor_new_from_netlink"))(udev, name);
	}
	struct fake_monitor *m = calloc(1, sizeof(*m));
	if (m == NULL) {
		return NULL;
	}
	struct itimerspec tick = {{0, TICK_MS * 1000000}, {0, TICK_MS * 1000000}};
	m->magic = FAKE_MAGIC;
	m->udev = udev;
	m->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (m->timer < 0 || timerfd_settime(m->timer, 0, &tick, NULL) != 0) {
		free(m);
		return NULL;
	}
	for (unsigned int i = 0, count = 0; i < FAKECAM_DEVICES_MAX; i++) {
		if (registry_device(i) != NULL) {
			m->known[count++] = *registry_device(i);
		}
	}
	return (struct udev_monitor *)m;
}

EXPORT struct udev_monitor *udev_monitor_unref(struct udev_monitor *m)
{
	if (fake_is(m)) {
		close(((struct fake_monitor *)m)->timer);
		free(m);
		return NULL;
	}
	return ((struct udev_monitor * (*)(struct udev_monitor *)) next_of("udev_monitor_unref"))(
		m);
}

EXPORT int udev_monitor_filter_add_match_subsystem_devtype(
	struct udev_monitor *m, const char *subsystem, const char *devtype)
{
	if (fake_is(m)) {
		return 0;
	}
	return ((int (*)(struct udev_monitor *, const char *, const char *))next_of(
		"udev_monitor_filter_add_match_subsystem_devtype"))(m, subsystem, devtype);
}

EXPORT int udev_monitor_enable_receiving(struct udev_monitor *m)
{
	if (fake_is(m)) {
		return 0;
	}
	return ((int (*)(struct udev_monitor *))next_of("udev_monitor_enable_receiving"))(m);
}

EXPORT int udev_monitor_get_fd(struct udev_monitor *m)
{
	if (fake_is(m)) {
		return ((struct fake_monitor *)m)->timer;
	}
	return ((int (*)(struct udev_monitor *))next_of("udev_monitor_get_fd"))(m);
}

/* First what went away or is another device now, then what is new. */
static struct udev_device *difference(struct fake_monitor *m)
{
	struct fakecam_config *free_entry = NULL;
	for (unsigned int i = 0; i < FAKECAM_DEVICES_MAX; i++) {
		const struct fakecam_config *now = registry_find(m->known[i].minor);
		if (m->known[i].present == 0) {
			free_entry = &m->known[i];
		} else if (now == NULL || memcmp(now, &m->known[i], sizeof(*now)) != 0) {
			m->known[i].present = 0;
			return fake_device_new(m->udev, &m->known[i], "remove");
		}
	}
	for (unsigned int i = 0; i < FAKECAM_DEVICES_MAX; i++) {
		const struct fakecam_config *now = registry_device(i);
		bool known = now == NULL;
		for (unsigned int k = 0; k < FAKECAM_DEVICES_MAX && !known; k++) {
			known = m->known[k].present != 0 && m->known[k].minor == now->minor;
		}
		if (!known && free_entry != NULL) {
			*free_entry = *now;
			return fake_device_new(m->udev, now, "add");
		}
	}
	errno = EAGAIN;
	return NULL;
}

EXPORT struct udev_device *udev_monitor_receive_device(struct udev_monitor *monitor)
{
	if (!fake_is(monitor)) {
		return ((struct udev_device * (*)(struct udev_monitor *))
				next_of("udev_monitor_receive_device"))(monitor);
	}
	struct fake_monitor *m = (struct fake_monitor *)monitor;
	uint64_t ticks;
	if (read(m->timer, &ticks, sizeof(ticks)) > 0) {
		registry_refresh();
	}
	return difference(m);
}
