/*
 * Raw pictures to JPEG, with libjpeg-turbo, from the mapped buffer where its planes can be used as
 * they are. One encoder per camera, made for its largest mode; it belongs to one thread.
 *
 * The JPEG is lent to the caller until the next call; it is wiped then. Interleaved formats are
 * taken apart into planes that the encoder keeps and overwrites whole; encode_wipe empties both.
 */
#ifndef CAMGATE_ENCODE_H
#define CAMGATE_ENCODE_H

#include "format.h"

struct encoder;

/* For pictures of up to width x height. NULL: no memory. */
struct encoder *encode_create(uint16_t width, uint16_t height);
/* Wipes everything. Accepts NULL. */
void encode_destroy(struct encoder *e);
/* 0, or -EINVAL (larger than made for), -EIO (libjpeg-turbo refused). *ret_jpeg is borrowed. */
int encode_picture(
	struct encoder *e, const struct raw_picture *p, const uint8_t **ret_jpeg, size_t *ret_size);
/* Wipes the JPEG and the planes. */
void encode_wipe(struct encoder *e);
/* True if its memory could not be locked. */
bool encode_swappable(const struct encoder *e);

#endif
