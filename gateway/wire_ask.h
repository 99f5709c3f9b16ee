/*
 * The messages about cameras that no owner has decided about yet: what the keeper asks the displays
 * with owner rights, and what they answer. web/PROTOCOL.md, "New cameras".
 *
 * Conventions, errors and ownership as in wire.h.
 */
#ifndef CAMGATE_WIRE_ASK_H
#define CAMGATE_WIRE_ASK_H

#include "wire.h"

enum new_camera_flag { NEW_CAMERA_QUARANTINED = 1 };
enum screen_state { SCREEN_GONE = 0, SCREEN_PAIRED = 1 };
enum decision {
	DECISION_IGNORE = 1, /* keep it off */
	DECISION_CONFIRM, /* it cannot be told apart, and it is the one meant */
	DECISION_NOBODY, /* it stays, and is shown to nobody */
};

struct wire_new_camera {
	uint8_t id[CAMERA_ID_BYTES];
	uint8_t strength, flags;
	char name[NAME_MAX_BYTES + 1];
	char about[NAME_MAX_BYTES + 1]; /* what and where it is, for people; may be empty */
};
struct wire_new_camera_gone {
	uint8_t id[CAMERA_ID_BYTES];
};
struct wire_screen {
	uint8_t display[DISPLAY_ID_BYTES];
	uint8_t state;
	char name[NAME_MAX_BYTES + 1];
};
struct wire_share {
	uint8_t camera[CAMERA_ID_BYTES];
	uint8_t display[DISPLAY_ID_BYTES];
};
struct wire_decide {
	uint8_t camera[CAMERA_ID_BYTES];
	uint8_t decision;
};
struct wire_preview {
	uint8_t camera[CAMERA_ID_BYTES];
	bool on;
};
ssize_t wire_encode_new_camera(const struct wire_new_camera *m, uint8_t *out, size_t size);
int wire_parse_new_camera(const uint8_t *data, size_t size, struct wire_new_camera *ret);
ssize_t wire_encode_new_camera_gone(
	const struct wire_new_camera_gone *m, uint8_t *out, size_t size);
int wire_parse_new_camera_gone(const uint8_t *data, size_t size, struct wire_new_camera_gone *ret);
ssize_t wire_encode_screen(const struct wire_screen *m, uint8_t *out, size_t size);
int wire_parse_screen(const uint8_t *data, size_t size, struct wire_screen *ret);
ssize_t wire_encode_share(const struct wire_share *m, uint8_t *out, size_t size);
int wire_parse_share(const uint8_t *data, size_t size, struct wire_share *ret);
ssize_t wire_encode_decide(const struct wire_decide *m, uint8_t *out, size_t size);
int wire_parse_decide(const uint8_t *data, size_t size, struct wire_decide *ret);
ssize_t wire_encode_preview(const struct wire_preview *m, uint8_t *out, size_t size);
int wire_parse_preview(const uint8_t *data, size_t size, struct wire_preview *ret);

#endif
