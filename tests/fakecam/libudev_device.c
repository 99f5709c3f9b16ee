/* libudev's devices: see libudev_fake.h. */
#include "libudev_fake.h"
#include "registry.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#define EXPORT __attribute__((visibility("default")))

enum role { ROLE_VIDEO, ROLE_INTERFACE, ROLE_USB, ROLE_PLATFORM, ROLES };

struct fake_device {
	uint64_t magic;
	enum role role;
	struct fake_family *family;
	char syspath[FAKE_PATH_BYTES];
	char sysname[64];
};

/* A device with its parents: one allocation, one count of references. */
struct fake_family {
	struct fake_device members[ROLES];
	struct fakecam_config config;
	const char *action;
	struct udev *udev;
	char node[32], minor[8], index[8], port[32], serial[160];
	int references;
};

bool fake_is(const void *object)
{
	uint64_t magic = 0;
	if (object != NULL) {
		memcpy(&magic, object, sizeof(magic));
	}
	return magic == FAKE_MAGIC;
}

static void *next_of(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

/* "1.2" out of an ID_PATH like "pci-0000:00:14.0-usb-0:1.2:1.0"; otherwise a port of its own. */
static void port_of(const struct fakecam_config *c, char *ret, size_t size)
{
	const char *usb = strstr(c->path, "usb-0:");
	const char *end = usb != NULL ? strchr(usb + 6, ':') : NULL;
	if (end != NULL) {
		snprintf(ret, size, "%.*s", (int)(end - usb - 6), usb + 6);
	} else {
		snprintf(ret, size, "%u", c->minor + 1);
	}
}

/* Several nodes of one USB device are numbered. */
static unsigned int index_of(const struct fakecam_config *c)
{
	unsigned int index = 0;
	for (unsigned int i = 0; i < FAKECAM_DEVICES_MAX; i++) {
		const struct fakecam_config *other = registry_device(i);
		if (other != NULL && other->minor < c->minor && c->vendor[0] != '\0' &&
			c->path[0] != '\0' && strcmp(other->path, c->path) == 0) {
			index++;
		}
	}
	return index;
}

static void family_name(struct fake_family *f)
{
	const struct fakecam_config *c = &f->config;
	struct fake_device *m = f->members;
	char parent[FAKE_PATH_BYTES - 32];
	const char *port = f->port;
	port_of(c, f->port, sizeof(f->port));
	snprintf(m[ROLE_USB].sysname, 64, "1-%s", port);
	snprintf(m[ROLE_USB].syspath, FAKE_PATH_BYTES, FAKE_SYS_PREFIX "/usb1/1-%s", port);
	snprintf(m[ROLE_INTERFACE].sysname, 64, "1-%s:1.0", port);
	snprintf(m[ROLE_INTERFACE].syspath, FAKE_PATH_BYTES, FAKE_SYS_PREFIX "/usb1/1-%s/1-%s:1.0",
		port, port);
	snprintf(m[ROLE_PLATFORM].sysname, 64, "fakecam.%u", c->minor);
	snprintf(
		m[ROLE_PLATFORM].syspath, FAKE_PATH_BYTES, FAKE_SYS_PREFIX "/fakecam.%u", c->minor);
	snprintf(parent, sizeof(parent), "%.200s",
		c->vendor[0] != '\0' ? m[ROLE_INTERFACE].syspath : m[ROLE_PLATFORM].syspath);
	snprintf(m[ROLE_VIDEO].sysname, 64, "video%u", c->minor);
	snprintf(
		m[ROLE_VIDEO].syspath, FAKE_PATH_BYTES, "%s/video4linux/video%u", parent, c->minor);
	snprintf(f->node, sizeof(f->node), "/dev/video%u", c->minor);
	snprintf(f->minor, sizeof(f->minor), "%u", c->minor);
	snprintf(f->index, sizeof(f->index), "%u", index_of(c));
	snprintf(f->serial, sizeof(f->serial), "%s_%s%s%s", c->vendor, c->product,
		c->serial[0] != '\0' ? "_" : "", c->serial);
}

struct udev_device *fake_device_new(
	struct udev *udev, const struct fakecam_config *c, const char *action)
{
	struct fake_family *f = c != NULL ? calloc(1, sizeof(*f)) : NULL;
	if (f == NULL) {
		errno = c == NULL ? ENOENT : ENOMEM;
		return NULL;
	}
	for (int role = 0; role < ROLES; role++) {
		f->members[role].magic = FAKE_MAGIC;
		f->members[role].role = (enum role)role;
		f->members[role].family = f;
	}
	f->config = *c;
	f->action = action;
	f->udev = udev;
	f->references = 1;
	family_name(f);
	return (struct udev_device *)&f->members[ROLE_VIDEO];
}

static const struct fakecam_config *find_syspath(const char *syspath)
{
	const char *last = syspath != NULL ? strrchr(syspath, '/') : NULL;
	char node[FAKE_PATH_BYTES];
	if (last == NULL || strncmp(syspath, FAKE_SYS_PREFIX "/", sizeof(FAKE_SYS_PREFIX)) != 0) {
		return NULL;
	}
	snprintf(node, sizeof(node), "/dev%.200s", last);
	return registry_find_path(node);
}

EXPORT struct udev_device *udev_device_new_from_devnum(struct udev *udev, char type, dev_t number)
{
	if (type == 'c' && major(number) == FAKECAM_MAJOR && registry_open()) {
		return fake_device_new(udev, registry_find(minor(number)), NULL);
	}
	return ((struct udev_device * (*)(struct udev *, char, dev_t))
			next_of("udev_device_new_from_devnum"))(udev, type, number);
}

EXPORT struct udev_device *udev_device_new_from_syspath(struct udev *udev, const char *syspath)
{
	if (strncmp(syspath, FAKE_SYS_PREFIX "/", sizeof(FAKE_SYS_PREFIX)) == 0) {
		return fake_device_new(udev, find_syspath(syspath), NULL);
	}
	return ((struct udev_device * (*)(struct udev *, const char *))
			next_of("udev_device_new_from_syspath"))(udev, syspath);
}

EXPORT struct udev_device *udev_device_new_from_subsystem_sysname(
	struct udev *udev, const char *subsystem, const char *sysname)
{
	char node[FAKE_PATH_BYTES];
	if (strcmp(subsystem, "video4linux") == 0 && registry_open()) {
		snprintf(node, sizeof(node), "/dev/%.200s", sysname);
		return fake_device_new(udev, registry_find_path(node), NULL);
	}
	return ((struct udev_device * (*)(struct udev *, const char *, const char *)) next_of(
		"udev_device_new_from_subsystem_sysname"))(udev, subsystem, sysname);
}

EXPORT struct udev_device *udev_device_ref(struct udev_device *d)
{
	if (fake_is(d)) {
		((struct fake_device *)d)->family->references++;
		return d;
	}
	return ((struct udev_device * (*)(struct udev_device *)) next_of("udev_device_ref"))(d);
}

EXPORT struct udev_device *udev_device_unref(struct udev_device *d)
{
	if (fake_is(d)) {
		struct fake_family *f = ((struct fake_device *)d)->family;
		if (--f->references == 0) {
			free(f);
		}
		return NULL;
	}
	return ((struct udev_device * (*)(struct udev_device *)) next_of("udev_device_unref"))(d);
}

/* ---- what a device says of itself ---- */

static const char *or_null(const char *text)
{
	return text[0] != '\0' ? text : NULL;
}

static const char *fake_subsystem(const struct fake_device *d)
{
	static const char *const names[ROLES] = {"video4linux", "usb", "usb", "platform"};
	return names[d->role];
}

static const char *fake_devtype(const struct fake_device *d)
{
	static const char *const names[ROLES] = {NULL, "usb_interface", "usb_device", NULL};
	return names[d->role];
}

static const char *fake_devnode(const struct fake_device *d)
{
	return d->role == ROLE_VIDEO ? d->family->node : NULL;
}

static const char *fake_devpath(const struct fake_device *d)
{
	return d->syspath + strlen("/sys");
}

static const char *fake_syspath(const struct fake_device *d)
{
	return d->syspath;
}

static const char *fake_sysname(const struct fake_device *d)
{
	return d->sysname;
}

static const char *fake_sysnum(const struct fake_device *d)
{
	return d->role == ROLE_VIDEO ? d->family->minor : NULL;
}

static const char *fake_action(const struct fake_device *d)
{
	return d->role == ROLE_VIDEO ? d->family->action : NULL;
}

static const char *fake_driver(const struct fake_device *d)
{
	return d->role == ROLE_INTERFACE || d->role == ROLE_PLATFORM ? d->family->config.driver
								     : NULL;
}

#define DEFINE_GET(what)                                                                           \
	EXPORT const char *udev_device_get_##what(struct udev_device *d)                           \
	{                                                                                          \
		if (fake_is(d)) {                                                                  \
			return fake_##what((const struct fake_device *)d);                         \
		}                                                                                  \
		return ((const char *(*)(struct udev_device *))next_of("udev_device_get_" #what))( \
			d);                                                                        \
	}

DEFINE_GET(subsystem)
DEFINE_GET(devtype)
DEFINE_GET(devnode)
DEFINE_GET(devpath)
DEFINE_GET(syspath)
DEFINE_GET(sysname)
DEFINE_GET(sysnum)
DEFINE_GET(action)
DEFINE_GET(driver)

static const char *capabilities_of(const struct fakecam_config *c)
{
	switch (c->kind) {
	case KIND_M2M:
	case KIND_OUTPUT:
		return ":video_output:";
	case KIND_META:
	case KIND_NONE:
		return ":";
	}
	return ":capture:";
}

EXPORT const char *udev_device_get_property_value(struct udev_device *device, const char *key)
{
	if (!fake_is(device)) {
		return ((const char *(*)(struct udev_device *, const char *))next_of(
			"udev_device_get_property_value"))(device, key);
	}
	const struct fake_device *d = (const struct fake_device *)device;
	const struct fakecam_config *c = &d->family->config;
	const struct {
		const char *key, *value;
	} properties[] = {
		{"SUBSYSTEM", fake_subsystem(d)},
		{"DEVPATH", fake_devpath(d)},
		{"DEVTYPE", fake_devtype(d)},
		{"DEVNAME", fake_devnode(d)},
		{"MAJOR", d->role == ROLE_VIDEO ? "81" : NULL},
		{"MINOR", fake_sysnum(d)},
		{"ID_PATH", or_null(c->path)},
		{"ID_V4L_CAPABILITIES", capabilities_of(c)},
		{"ID_V4L_PRODUCT", c->card},
		{"ID_VENDOR_ID", or_null(c->vendor)},
		{"ID_MODEL_ID", or_null(c->product)},
		{"ID_SERIAL", c->vendor[0] != '\0' ? d->family->serial : NULL},
		{"ID_SERIAL_SHORT", or_null(c->serial)},
		{"ID_BUS", c->vendor[0] != '\0' ? "usb" : NULL},
	};
	for (size_t i = 0; i < sizeof(properties) / sizeof(properties[0]); i++) {
		if (strcmp(properties[i].key, key) == 0) {
			return properties[i].value;
		}
	}
	return NULL;
}

EXPORT const char *udev_device_get_sysattr_value(struct udev_device *device, const char *name)
{
	if (!fake_is(device)) {
		return ((const char *(*)(struct udev_device *, const char *))next_of(
			"udev_device_get_sysattr_value"))(device, name);
	}
	const struct fake_device *d = (const struct fake_device *)device;
	const struct fakecam_config *c = &d->family->config;
	const struct {
		enum role role;
		const char *name, *value;
	} attributes[] = {
		{ROLE_VIDEO, "name", c->card},
		{ROLE_VIDEO, "index", d->family->index},
		{ROLE_INTERFACE, "bInterfaceNumber", "00"},
		{ROLE_USB, "idVendor", c->vendor},
		{ROLE_USB, "idProduct", c->product},
		{ROLE_USB, "serial", or_null(c->serial)},
		{ROLE_USB, "product", c->card},
		{ROLE_USB, "devpath", d->family->port},
	};
	for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
		if (attributes[i].role == d->role && strcmp(attributes[i].name, name) == 0) {
			return attributes[i].value;
		}
	}
	return NULL;
}

EXPORT dev_t udev_device_get_devnum(struct udev_device *d)
{
	if (fake_is(d)) {
		const struct fake_device *fake = (const struct fake_device *)d;
		return fake->role == ROLE_VIDEO ? makedev(FAKECAM_MAJOR, fake->family->config.minor)
						: 0;
	}
	return ((dev_t(*)(struct udev_device *))next_of("udev_device_get_devnum"))(d);
}

EXPORT int udev_device_get_is_initialized(struct udev_device *d)
{
	if (fake_is(d)) {
		return 1;
	}
	return ((int (*)(struct udev_device *))next_of("udev_device_get_is_initialized"))(d);
}

EXPORT struct udev *udev_device_get_udev(struct udev_device *d)
{
	if (fake_is(d)) {
		return ((struct fake_device *)d)->family->udev;
	}
	return ((struct udev * (*)(struct udev_device *)) next_of("udev_device_get_udev"))(d);
}

EXPORT struct udev_device *udev_device_get_parent(struct udev_device *d)
{
	if (!fake_is(d)) {
		return ((struct udev_device * (*)(struct udev_device *))
				next_of("udev_device_get_parent"))(d);
	}
	struct fake_device *fake = (struct fake_device *)d;
	struct fake_device *members = fake->family->members;
	switch (fake->role) {
	case ROLE_VIDEO:
		return (struct udev_device *)(fake->family->config.vendor[0] != '\0'
						      ? &members[ROLE_INTERFACE]
						      : &members[ROLE_PLATFORM]);
	case ROLE_INTERFACE:
		return (struct udev_device *)&members[ROLE_USB];
	default:
		errno = ENOENT;
		return NULL;
	}
}

EXPORT struct udev_device *udev_device_get_parent_with_subsystem_devtype(
	struct udev_device *d, const char *subsystem, const char *devtype)
{
	if (!fake_is(d)) {
		return ((struct udev_device * (*)(struct udev_device *, const char *, const char *))
				next_of("udev_device_get_parent_with_subsystem_devtype"))(
			d, subsystem, devtype);
	}
	for (d = udev_device_get_parent(d); d != NULL; d = udev_device_get_parent(d)) {
		const char *type = udev_device_get_devtype(d);
		if (strcmp(udev_device_get_subsystem(d), subsystem) == 0 &&
			(devtype == NULL || (type != NULL && strcmp(type, devtype) == 0))) {
			return d;
		}
	}
	errno = ENOENT;
	return NULL;
}
