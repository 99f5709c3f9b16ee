/* The MJPEG pictures of a fake camera. */
#ifndef CAMGATE_FAKECAM_JPEG_H
#define CAMGATE_FAKECAM_JPEG_H

#include <stddef.h>
#include <stdint.h>

struct jpeg;

/* Encodes width x height 4:2:0; pictures have at least so many bytes (as far as noise gets them).
 */
struct jpeg *jpeg_create(uint32_t width, uint32_t height, uint32_t bytes);
void jpeg_destroy(struct jpeg *j);
/* Encodes tightly packed planes (y, cb, cr one after the other; y gets noise) with a comment after
 * SOI into `to`. Returns the bytes, 0 if they do not fit. */
size_t jpeg_encode(struct jpeg *j, uint8_t *planes, const char *comment, uint8_t *to, size_t size);
/* Writes another comment of the same length. */
void jpeg_comment(uint8_t *picture, const char *comment);
/* Removes the Huffman tables; returns the new size. */
size_t jpeg_drop_tables(uint8_t *picture, size_t size);
/* Inserts a segment after SOI; returns the new size. The picture's place must have room for it. */
size_t jpeg_insert(
	uint8_t *picture, size_t size, uint8_t marker, const uint8_t *data, size_t length);

#endif
