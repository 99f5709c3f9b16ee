#include "jpeg.h"

#include <stdlib.h>
#include <string.h>

#include <turbojpeg.h>

enum { NOISE = 10, NOISE_BYTES = 1 << 20 };

struct jpeg {
	tjhandle encoder;
	uint32_t width, height;
	uint32_t bytes;
	int quality;
	uint8_t *noise; /* 0..2 * NOISE; the code in luma is read as a mean over 16 pixels */
	uint8_t *output;
	unsigned long output_bytes;
};

struct jpeg *jpeg_create(uint32_t width, uint32_t height, uint32_t bytes)
{
	struct jpeg *j = calloc(1, sizeof(*j));
	if (j == NULL) {
		return NULL;
	}
	j->width = width;
	j->height = height;
	j->bytes = bytes;
	j->quality = bytes == 0 ? 85 : 30;
	j->encoder = tjInitCompress();
	j->output_bytes = tjBufSize((int)width, (int)height, TJSAMP_420);
	j->output = tjAlloc((int)j->output_bytes);
	j->noise = malloc(NOISE_BYTES);
	if (j->encoder == NULL || j->output == NULL || j->noise == NULL) {
		jpeg_destroy(j);
		return NULL;
	}
	uint32_t random = 12345;
	for (size_t i = 0; i < NOISE_BYTES; i++) {
		random = random * 1664525 + 1013904223;
		j->noise[i] = (uint8_t)((random >> 16) % (2 * NOISE + 1));
	}
	return j;
}

void jpeg_destroy(struct jpeg *j)
{
	if (j == NULL) {
		return;
	}
	if (j->encoder != NULL) {
		tjDestroy(j->encoder);
	}
	tjFree(j->output);
	free(j->noise);
	free(j);
}

static size_t encode(struct jpeg *j, const uint8_t *planes, int quality)
{
	size_t luma = (size_t)j->width * j->height;
	size_t half = (j->width + 1) / 2;
	const uint8_t *starts[3] = {
		planes, planes + luma, planes + luma + half * ((j->height + 1) / 2)};
	int strides[3] = {(int)j->width, (int)half, (int)half};
	unsigned long size = j->output_bytes;
	if (tjCompressFromYUVPlanes(j->encoder, starts, (int)j->width, strides, (int)j->height,
		    TJSAMP_420, &j->output, &size, quality, TJFLAG_NOREALLOC) != 0) {
		return 0;
	}
	return size;
}

static void noise_add(const struct jpeg *j, uint8_t *luma)
{
	size_t size = (size_t)j->width * j->height;
	size_t from = (size_t)random() % NOISE_BYTES;
	for (size_t at = 0; at < size;) {
		size_t run = size - at < NOISE_BYTES - from ? size - at : NOISE_BYTES - from;
		for (size_t i = 0; i < run; i++) {
			luma[at + i] = (uint8_t)(luma[at + i] + j->noise[from + i] - NOISE);
		}
		at += run;
		from = 0;
	}
}

size_t jpeg_insert(
	uint8_t *picture, size_t size, uint8_t marker, const uint8_t *data, size_t length)
{
	memmove(picture + 2 + 4 + length, picture + 2, size - 2);
	picture[2] = 0xff;
	picture[3] = marker;
	picture[4] = (uint8_t)((length + 2) >> 8);
	picture[5] = (uint8_t)(length + 2);
	memcpy(picture + 6, data, length);
	return size + 4 + length;
}

size_t jpeg_encode(struct jpeg *j, uint8_t *planes, const char *comment, uint8_t *to, size_t size)
{
	if (j->bytes > 0) {
		noise_add(j, planes);
	}
	/* The lowest quality that gives the size wanted is looked for from the last one on. */
	size_t bytes = encode(j, planes, j->quality);
	while (bytes < j->bytes && j->quality < 98) {
		j->quality += 2;
		bytes = encode(j, planes, j->quality);
	}
	size_t length = strlen(comment);
	if (bytes == 0 || bytes + length + 4 > size) {
		return 0;
	}
	memcpy(to, j->output, bytes);
	return jpeg_insert(to, bytes, 0xfe, (const uint8_t *)comment, length);
}

void jpeg_comment(uint8_t *picture, const char *comment)
{
	memcpy(picture + 6, comment, strlen(comment));
}

size_t jpeg_drop_tables(uint8_t *picture, size_t size)
{
	size_t at = 2;
	while (at + 4 < size && picture[at] == 0xff && picture[at + 1] != 0xda) {
		size_t length = 2 + ((size_t)picture[at + 2] << 8 | picture[at + 3]);
		if (picture[at + 1] == 0xc4 && at + length < size) {
			memmove(picture + at, picture + at + length, size - at - length);
			size -= length;
		} else {
			at += length;
		}
	}
	return size;
}
