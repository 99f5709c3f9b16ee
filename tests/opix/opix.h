/*
 * Reads back what a test camera drew (v4l2/pattern.h has the layout): which camera, which frame and
 * when, from the picture itself and nothing else. Written without the drawing code, so that a fault
 * there is seen here. A picture counts only if every tile of it is whole and all of them agree.
 */
#ifndef CAMGATE_TESTS_OPIX_H
#define CAMGATE_TESTS_OPIX_H

#include <stddef.h>
#include <stdint.h>

/* The first three come from the first tile with a right checksum. */
struct opix {
	uint32_t tag; /* of the camera */
	uint32_t number; /* of the frame, modulo 2^24 */
	uint64_t capture_ms; /* CLOCK_BOOTTIME, modulo 2^40 */
	int width, height; /* in pixels */
	int tiles; /* looked at */
	int bad_tiles; /* unreadable, wrong checksum */
	int foreign_tiles; /* of another camera than the first */
	int mixed_tiles; /* of the same camera, but of another frame or another place */
};

/*
 * Reads a plane of luma (full range); lines are `stride` bytes apart. 0 when all tiles agree;
 * -EBADMSG with the counts in *ret (filled in that case too) when not, or when there is no tile at
 * all.
 */
int opix_decode(const uint8_t *luma, int width, int height, int stride, struct opix *ret);

/* The same from a JPEG. -EBADMSG with all counts 0 when it is none; -ENOMEM. */
int opix_decode_jpeg(const uint8_t *jpeg, size_t size, struct opix *ret);

/* One line about *o for a test's message, in a buffer that the next call reuses. */
const char *opix_describe(const struct opix *o);

#endif
