/*
 * Every byte layout between the hub and its displays; web/PROTOCOL.md tells the same in prose.
 *
 * Pure functions over caller's memory. Readers and writers are cursors: any step past the end
 * sets them bad and yields zeroes, so a parser checks once, at its end, with wire_reader_end().
 * All parse functions return 0 or -EBADMSG; they refuse trailing bytes. All encode functions
 * return the number of bytes written, or -ENOSPC. Parsed byte pointers borrow from the input.
 */
#ifndef CAMGATE_WIRE_H
#define CAMGATE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	WIRE_VERSION = 1,

	HOME_ID_BYTES = 16,
	CAMERA_ID_BYTES = 16,
	GENERATION_BYTES = 16,
	SESSION_ID_BYTES = 16,
	DISPLAY_ID_BYTES = 32,
	FINGERPRINT_BYTES = 32,
	DIGEST_BYTES = 32,
	POINT_BYTES = 65,
	SIGNATURE_BYTES = 64,
	NONCE_BYTES = 32,
	REQUEST_NONCE_BYTES = 16,
	LINK_ID_BYTES = 8,
	LINK_SECRET_BYTES = 16,
	EPOCH_KEY_BYTES = 16,
	NAME_MAX_BYTES = 64,
	ORIGIN_MAX_BYTES = 255,

	WIRE_DISPLAY_MESSAGE_MAX_BYTES = 512,
	WIRE_HUB_MESSAGE_MAX_BYTES = 512,
	WIRE_CHALLENGE_BYTES = 116,
	WIRE_FRAME_HEADER_BYTES = 34,
	WIRE_FRAME_METADATA_BYTES = 82,
	WIRE_FRAME_MAX_BYTES = 8 << 20,
	WIRE_CHUNK_HEADER_BYTES = 16,
	WIRE_CHUNK_PIECE_MAX_BYTES = 16352,
	WIRE_WRAP_INFO_BYTES = 121,
	WIRE_WRAPPED_MAX_BYTES = 56,
	WIRE_STREAMS_MAX = 64,
	WIRE_SCREENS_MAX = 64, /* displays that an owner is told of */
	WIRE_PAIR_SIGNED_MAX_BYTES = 2 * DIGEST_BYTES + 1 + NAME_MAX_BYTES,
	WIRE_LINK_BYTES = 57,
	WIRE_LINK_TEXT_BYTES = 77, /* base64url without padding, and a NUL */
};

enum wire_type {
	WIRE_CHUNK = 0x01,
	WIRE_ABORT = 0x02,
	WIRE_ACK = 0x03,
	WIRE_PULSE = 0x04,
	WIRE_CHALLENGE = 0x10,
	WIRE_LOGIN = 0x11,
	WIRE_PAIR = 0x12,
	WIRE_HUB = 0x20,
	WIRE_DISPLAY = 0x21,
};

enum wire_hub_kind {
	HUB_WELCOME = 1,
	HUB_CAMERA,
	HUB_CAMERA_GONE,
	HUB_KEY,
	HUB_ENDED,
	/* to owners */
	HUB_NEW_CAMERA,
	HUB_NEW_CAMERA_GONE,
	HUB_SCREEN,
};
enum wire_display_kind {
	DISPLAY_WATCH = 1,
	DISPLAY_UNWATCH,
	DISPLAY_TIME,
	DISPLAY_REPORT,
	DISPLAY_KEY_ACK,
	/* from owners */
	DISPLAY_SHARE,
	DISPLAY_DECIDE,
	DISPLAY_PREVIEW,
};

enum camera_state { CAMERA_OFFLINE = 0, CAMERA_READY = 1 };
enum camera_flag {
	CAMERA_FLAG_TEST = 1,
	CAMERA_FLAG_SLOW = 2,
	CAMERA_FLAG_FAILING = 4, /* somebody watches, and it gives nothing that can be shown */
	CAMERA_FLAG_PREVIEW = 8, /* this owner may look at it for a while, others not yet */
};
enum identity_strength {
	IDENTITY_RUN = 0, /* known for this run of the camera process only */
	IDENTITY_PORT = 1,
	IDENTITY_SERIAL = 2,
	IDENTITY_TEST = 3,
};
enum rendition { RENDITION_FULL = 0, RENDITION_COUNT = 1 };
enum frame_flag { FRAME_FROZEN = 1, FRAME_TEST = 2 };
enum key_purpose { KEY_WATCH = 1, KEY_NEXT, KEY_BREAK, KEY_TIME };
enum end_reason {
	END_NOT_SHARED = 1,
	END_OFFLINE,
	END_REFUSED,
	END_REPLACED,
	END_NO_RECORD,
	END_PREVIEW_OVER,
};
enum frame_outcome { OUTCOME_DRAWN = 1, OUTCOME_LATE, OUTCOME_HIDDEN, OUTCOME_REFUSED };
enum anomaly {
	ANOMALY_NONE = 0,
	ANOMALY_FOREIGN_CAMERA,
	ANOMALY_UNKNOWN_EPOCH,
	ANOMALY_COUNTER,
	ANOMALY_UNSEAL,
	ANOMALY_KEY,
	ANOMALY_PICTURE,
};

/* ---- cursors ---- */

struct wire_reader {
	const uint8_t *at;
	size_t left;
	bool bad;
};

struct wire_writer {
	uint8_t *base;
	size_t size;
	size_t used;
	bool bad;
};

struct wire_reader wire_reader_init(const uint8_t *data, size_t size);
uint8_t wire_read_u8(struct wire_reader *r);
uint16_t wire_read_u16(struct wire_reader *r);
uint32_t wire_read_u32(struct wire_reader *r);
uint64_t wire_read_u64(struct wire_reader *r);
/* Copies size bytes to out (zeroes when bad). */
void wire_read_bytes(struct wire_reader *r, uint8_t *out, size_t size);
/* Borrows size bytes; NULL when bad. */
const uint8_t *wire_read_borrow(struct wire_reader *r, size_t size);
/* Reads a str (length byte first) of at most out_size - 1 bytes and ends it with NUL; an embedded
 * NUL is bad. */
void wire_read_str(struct wire_reader *r, char *out, size_t out_size);
/* 0 if every step fitted and nothing is left, otherwise -EBADMSG. */
int wire_reader_end(const struct wire_reader *r);

struct wire_writer wire_writer_init(uint8_t *base, size_t size);
void wire_write_u8(struct wire_writer *w, uint8_t value);
void wire_write_u16(struct wire_writer *w, uint16_t value);
void wire_write_u32(struct wire_writer *w, uint32_t value);
void wire_write_u64(struct wire_writer *w, uint64_t value);
void wire_write_bytes(struct wire_writer *w, const uint8_t *data, size_t size);
void wire_write_str(struct wire_writer *w, const char *text); /* bad beyond 255 bytes */
ssize_t wire_writer_end(const struct wire_writer *w); /* bytes used, or -ENOSPC */

/* True for 1..NAME_MAX_BYTES bytes of valid UTF-8 without control characters (C0, DEL, C1) and
 * without a space at either end. */
bool wire_name_ok(const char *name);

/* ---- pairing and login ---- */

struct wire_challenge {
	uint8_t version_min, version_max;
	uint8_t session[SESSION_ID_BYTES];
	uint8_t nonce[NONCE_BYTES];
	uint8_t hub_public[POINT_BYTES];
};
ssize_t wire_encode_challenge(const struct wire_challenge *c, uint8_t *out, size_t size);
int wire_parse_challenge(const uint8_t *data, size_t size, struct wire_challenge *ret);

struct wire_login {
	uint8_t version;
	uint8_t display[DISPLAY_ID_BYTES];
	uint8_t nonce[NONCE_BYTES];
	uint8_t signature[SIGNATURE_BYTES];
};
ssize_t wire_encode_login(const struct wire_login *l, uint8_t *out, size_t size);
int wire_parse_login(const uint8_t *data, size_t size, struct wire_login *ret);

struct wire_pair {
	uint8_t version;
	uint8_t link_id[LINK_ID_BYTES];
	uint8_t sign_public[POINT_BYTES];
	uint8_t kem_public[POINT_BYTES];
	uint8_t nonce[NONCE_BYTES];
	char name[NAME_MAX_BYTES + 1];
	uint8_t proof[DIGEST_BYTES];
	uint8_t signature[SIGNATURE_BYTES];
};
ssize_t wire_encode_pair(const struct wire_pair *p, uint8_t *out, size_t size);
int wire_parse_pair(const uint8_t *data, size_t size, struct wire_pair *ret);
/* What the signature of PAIR covers, after its label: T ‖ proof ‖ str name. Returns the size. */
size_t wire_pair_signed(const struct wire_pair *p, const uint8_t transcript[static DIGEST_BYTES],
	uint8_t out[static WIRE_PAIR_SIGNED_MAX_BYTES]);

struct wire_link {
	bool owner;
	uint8_t id[LINK_ID_BYTES];
	uint8_t secret[LINK_SECRET_BYTES];
	uint8_t fingerprint[FINGERPRINT_BYTES];
};
/* The text after "#pair=". */
void wire_encode_link(const struct wire_link *link, char out[static WIRE_LINK_TEXT_BYTES]);
int wire_parse_link(const char *text, struct wire_link *ret);

/* ---- signed messages ---- */

struct wire_envelope {
	uint8_t type; /* WIRE_HUB or WIRE_DISPLAY */
	uint8_t session[SESSION_ID_BYTES];
	uint32_t counter;
	uint8_t kind;
	const uint8_t *body; /* borrowed */
	size_t body_size;
	const uint8_t *signature; /* borrowed, SIGNATURE_BYTES */
	size_t signed_size; /* the bytes from the start of the message that are signed */
};
/* Writes everything but the signature; the caller signs those bytes and appends 64 more. */
ssize_t wire_encode_envelope(const struct wire_envelope *e, uint8_t *out, size_t size);
int wire_parse_envelope(const uint8_t *data, size_t size, struct wire_envelope *ret);

/* The bodies. */
struct wire_welcome {
	uint8_t transcript[DIGEST_BYTES];
	uint8_t home[HOME_ID_BYTES];
	uint8_t display[DISPLAY_ID_BYTES];
	bool owner;
	char name[NAME_MAX_BYTES + 1];
	uint16_t cameras;
};
struct wire_camera {
	uint8_t id[CAMERA_ID_BYTES];
	uint8_t state, flags, strength;
	uint8_t generation[GENERATION_BYTES];
	uint8_t kem_public[POINT_BYTES];
	uint32_t frame_interval_us;
	uint32_t frame_max_bytes;
	char name[NAME_MAX_BYTES + 1];
};
struct wire_camera_gone {
	uint8_t id[CAMERA_ID_BYTES];
	uint8_t reason;
};
struct wire_key {
	uint16_t stream;
	uint8_t camera[CAMERA_ID_BYTES];
	uint8_t generation[GENERATION_BYTES];
	uint32_t epoch;
	uint8_t purpose;
	uint8_t enc[POINT_BYTES];
	uint8_t wrapped[WIRE_WRAPPED_MAX_BYTES];
	size_t wrapped_size; /* 32, or 56 for KEY_WATCH and KEY_TIME; parse checks */
};
struct wire_ended {
	uint16_t stream;
	uint8_t camera[CAMERA_ID_BYTES];
	uint8_t reason;
};
struct wire_watch {
	uint16_t stream;
	uint8_t camera[CAMERA_ID_BYTES];
	uint8_t rendition;
	uint8_t nonce[REQUEST_NONCE_BYTES];
};
struct wire_unwatch {
	uint16_t stream;
	uint32_t received, drawn, late, hidden, refused, worst_age_ms;
};
struct wire_time {
	uint16_t stream;
	uint8_t nonce[REQUEST_NONCE_BYTES];
};
struct wire_report {
	uint16_t stream;
	uint8_t camera[CAMERA_ID_BYTES];
	uint8_t generation[GENERATION_BYTES];
	uint8_t reason;
	uint32_t epoch;
	uint64_t counter;
};
struct wire_key_ack {
	uint16_t stream;
	uint32_t epoch;
};
ssize_t wire_encode_welcome(const struct wire_welcome *m, uint8_t *out, size_t size);
int wire_parse_welcome(const uint8_t *data, size_t size, struct wire_welcome *ret);
ssize_t wire_encode_camera(const struct wire_camera *m, uint8_t *out, size_t size);
int wire_parse_camera(const uint8_t *data, size_t size, struct wire_camera *ret);
ssize_t wire_encode_camera_gone(const struct wire_camera_gone *m, uint8_t *out, size_t size);
int wire_parse_camera_gone(const uint8_t *data, size_t size, struct wire_camera_gone *ret);
ssize_t wire_encode_key(const struct wire_key *m, uint8_t *out, size_t size);
int wire_parse_key(const uint8_t *data, size_t size, struct wire_key *ret);
ssize_t wire_encode_ended(const struct wire_ended *m, uint8_t *out, size_t size);
int wire_parse_ended(const uint8_t *data, size_t size, struct wire_ended *ret);
ssize_t wire_encode_watch(const struct wire_watch *m, uint8_t *out, size_t size);
int wire_parse_watch(const uint8_t *data, size_t size, struct wire_watch *ret);
ssize_t wire_encode_unwatch(const struct wire_unwatch *m, uint8_t *out, size_t size);
int wire_parse_unwatch(const uint8_t *data, size_t size, struct wire_unwatch *ret);
ssize_t wire_encode_time(const struct wire_time *m, uint8_t *out, size_t size);
int wire_parse_time(const uint8_t *data, size_t size, struct wire_time *ret);
ssize_t wire_encode_report(const struct wire_report *m, uint8_t *out, size_t size);
int wire_parse_report(const uint8_t *data, size_t size, struct wire_report *ret);
ssize_t wire_encode_key_ack(const struct wire_key_ack *m, uint8_t *out, size_t size);
int wire_parse_key_ack(const uint8_t *data, size_t size, struct wire_key_ack *ret);

/* HPKE info of a wrapped epoch key. */
struct wire_wrap_context {
	const uint8_t *home, *camera, *generation, *display, *session; /* borrowed */
	uint32_t epoch;
	uint8_t purpose;
};
void wire_wrap_info(const struct wire_wrap_context *c, uint8_t out[static WIRE_WRAP_INFO_BYTES]);

/* ---- frames and flow (the web role's messages) ---- */

struct wire_frame_header {
	uint8_t camera[CAMERA_ID_BYTES];
	uint8_t rendition, flags;
	uint16_t width, height;
	uint32_t epoch;
	uint64_t capture_us; /* CLOCK_BOOTTIME of the camera */
};
void wire_encode_frame_header(
	const struct wire_frame_header *h, uint8_t out[static WIRE_FRAME_HEADER_BYTES]);
/* Reads the first WIRE_FRAME_HEADER_BYTES of data; what follows is the SFrame. */
int wire_parse_frame_header(const uint8_t *data, size_t size, struct wire_frame_header *ret);
/* The SFrame metadata: label, home, generation and the encoded header. */
void wire_frame_metadata(const uint8_t home[static HOME_ID_BYTES],
	const uint8_t generation[static GENERATION_BYTES],
	const uint8_t header[static WIRE_FRAME_HEADER_BYTES],
	uint8_t out[static WIRE_FRAME_METADATA_BYTES]);

struct wire_chunk {
	uint16_t stream;
	uint32_t frame, offset, total;
};
void wire_encode_chunk_header(
	const struct wire_chunk *c, uint8_t out[static WIRE_CHUNK_HEADER_BYTES]);
/* *ret_piece borrows from data. Checks 1 <= piece, offset + piece <= total <= WIRE_FRAME_MAX_BYTES.
 */
int wire_parse_chunk(const uint8_t *data, size_t size, struct wire_chunk *ret,
	const uint8_t **ret_piece, size_t *ret_piece_size);

struct wire_abort {
	uint16_t stream;
	uint32_t frame;
};
ssize_t wire_encode_abort(const struct wire_abort *a, uint8_t *out, size_t size);
int wire_parse_abort(const uint8_t *data, size_t size, struct wire_abort *ret);

struct wire_ack {
	uint8_t outcome;
	uint16_t stream;
	uint32_t frame;
	uint16_t age_ms;
	uint8_t reason;
};
ssize_t wire_encode_ack(const struct wire_ack *a, uint8_t *out, size_t size);
int wire_parse_ack(const uint8_t *data, size_t size, struct wire_ack *ret);

#endif
