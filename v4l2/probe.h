/*
 * `camgate probe DEVICE`: whether a node is a camera, as the camera role would decide, for udev's
 * rules and for people. Opens the device read-only and changes nothing of it.
 *
 *   CAMGATE_CAMERA=1            or 0, and then
 *   CAMGATE_REASON=...          why not
 *   CAMGATE_ID=...              what identity.h says of a camera; the keeper reads that for itself
 *   CAMGATE_STRENGTH=serial     or port, or run
 *   CAMGATE_NAME=... CAMGATE_PORT=... CAMGATE_VID_PID=...
 */
#ifndef CAMGATE_PROBE_H
#define CAMGATE_PROBE_H

#include "device.h"
#include "udev/identity.h"

#include <jansson.h>
#include <stdio.h>

enum { PROBE_VALUE_BYTES = 512 };

struct probe {
	bool camera;
	char reason[DEVICE_PROBLEM_BYTES]; /* why it is none, or could not be examined */
	bool identified;
	struct identity identity; /* if identified */
};

/* 0 when the question could be answered; otherwise -EACCES, -ENOENT, -EBUSY, ..., with a reason.
 * id_path: udev's ID_PATH of this device if udev still works on it, otherwise NULL. */
int probe_device(const char *path, const char *id_path, struct probe *ret);
/* One line KEY=VALUE for each thing known. */
void probe_print(const struct probe *p, FILE *out);
/* The same as an object: "camera", "reason", "id", "strength", "name", "port", "vid_pid"; null for
 * what is not known. NULL: no memory. */
json_t *probe_json(const struct probe *p);
/* Pure: copies what may stand in such a line, and '_' for each other byte: no quotes, nothing that
 * starts a line or that udev or a shell would expand, no spaces around it. */
void probe_value(const char *text, char ret[static PROBE_VALUE_BYTES]);

#endif
