#include "opix.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <turbojpeg.h>

enum { TILE = 64, CELL = 8, CODE_BYTES = 16, MARGIN = 2 };

/* Pixel values nearer to the middle between two levels than this are not believed. */
enum { LEVEL_LOWEST = 72, LEVEL_STEP = 40, LEVEL_TOLERANCE = 14 };

struct code {
	uint32_t tag;
	uint32_t number;
	uint64_t capture_ms;
	uint32_t index;
};

/* The mean of the inner 4x4 pixels of a cell as a level 0..3, or -1. */
static int cell_level(const uint8_t *at, int stride)
{
	int sum = 0;
	for (int row = MARGIN; row < CELL - MARGIN; row++) {
		for (int column = MARGIN; column < CELL - MARGIN; column++) {
			sum += at[row * stride + column];
		}
	}
	int mean = sum / ((CELL - 2 * MARGIN) * (CELL - 2 * MARGIN));
	for (int level = 0; level < 4; level++) {
		if (abs(mean - LEVEL_LOWEST - level * LEVEL_STEP) <= LEVEL_TOLERANCE) {
			return level;
		}
	}
	return -1;
}

static uint32_t crc16(const uint8_t *bytes, int length)
{
	uint32_t crc = 0xffff;
	for (int bit = 0; bit < 8 * length; bit++) {
		uint32_t in = bytes[bit / 8] >> (7 - bit % 8) & 1;
		uint32_t out = crc >> 15 & 1;
		crc = (crc << 1 & 0xffff) ^ (in != out ? 0x1021 : 0);
	}
	return crc;
}

static uint64_t integer(const uint8_t *bytes, int length)
{
	uint64_t value = 0;
	for (int i = 0; i < length; i++) {
		value = value << 8 | bytes[i];
	}
	return value;
}

/* Whether the tile at `at` carries a whole code. */
static bool tile_read(const uint8_t *at, int stride, struct code *ret)
{
	uint8_t bytes[CODE_BYTES] = {0};
	for (int cell = 0; cell < 64; cell++) {
		int level = cell_level(at + cell / 8 * CELL * stride + cell % 8 * CELL, stride);
		if (level < 0) {
			return false;
		}
		bytes[cell / 4] = (uint8_t)(bytes[cell / 4] << 2 | level);
	}
	if (crc16(bytes, 14) != integer(bytes + 14, 2)) {
		return false;
	}
	ret->tag = (uint32_t)integer(bytes, 4);
	ret->number = (uint32_t)integer(bytes + 4, 3);
	ret->capture_ms = integer(bytes + 7, 5);
	ret->index = (uint32_t)integer(bytes + 12, 2);
	return true;
}

int opix_decode(const uint8_t *luma, int width, int height, int stride, struct opix *ret)
{
	struct opix o = {.width = width, .height = height};
	int across = width / TILE;
	int down = height / TILE;
	bool first = true;

	for (o.tiles = 0; o.tiles < across * down; o.tiles++) {
		struct code c;
		int top = o.tiles / across * TILE;
		int left = o.tiles % across * TILE;
		if (!tile_read(luma + (ptrdiff_t)top * stride + left, stride, &c)) {
			o.bad_tiles++;
			continue;
		}
		if (first) {
			o.tag = c.tag;
			o.number = c.number;
			o.capture_ms = c.capture_ms;
			first = false;
		}
		if (c.tag != o.tag) {
			o.foreign_tiles++;
		} else if (c.number != o.number || c.capture_ms != o.capture_ms ||
			   c.index != (uint32_t)o.tiles) {
			o.mixed_tiles++;
		}
	}
	*ret = o;
	if (first || o.bad_tiles > 0 || o.foreign_tiles > 0 || o.mixed_tiles > 0) {
		return -EBADMSG;
	}
	return 0;
}

int opix_decode_jpeg(const uint8_t *jpeg, size_t size, struct opix *ret)
{
	int width = 0, height = 0, subsampling = 0, colours = 0;
	int error = -EBADMSG;
	uint8_t *luma = NULL;

	memset(ret, 0, sizeof(*ret));
	tjhandle decoder = tjInitDecompress();
	if (decoder == NULL) {
		return -ENOMEM;
	}
	if (tjDecompressHeader3(decoder, jpeg, size, &width, &height, &subsampling, &colours) !=
		0) {
		goto out;
	}
	luma = malloc((size_t)width * (size_t)height);
	if (luma == NULL) {
		error = -ENOMEM;
		goto out;
	}
	/* As grey, libjpeg hands out the stored luma as it is. */
	if (tjDecompress2(decoder, jpeg, size, luma, width, 0, height, TJPF_GRAY, 0) != 0) {
		goto out;
	}
	error = opix_decode(luma, width, height, width, ret);
out:
	free(luma);
	tjDestroy(decoder);
	return error;
}

const char *opix_describe(const struct opix *o)
{
	static char line[160];
	snprintf(line, sizeof(line),
		"%dx%d tag %08x number %u captured at %llu ms: %d tiles, %d bad, %d foreign, %d "
		"mixed",
		o->width, o->height, (unsigned int)o->tag, (unsigned int)o->number,
		(unsigned long long)o->capture_ms, o->tiles, o->bad_tiles, o->foreign_tiles,
		o->mixed_tiles);
	return line;
}
