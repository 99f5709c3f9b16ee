/*
 * What every process with the library loaded agrees on: the devices of the configuration, which are
 * unplugged, and which pipes stand for open ones. A file beside the configuration ($FAKECAM.live),
 * mapped shared when the library is loaded, so that no file needs to be opened later.
 */
#ifndef CAMGATE_FAKECAM_REGISTRY_H
#define CAMGATE_FAKECAM_REGISTRY_H

#include "fakecam.h"

#include <sys/types.h>

/* Maps the registry of $FAKECAM. False, once with a line on stderr, when there is none. */
bool registry_open(void);
/* Reads the configuration again if the file changed. Opens files: not for a sandboxed process. */
void registry_refresh(void);
/* The i-th device (0..FAKECAM_DEVICES_MAX - 1) if there is one and it is plugged in, otherwise
 * NULL. */
const struct fakecam_config *registry_device(unsigned int i);
const struct fakecam_config *registry_find(uint32_t minor);
/* The device that "/dev/videoN" names. */
const struct fakecam_config *registry_find_path(const char *path);
/* A pipe starts, and ends, to stand for an open device. */
bool registry_add_pipe(ino_t inode, uint32_t minor);
void registry_remove_pipe(ino_t inode);
/* The minor number that a pipe stands for; -1. */
int registry_pipe_minor(ino_t inode);
/* Unplugs a device for so long, 0: until the configuration changes. */
void registry_unplug(uint32_t minor, uint32_t for_ms);

#endif
