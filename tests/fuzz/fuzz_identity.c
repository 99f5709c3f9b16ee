/*
 * What devices, the kernel and udev say of cameras, in place of libudev: three nodes with any texts
 * behind them. What comes out fits its fields, has a name that may be shown, and no two cameras
 * have one key.
 */
#include "script.h"
#include "udev/identity.h"
#include "gateway/wire.h"

#include <libudev.h>
#include <stdio.h>
#include <sys/sysmacros.h>

enum { NODES = 3, TEXT_MAX = 200 };

/* A video node, its USB interface and its USB device in one; which it is says the pointer. */
struct udev_device {
	struct udev_device *parent, *usb, *interface; /* NULL: none */
	const char *subsystem;
	char *name, *path, *id_path, *capabilities; /* NULL: not known */
	char *attributes[6];
	unsigned int number;
};

static const char *const attribute_names[6] = {
	"idVendor", "idProduct", "product", "devpath", "serial", "bInterfaceNumber"};
static struct udev_device nodes[NODES], parents[NODES];

struct udev *udev_new(void)
{
	return (struct udev *)nodes;
}

struct udev *udev_unref(struct udev *udev)
{
	(void)udev;
	return NULL;
}

struct udev_device *udev_device_new_from_devnum(struct udev *udev, char type, dev_t number)
{
	(void)udev;
	return type == 'c' && minor(number) < NODES ? &nodes[minor(number)] : NULL;
}

struct udev_device *udev_device_new_from_syspath(struct udev *udev, const char *path)
{
	(void)udev;
	return path[0] - '0' >= 0 && path[0] - '0' < NODES ? &nodes[path[0] - '0'] : NULL;
}

struct udev_device *udev_device_unref(struct udev_device *d)
{
	(void)d;
	return NULL;
}

struct udev_device *udev_device_get_parent(struct udev_device *d)
{
	return d->parent;
}

struct udev_device *udev_device_get_parent_with_subsystem_devtype(
	struct udev_device *d, const char *subsystem, const char *type)
{
	(void)subsystem;
	return strcmp(type, "usb_device") == 0 ? d->usb : d->interface;
}

const char *udev_device_get_sysattr_value(struct udev_device *d, const char *name)
{
	if (strcmp(name, "index") == 0 || strcmp(name, "name") == 0) {
		return d->attributes[strcmp(name, "index") == 0 ? 0 : 1];
	}
	for (size_t i = 0; i < 6; i++) {
		if (strcmp(name, attribute_names[i]) == 0) {
			return d->attributes[i];
		}
	}
	return NULL;
}

const char *udev_device_get_property_value(struct udev_device *d, const char *name)
{
	return strcmp(name, "ID_PATH") == 0 ? d->id_path : d->capabilities;
}

const char *udev_device_get_devpath(struct udev_device *d)
{
	return d->path;
}

const char *udev_device_get_syspath(struct udev_device *d)
{
	return d->path;
}

const char *udev_device_get_subsystem(struct udev_device *d)
{
	return d->subsystem;
}

const char *udev_device_get_sysname(struct udev_device *d)
{
	return d->name;
}

dev_t udev_device_get_devnum(struct udev_device *d)
{
	return makedev(81, d->number);
}

/* The list has an entry for each node, whose name is its number. */
struct udev_enumerate *udev_enumerate_new(struct udev *udev)
{
	return (struct udev_enumerate *)udev;
}

int udev_enumerate_add_match_subsystem(struct udev_enumerate *all, const char *subsystem)
{
	(void)all;
	(void)subsystem;
	return 0;
}

int udev_enumerate_scan_devices(struct udev_enumerate *all)
{
	(void)all;
	return 0;
}

static const char node_numbers[NODES + 1] = "012";

struct udev_list_entry *udev_enumerate_get_list_entry(struct udev_enumerate *all)
{
	(void)all;
	return (struct udev_list_entry *)(uintptr_t)node_numbers;
}

struct udev_list_entry *udev_list_entry_get_next(struct udev_list_entry *entry)
{
	const char *next = (const char *)entry + 1;

	return *next != '\0' ? (struct udev_list_entry *)(uintptr_t)next : NULL;
}

const char *udev_list_entry_get_name(struct udev_list_entry *entry)
{
	return (const char *)entry;
}

struct udev_enumerate *udev_enumerate_unref(struct udev_enumerate *all)
{
	(void)all;
	return NULL;
}

/* ---- the devices of an input ---- */

/* Bit n of which says whether there is such a text. */
static char *text_if(struct script *s, unsigned int which, unsigned int n)
{
	return which >> n & 1 ? script_text(s, TEXT_MAX) : NULL;
}

static void device_read(struct script *s, struct udev_device *d, unsigned int n, bool parent)
{
	unsigned int which = script_u16(s);
	const char *names[NODES] = {"video0", "video1", "radio0"};

	*d = (struct udev_device){.number = n, .subsystem = parent ? "usb" : "video4linux"};
	d->name = strdup(names[n]);
	d->path = script_text(s, TEXT_MAX);
	d->id_path = text_if(s, which, 0);
	d->capabilities = which & 2 ? strdup(which & 4 ? ":capture:" : ":") : NULL;
	for (unsigned int i = 0; i < 6; i++) {
		d->attributes[i] = text_if(s, which, 3 + i);
	}
	if (!parent) {
		/* Another node's parents too: several functions of one device. */
		unsigned int whose = which >> 10 & 1 ? 0 : n;

		d->parent = which >> 11 & 1 ? NULL : &parents[whose];
		d->usb = which >> 12 & 1 ? NULL : &parents[whose];
		d->interface = which >> 13 & 1 ? NULL : &parents[n];
	}
}

static void device_finish(struct udev_device *d)
{
	free(d->name);
	free(d->path);
	free(d->id_path);
	free(d->capabilities);
	for (size_t i = 0; i < 6; i++) {
		free(d->attributes[i]);
	}
}

static void check(const struct identity *i)
{
	if (!wire_name_ok(i->name) || strnlen(i->key, sizeof(i->key)) == sizeof(i->key) ||
		strnlen(i->port, sizeof(i->port)) == sizeof(i->port) ||
		strnlen(i->vid_pid, sizeof(i->vid_pid)) == sizeof(i->vid_pid) ||
		(i->strength == IDENTITY_RUN) != (i->key[0] == '\0')) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct script s = {data, size};
	struct identity found[NODES];

	for (unsigned int n = 0; n < NODES; n++) {
		device_read(&s, &nodes[n], n, false);
		device_read(&s, &parents[n], n, true);
	}
	for (unsigned int n = 0; n < NODES; n++) {
		if (identity_read(makedev(81, n), &found[n]) < 0) {
			abort();
		}
		check(&found[n]);
	}
	/* Of the two that are cameras; what captures nothing is not asked for. */
	bool cameras = true;
	for (unsigned int n = 0; n < 2; n++) {
		cameras = cameras && (!nodes[n].capabilities || nodes[n].capabilities[1] == 'c');
	}
	if (cameras && found[0].key[0] != '\0' && strcmp(found[0].key, found[1].key) == 0) {
		abort();
	}
	for (unsigned int n = 0; n < NODES; n++) {
		device_finish(&nodes[n]);
		device_finish(&parents[n]);
	}
	return 0;
}
