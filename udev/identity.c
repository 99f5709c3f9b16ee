#include "identity.h"
#include "gateway/wire.h"

#include <ctype.h>
#include <errno.h>
#include <libudev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

enum { SERIAL_MIN_CHARACTERS = 4, SERIAL_MAX_CHARACTERS = 126 };

bool identity_serial_ok(const char *serial)
{
	/* Seen on many devices of their makers. */
	static const char *const bogus[] = {"200901010001", "SN0001", "00000001", "0123456789",
		"01234567", "012345678", "0123456789ABCDEF", "1234567890", "12345678", "123456",
		"123456789", "01.00.00", "1.0.0", "USB2.0", "NONE", "none", "Default", "AN0001"};
	size_t size = serial != NULL ? strlen(serial) : 0;
	bool varies = false;

	if (size < SERIAL_MIN_CHARACTERS || size > SERIAL_MAX_CHARACTERS) {
		return false;
	}
	for (size_t i = 0; i < size; i++) {
		/* Spaces are out too: some firmware pads with them, and differently each time. */
		if (serial[i] <= ' ' || serial[i] > '~') {
			return false;
		}
		varies = varies || serial[i] != serial[0];
	}
	for (size_t i = 0; i < sizeof bogus / sizeof bogus[0]; i++) {
		if (strcmp(serial, bogus[i]) == 0) {
			return false;
		}
	}
	return varies;
}

/* Copies the parts of text that wire_name_ok allows; returns the bytes written. */
static size_t copy_printable(const char *text, char *out, size_t size)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t used = 0;

	while (*at != '\0' && used + 1 < size) {
		char one[5] = "";
		size_t bytes = *at < 0x80 ? 1 : *at >= 0xf0 ? 4 : *at >= 0xe0 ? 3 : 2;

		for (size_t i = 0; i < bytes && at[i] != '\0'; i++) {
			one[i] = (char)at[i];
		}
		if (strcmp(one, " ") != 0 && !wire_name_ok(one)) {
			at++; /* a control character or a stray byte */
			continue;
		}
		if (used + bytes >= size) {
			break;
		}
		if (one[0] != ' ' || (used > 0 && out[used - 1] != ' ')) {
			memcpy(out + used, one, bytes);
			used += bytes;
		}
		at += bytes;
	}
	while (used > 0 && out[used - 1] == ' ') {
		used--;
	}
	out[used] = '\0';
	return used;
}

void identity_make_name(const char *model, const char *port, char ret[static IDENTITY_NAME_BYTES])
{
	char suffix[32] = "";
	char clean_port[20] = "";

	if (port[0] != '\0' && copy_printable(port, clean_port, sizeof clean_port) > 0) {
		(void)snprintf(suffix, sizeof suffix, " (port %s)", clean_port);
	}
	size_t used = copy_printable(model, ret, IDENTITY_NAME_BYTES - strlen(suffix));
	if (used == 0) {
		used = copy_printable("Camera", ret, IDENTITY_NAME_BYTES - strlen(suffix));
	}
	memcpy(ret + used, suffix, strlen(suffix) + 1);
}

/* What is read of one node, before it is compared with the others. Pointers borrow from the device.
 */
struct node {
	struct udev_device *video;
	struct udev_device *usb; /* NULL for what is not on USB */
	struct udev_device *interface; /* its USB interface */
	const char *serial; /* NULL if not good */
	char vid_pid[IDENTITY_VID_PID_BYTES];
	char place[192]; /* the port's name; empty for virtual devices */
	char function[32]; /* "" for the first capture function of a device */
};

static const char *attribute(struct udev_device *d, const char *name)
{
	const char *value = d != NULL ? udev_device_get_sysattr_value(d, name) : NULL;

	return value != NULL ? value : "";
}

/* ID_PATH is udev's; without udevd the parent's path below /sys says the same in other words, so a
 * camera that is bound to its port is another camera to a hub that starts to run udevd. */
static void read_place(struct node *n, const char *id_path)
{
	struct udev_device *parent = udev_device_get_parent(n->video);
	const char *path = udev_device_get_property_value(n->video, "ID_PATH");

	if (parent == NULL) {
		return;
	}
	if (path == NULL) {
		path = id_path != NULL ? id_path : udev_device_get_devpath(parent);
	}
	if (path != NULL && strlen(path) < sizeof n->place) {
		(void)snprintf(n->place, sizeof n->place, "%s", path);
	}
}

/* id_path: in place of one that udev has not stored yet; NULL */
static void node_init(struct node *n, struct udev_device *video, const char *id_path)
{
	*n = (struct node){.video = video};
	n->usb = udev_device_get_parent_with_subsystem_devtype(video, "usb", "usb_device");
	n->interface = udev_device_get_parent_with_subsystem_devtype(video, "usb", "usb_interface");
	read_place(n, id_path);
	if (n->usb == NULL) {
		return;
	}

	const char *serial = attribute(n->usb, "serial");
	const char *index = attribute(video, "index");
	const char *number = attribute(n->interface, "bInterfaceNumber");

	(void)snprintf(n->vid_pid, sizeof n->vid_pid, "%.4s:%.4s", attribute(n->usb, "idVendor"),
		attribute(n->usb, "idProduct"));
	n->serial = identity_serial_ok(serial) ? serial : NULL;
	if (strcmp(number, "00") != 0 || strcmp(index, "0") != 0) {
		(void)snprintf(n->function, sizeof n->function, "/%.8s.%.8s", number, index);
	}
}

static void make_key(const struct node *n, bool by_serial, char *out, size_t size)
{
	int written;

	if (by_serial) {
		written = snprintf(out, size, "usb:%s:%s%s", n->vid_pid, n->serial, n->function);
	} else {
		written = snprintf(out, size, "port:%s:%s%s", n->vid_pid, n->place, n->function);
	}
	if (written < 0 || (size_t)written >= size) {
		out[0] = '\0';
	}
}

/* Metadata, radio and output nodes are no cameras; where udev has not looked, assume the worst. */
static bool may_capture(struct udev_device *d)
{
	const char *capabilities = udev_device_get_property_value(d, "ID_V4L_CAPABILITIES");
	const char *name = udev_device_get_sysname(d);

	return name != NULL && strncmp(name, "video", 5) == 0 &&
	       (capabilities == NULL || strstr(capabilities, ":capture:") != NULL);
}

static bool same_device(struct udev_device *a, struct udev_device *b)
{
	return udev_device_get_devnum(a) == udev_device_get_devnum(b);
}

/* Two functions of one parent: udev may have named the place of one already and not of the other.
 */
static bool same_place(const struct node *a, const struct node *b)
{
	struct udev_device *parent_a = udev_device_get_parent(a->video);
	struct udev_device *parent_b = udev_device_get_parent(b->video);

	return parent_a != NULL && parent_b != NULL &&
	       strcmp(udev_device_get_syspath(parent_a), udev_device_get_syspath(parent_b)) == 0 &&
	       strcmp(a->function, b->function) == 0;
}

/* 1 if another node that is present now would have the same key, 0 if not, or -errno. */
static int key_is_taken(struct udev *udev, const struct node *own, bool by_serial, const char *key)
{
	struct udev_enumerate *all = udev_enumerate_new(udev);
	struct udev_list_entry *entry;
	int taken = 0;

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
		struct udev_device *d =
			udev_device_new_from_syspath(udev, udev_list_entry_get_name(entry));
		char other_key[IDENTITY_KEY_BYTES];
		struct node other;

		if (d == NULL) {
			continue; /* went away meanwhile */
		}
		if (!same_device(d, own->video) && may_capture(d)) {
			node_init(&other, d, NULL);
			if (!by_serial || other.serial != NULL) {
				make_key(&other, by_serial, other_key, sizeof other_key);
				taken |= strcmp(other_key, key) == 0;
			}
			taken |= !by_serial && same_place(own, &other);
		}
		udev_device_unref(d);
	}
	udev_enumerate_unref(all);
	return taken;
}

static int choose_key(struct udev *udev, const struct node *n, struct identity *i)
{
	int taken;

	if (n->serial != NULL) {
		make_key(n, true, i->key, sizeof i->key);
		taken = key_is_taken(udev, n, true, i->key);
		if (taken <= 0) {
			i->strength = IDENTITY_SERIAL;
			return taken;
		}
	}
	i->key[0] = '\0';
	i->strength = IDENTITY_RUN;
	if (n->place[0] == '\0') {
		return 0;
	}
	make_key(n, false, i->key, sizeof i->key);
	if (i->key[0] == '\0') {
		return 0;
	}
	taken = key_is_taken(udev, n, false, i->key);
	if (taken != 0) {
		i->key[0] = '\0';
		return taken < 0 ? taken : 0;
	}
	i->strength = IDENTITY_PORT;
	return 0;
}

static void describe(const struct node *n, struct identity *i)
{
	const char *model = attribute(n->usb, "product");
	const char *port = attribute(n->usb, "devpath");

	if (model[0] == '\0') {
		model = attribute(n->video, "name");
	}
	(void)snprintf(i->vid_pid, sizeof i->vid_pid, "%s", n->vid_pid);
	(void)snprintf(i->port, sizeof i->port, "%s", port);
	identity_make_name(model, i->port, i->name);
}

int identity_read(dev_t rdev, struct identity *ret)
{
	return identity_read_at(rdev, NULL, ret);
}

int identity_read_at(dev_t rdev, const char *id_path, struct identity *ret)
{
	struct identity found = {.strength = IDENTITY_RUN};
	struct udev *udev = udev_new();
	struct node n;
	int r;

	if (udev == NULL) {
		return -ENOMEM;
	}
	struct udev_device *video = udev_device_new_from_devnum(udev, 'c', rdev);
	const char *subsystem = video != NULL ? udev_device_get_subsystem(video) : NULL;
	if (subsystem == NULL || strcmp(subsystem, "video4linux") != 0) {
		r = -ENODEV;
	} else {
		node_init(&n, video, id_path);
		describe(&n, &found);
		r = choose_key(udev, &n, &found);
	}
	if (video != NULL) {
		udev_device_unref(video);
	}
	udev_unref(udev);
	if (r == 0) {
		*ret = found;
	}
	return r;
}
