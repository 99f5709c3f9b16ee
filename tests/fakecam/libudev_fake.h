/*
 * What udev would say of the fake devices, from the registry, so that it can also be asked by a
 * process that may open no file. A fake device's parents are its USB interface and its USB device,
 * or a platform device. A monitor tells of devices that are unplugged, come back, or that a change
 * of the configuration brings, removes or replaces: it looks every 100 ms.
 *
 * Objects of ours begin with a number that no real object begins with (those begin with a pointer).
 */
#ifndef CAMGATE_FAKECAM_LIBUDEV_FAKE_H
#define CAMGATE_FAKECAM_LIBUDEV_FAKE_H

#include "fakecam.h"

#include <libudev.h>

#define FAKE_MAGIC 0xfa4eca3000000001ull
#define FAKE_SYS_PREFIX "/sys/devices/fakecam"

enum { FAKE_PATH_BYTES = 256 };

/* Whether an object that the program passes is one of ours. */
bool fake_is(const void *object);
/* A device with one reference; action: what a monitor says, borrowed, or NULL. NULL with errno set
 * if c is NULL or memory is short. */
struct udev_device *fake_device_new(
	struct udev *udev, const struct fakecam_config *c, const char *action);

#endif
