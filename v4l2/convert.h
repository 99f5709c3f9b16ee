/*
 * Formats that we neither pass through nor encode, turned into planar 4:2:0 by libv4lconvert.
 *
 * libv4lconvert is the half of libv4l2 that converts; we call it on our own buffers, because
 * libv4l2's own VIDIOC_DQBUF converts every buffer that is drained, keeps the results in memory
 * that nobody can wipe, and after some tries hands out a short frame filled up with what the buffer
 * held before.
 *
 * Creation reads /sys and uses shm_open, and the first conversion allocates: both belong before the
 * sandbox, which is what convert_create does. One thread.
 */
#ifndef CAMGATE_CONVERT_H
#define CAMGATE_CONVERT_H

#include "format.h"

#include <linux/videodev2.h>

struct converter;

/* source is the driver's format (single-planar, as S_FMT returned it) of the largest mode. Makes a
 * dry run on zeroes. NULL: no memory, or libv4lconvert does not know the way. fd is borrowed. */
struct converter *convert_create(int fd, const struct v4l2_format *source);
/* Wipes. Accepts NULL. */
void convert_destroy(struct converter *c);
/* Converts size bytes at data, of the format source (which may be smaller than at creation). The
 * picture is borrowed until the next call. 0; -EBADMSG when it is short or not decodable; -EINVAL.
 */
int convert_picture(struct converter *c, const struct v4l2_format *source, const uint8_t *data,
	size_t size, struct raw_picture *ret);
void convert_wipe(struct converter *c);
bool convert_swappable(const struct converter *c);

#endif
