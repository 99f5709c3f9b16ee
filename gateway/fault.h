/*
 * Accidents of other products, put back on purpose: in the test build of tests/incidents and in no
 * other.
 *
 * fault_happens(X): is this historic bug to happen here? fault_lifts(X): is this protection taken
 * away, so that its accident can be seen at all? Both are chosen by name, by the environment,
 * before main. In every other build both are the constant false: what depends on them is not
 * compiled, the functions below exist nowhere, and tests/incidents/release.test.sh proves it.
 */
#ifndef CAMGATE_FAULT_H
#define CAMGATE_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In the order of fault_names in tests/incidents/fault.c. */
enum fault {
	FAULT_SWAPPED_BUFFERS,
	FAULT_UNWIPED_BUFFER,
	FAULT_CACHE_BY_INDEX,
	FAULT_CACHE_BY_URL,
	FAULT_CACHE_BY_SIZE,
	FAULT_GRANT_OF_NEIGHBOUR,
	FAULT_SESSIONS_SWAPPED,
	FAULT_REPLY_TO_NEXT,
	FAULT_KEY_TO_NEXT,
	FAULT_LENGTH_PLUS_N,
	FAULT_OLD_ON_TIMEOUT,
	FAULT_QUEUED,
	FAULT_SHORT_BUFFER,
	FAULT_NAME_PREFIX,
	FAULT_NAMES_SWAPPED,
	FAULT_RENDITIONS_CROSSED,
	FAULT_REVOKE_FORGOTTEN,
	FAULT_OF_COPY, /* any of those that happen while a frame is copied */
	FAULTS,
};

enum protection {
	PROTECTION_BUFFER_TAG, /* web: whose buffer is it? */
	PROTECTION_BUFFER_WIPE,
	PROTECTION_GIVE, /* keeper, web: are this key and ring of the camera that was given? */
	PROTECTION_FRAME, /* web: is this frame of the stream's camera and rendition? */
	PROTECTION_GRANT, /* keeper: the grant is read again for each key */
	PROTECTION_ROTATION, /* keeper: a revoke changes the key */
	PROTECTION_SEAL, /* camera and display: pictures travel as they are */
	PROTECTION_CAMERA_WIPE, /* camera: buffers go back to the driver wiped */
	PROTECTION_SIGNATURE, /* display: what the hub says is signed */
	PROTECTION_CAMERA, /* display: a tile shows its own camera */
	PROTECTION_KEY, /* display: a key must open */
	PROTECTION_COUNTER, /* display: no frame twice, none from before */
	PROTECTION_AGE, /* display: how old a picture is */
	PROTECTION_PICTURE, /* display: a JPEG begins and ends as one */
	PROTECTIONS,
};

#ifdef CAMGATE_INCIDENTS
bool fault_happens(enum fault f);
bool fault_lifts(enum protection p);
#else
#define fault_happens(f) false
#define fault_lifts(p) false
#endif

/* What happens, where it takes more than a line: tests/incidents/accident.c. */
struct buffer;
struct buffer_tag;
struct ipc_give;
struct ipc_wrapped;
struct registry;
struct registry_camera;

/* A buffer comes from a pool that all sessions share. */
void accident_pool(uint8_t **memory, size_t *capacity);
/* The filled buffer goes to one session, that of another session comes here. */
void accident_swap_buffers(struct buffer *b);
/* A sealed frame on its way into a session's buffer: a cache, a queue or a length gone wrong. */
void accident_copy(const struct buffer_tag *tag, uint32_t frame_number, uint8_t *frame,
	size_t capacity, uint32_t *size);
/* The row of the table in which another session was. */
void accident_swap_rows(struct ipc_give *give);
/* The answer to the question before this one. */
const struct ipc_wrapped *accident_last_answer(const struct ipc_wrapped *m);
/* Whoever was asked for before. */
const uint8_t *accident_neighbour(const uint8_t *display);
void accident_swap_names(uint8_t *message, size_t size);
struct registry_camera *accident_find_by_prefix(const struct registry *r, const uint8_t *id);

#endif
