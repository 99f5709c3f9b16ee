/*
 * Checks and cleans JPEG pictures from cameras (ITU-T T.81). Pure functions over untrusted bytes.
 *
 * A camera's picture is one image from SOI to EOI with the size that was negotiated. What follows
 * EOI (padding of the transfer) is left off. Application segments and comments, which can carry
 * thumbnails, serial numbers and places, are left out; the Huffman tables that Motion JPEG omits
 * (T.81, annex K.3) are put in.
 */
#ifndef CAMGATE_MJPEG_H
#define CAMGATE_MJPEG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MJPEG_TABLES_BYTES = 420 };

struct mjpeg {
	size_t size; /* from SOI to EOI, as it came */
	size_t scan; /* where the first SOS marker is */
	uint8_t components;
	bool has_tables; /* Huffman tables are there */
	size_t left_out; /* bytes of segments that will be left out */
};

/* 0, or -EBADMSG: no picture, or not whole, or not of this size, or of a kind that browsers do not
 * draw (arithmetic coding, 12 bits, CMYK, lossless). */
int mjpeg_check(
	const uint8_t *data, size_t size, uint16_t width, uint16_t height, struct mjpeg *ret);
/* True when the picture has to be rewritten before it may leave. */
bool mjpeg_needs_rewrite(const struct mjpeg *m);
/* Bytes that mjpeg_rewrite will write. */
size_t mjpeg_rewritten_size(const struct mjpeg *m);
/* Writes the cleaned picture. m is what mjpeg_check said of the same data, which nobody may have
 * changed since; if somebody did, the result is -EBADMSG or a wrong picture, never an overrun.
 * Returns 0 and the size, or -ENOSPC, -EBADMSG. */
int mjpeg_rewrite(const struct mjpeg *m, const uint8_t *data, uint8_t *out, size_t out_size,
	size_t *ret_size);

#endif
