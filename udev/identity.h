/*
 * What a camera is, told from what the kernel and udev know of its device number, never from
 * /dev/videoN.
 *
 *   serial  good and unique serial number        "usb:046d:0825:A1B2C3"    IDENTITY_SERIAL
 *   port    otherwise where it is plugged in     "port:046d:0825:PATH"     IDENTITY_PORT
 *   run     virtual, or another present device   ""                        IDENTITY_RUN
 *           cannot be told from it
 *
 * A USB device with several capture functions has the interface (and, beyond the first, the node's
 * index on it) in the key. Reads /sys and /run/udev through libudev and works with /sys alone;
 * opens no device, so it can be called inside a sandbox that may read those two.
 */
#ifndef CAMGATE_IDENTITY_H
#define CAMGATE_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	IDENTITY_KEY_BYTES = 256,
	IDENTITY_NAME_BYTES = 65,
	IDENTITY_PORT_BYTES = 64,
	IDENTITY_VID_PID_BYTES = 16,
};

struct identity {
	uint8_t strength; /* enum identity_strength of wire.h */
	char key[IDENTITY_KEY_BYTES]; /* empty for IDENTITY_RUN; equal keys are the same camera */
	char name[IDENTITY_NAME_BYTES]; /* for people: "C270 (port 1.2)"; passes wire_name_ok */
	char port[IDENTITY_PORT_BYTES]; /* "1.2"; may be empty */
	char vid_pid[IDENTITY_VID_PID_BYTES]; /* "046d:0825"; empty for what is not on USB */
};

/* rdev: st_rdev of the open device. 0; -ENODEV if it is no present video4linux device; -ENOMEM. */
int identity_read(dev_t rdev, struct identity *ret);
/* The same while udev still works on the device: id_path is the ID_PATH that it will store, or
 * NULL.
 */
int identity_read_at(dev_t rdev, const char *id_path, struct identity *ret);

/* Pure: false for serial numbers that are empty, too short, all one character, not printable, or
 * known to be the same on every device of a maker. */
bool identity_serial_ok(const char *serial);

/* Pure: makes a name for people out of what the device says of itself: valid UTF-8, without control
 * characters, at most NAME_MAX_BYTES; port may be empty. */
void identity_make_name(const char *model, const char *port, char ret[static IDENTITY_NAME_BYTES]);

#endif
