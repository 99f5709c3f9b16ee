#include "encode.h"
#include "plaintext.h"

#include <errno.h>
#include <stdlib.h>
#include <turbojpeg.h>

enum {
	ENCODE_QUALITY = 80,
	/* Pixels taken apart at once: a constant count is what lets the compiler use vectors. */
	BLOCK = 32,
};

struct encoder {
	tjhandle turbo;
	uint16_t width, height;
	struct plaintext jpeg;
	struct plaintext planes;
};

struct encoder *encode_create(uint16_t width, uint16_t height)
{
	struct encoder *e = calloc(1, sizeof(*e));
	size_t luma = (size_t)width * height;
	size_t chroma = (((size_t)width + 1) / 2) * (((size_t)height + 1) / 2);
	unsigned long jpeg = tjBufSize(width, height, TJSAMP_420);

	if (!e) {
		return NULL;
	}
	e->width = width;
	e->height = height;
	e->turbo = tjInitCompress();
	if (!e->turbo || jpeg == (unsigned long)-1) {
		goto fail;
	}
	if (plaintext_init(&e->planes, luma + 2 * chroma) < 0 ||
		plaintext_init(&e->jpeg, jpeg) < 0) {
		goto fail;
	}
	return e;
fail:
	encode_destroy(e);
	return NULL;
}

void encode_destroy(struct encoder *e)
{
	if (!e) {
		return;
	}
	if (e->turbo) {
		tjDestroy(e->turbo);
	}
	plaintext_finish(&e->jpeg);
	plaintext_finish(&e->planes);
	free(e);
}

void encode_wipe(struct encoder *e)
{
	plaintext_wipe(&e->jpeg);
	plaintext_wipe(&e->planes);
}

bool encode_swappable(const struct encoder *e)
{
	return !e->jpeg.locked || !e->planes.locked;
}

/* ---- taking apart ---- */

/* Every second byte, from first. */
static void row_pick(const uint8_t *restrict from, uint8_t *restrict to, size_t count)
{
	size_t i = 0;

	for (; i + BLOCK <= count; i += BLOCK) {
		for (size_t k = 0; k < BLOCK; k++) {
			to[i + k] = from[2 * (i + k)];
		}
	}
	for (; i < count; i++) {
		to[i] = from[2 * i];
	}
}

/* Two chroma rows of an interleaved 4:2:2 format to one row each of 4:2:0. */
static void row_average(const uint8_t *restrict above, const uint8_t *restrict below,
	uint8_t *restrict first, uint8_t *restrict second, size_t count)
{
	size_t i = 0;

	for (; i + BLOCK <= count; i += BLOCK) {
		for (size_t k = 0; k < BLOCK; k++) {
			size_t at = 4 * (i + k);

			first[i + k] = (uint8_t)((above[at] + below[at] + 1) >> 1);
			second[i + k] = (uint8_t)((above[at + 2] + below[at + 2] + 1) >> 1);
		}
	}
	for (; i < count; i++) {
		first[i] = (uint8_t)((above[4 * i] + below[4 * i] + 1) >> 1);
		second[i] = (uint8_t)((above[4 * i + 2] + below[4 * i + 2] + 1) >> 1);
	}
}

/* The planes to encode, in the order Y, Cb, Cr. */
struct planes {
	const unsigned char *data[3];
	int strides[3];
};

/* Lays three tight planes into the encoder's memory. */
static void planes_own(
	struct encoder *e, const struct raw_picture *p, uint8_t *ret_data[3], struct planes *ret)
{
	size_t chroma_width = ((size_t)p->width + 1) / 2;
	size_t chroma = chroma_width * (((size_t)p->height + 1) / 2);

	ret_data[0] = e->planes.data;
	ret_data[1] = ret_data[0] + (size_t)p->width * p->height;
	ret_data[2] = ret_data[1] + chroma;
	for (int i = 0; i < 3; i++) {
		ret->data[i] = ret_data[i];
		ret->strides[i] = (int)(i == 0 ? p->width : chroma_width);
	}
	e->planes.used = (size_t)p->width * p->height + 2 * chroma;
}

/* 4:2:2 interleaved: luma at byte luma of each pair, Cb and Cr at cb and cr of each four. */
static void planes_from_pairs(struct encoder *e, const struct raw_picture *p, size_t luma,
	bool cr_first, struct planes *ret)
{
	size_t chroma_width = ((size_t)p->width + 1) / 2;
	uint8_t *own[3];

	planes_own(e, p, own, ret);
	for (size_t y = 0; y < p->height; y += 2) {
		const uint8_t *above = p->planes[0] + y * p->strides[0];
		const uint8_t *below = y + 1 < p->height ? above + p->strides[0] : above;
		uint8_t *first = own[cr_first ? 2 : 1] + y / 2 * chroma_width;
		uint8_t *second = own[cr_first ? 1 : 2] + y / 2 * chroma_width;

		row_pick(above + luma, own[0] + y * p->width, p->width);
		if (y + 1 < p->height) {
			row_pick(below + luma, own[0] + (y + 1) * p->width, p->width);
		}
		row_average(above + 1 - luma, below + 1 - luma, first, second, chroma_width);
	}
}

/* Luma as it is, chroma taken apart. */
static void planes_from_nv(
	struct encoder *e, const struct raw_picture *p, bool cr_first, struct planes *ret)
{
	size_t chroma_width = ((size_t)p->width + 1) / 2;
	size_t chroma_height = ((size_t)p->height + 1) / 2;
	uint8_t *own[3];

	planes_own(e, p, own, ret);
	ret->data[0] = p->planes[0];
	ret->strides[0] = (int)p->strides[0];
	for (size_t y = 0; y < chroma_height; y++) {
		const uint8_t *row = p->planes[1] + y * p->strides[1];

		row_pick(row, own[cr_first ? 2 : 1] + y * chroma_width, chroma_width);
		row_pick(row + 1, own[cr_first ? 1 : 2] + y * chroma_width, chroma_width);
	}
}

static void planes_as_they_are(const struct raw_picture *p, bool cr_first, struct planes *ret)
{
	static const int order[2][3] = {{0, 1, 2}, {0, 2, 1}};

	for (int i = 0; i < 3; i++) {
		ret->data[i] = p->planes[order[cr_first][i]];
		ret->strides[i] = (int)p->strides[order[cr_first][i]];
	}
}

static void planes_of(struct encoder *e, const struct raw_picture *p, struct planes *ret)
{
	switch (p->packing) {
	case PACKING_YUYV:
	case PACKING_YVYU:
		planes_from_pairs(e, p, 0, p->packing == PACKING_YVYU, ret);
		return;
	case PACKING_UYVY:
	case PACKING_VYUY:
		planes_from_pairs(e, p, 1, p->packing == PACKING_VYUY, ret);
		return;
	case PACKING_NV12:
	case PACKING_NV21:
		planes_from_nv(e, p, p->packing == PACKING_NV21, ret);
		return;
	default: /* grey has one plane, and the encoder looks at no other */
		planes_as_they_are(p, p->packing == PACKING_YV12, ret);
		return;
	}
}

int encode_picture(
	struct encoder *e, const struct raw_picture *p, const uint8_t **ret_jpeg, size_t *ret_size)
{
	struct planes planes = {0};
	unsigned char *jpeg = e->jpeg.data;
	unsigned long size = e->jpeg.size;
	int sampling = p->packing == PACKING_GREY ? TJSAMP_GRAY : TJSAMP_420;
	int r;

	if (p->width > e->width || p->height > e->height || p->packing == PACKING_NONE) {
		return -EINVAL;
	}
	plaintext_wipe(&e->jpeg);
	planes_of(e, p, &planes);
	r = tjCompressFromYUVPlanes(e->turbo, planes.data, p->width, planes.strides, p->height,
		sampling, &jpeg, &size, ENCODE_QUALITY, TJFLAG_NOREALLOC);
	if (r < 0) {
		/* It stopped somewhere: there is no telling how much was written. */
		e->jpeg.used = e->jpeg.size;
		plaintext_wipe(&e->jpeg);
		return -EIO;
	}
	e->jpeg.used = size;
	*ret_jpeg = e->jpeg.data;
	*ret_size = size;
	return 0;
}
