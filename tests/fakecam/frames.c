#include "frames.h"
#include "jpeg.h"

#include "v4l2/pattern.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <turbojpeg.h>

enum { THUMBNAIL_WIDTH = 160, THUMBNAIL_HEIGHT = 128, FOREIGN_TAG = 0x0badf00d };

struct picture {
	uint8_t *bytes;
	size_t size;
};

struct frames {
	const struct device_memory *m;
	uint32_t width, height; /* even numbers: what is drawn */
	struct pattern *pattern;
	uint8_t *planes; /* y, cb, cr */
	struct jpeg *jpeg;
	size_t jpeg_room;
	struct picture *set; /* encoded before; one, drawn again each time, if the set is empty */
	struct picture *current;
	uint32_t set_count;
	bool set_encoded;
	char comment[80];
};

struct frames *frames_create(const struct device_memory *m)
{
	struct frames *f = calloc(1, sizeof(*f));
	if (f == NULL) {
		return NULL;
	}
	f->m = m;
	f->width = m->width;
	f->height = m->height;
	f->pattern = pattern_create((uint16_t)m->width, (uint16_t)m->height, m->config.tag);
	size_t chroma = (size_t)((m->width + 1) / 2) * ((m->height + 1) / 2);
	f->planes = malloc((size_t)m->width * m->height + 2 * chroma);
	f->set_count = fakecam_is_jpeg(m->fourcc) && m->config.set > 0 ? m->config.set : 1;
	f->set = calloc(f->set_count, sizeof(*f->set));
	f->jpeg_room = m->layout.bytes[0];
	bool whole = f->pattern != NULL && f->planes != NULL && f->set != NULL;
	if (whole && fakecam_is_jpeg(m->fourcc)) {
		f->jpeg = jpeg_create(m->width, m->height, m->config.bytes);
		whole = f->jpeg != NULL;
		for (uint32_t i = 0; i < f->set_count; i++) {
			/* As large as the buffer and what a fault may put in. */
			f->set[i].bytes = malloc(f->jpeg_room + (64 << 10));
			whole = whole && f->set[i].bytes != NULL;
		}
	}
	if (!whole) {
		frames_destroy(f);
		return NULL;
	}
	return f;
}

void frames_destroy(struct frames *f)
{
	if (f == NULL) {
		return;
	}
	for (uint32_t i = 0; f->set != NULL && i < f->set_count; i++) {
		free(f->set[i].bytes);
	}
	free(f->set);
	jpeg_destroy(f->jpeg);
	pattern_destroy(f->pattern);
	free(f->planes);
	free(f);
}

static void draw(struct frames *f, uint32_t number, uint64_t capture_us)
{
	size_t luma = (size_t)f->width * f->height;
	size_t chroma = (size_t)((f->width + 1) / 2) * ((f->height + 1) / 2);
	pattern_draw(f->pattern, number, capture_us, f->planes, f->planes + luma,
		f->planes + luma + chroma);
}

static void encode(struct frames *f, struct picture *p)
{
	p->size = jpeg_encode(f->jpeg, f->planes, f->comment, p->bytes, f->jpeg_room);
}

/* A whole small picture of a camera that nobody was given. */
static void thumbnail_insert(struct picture *p)
{
	static uint8_t planes[THUMBNAIL_WIDTH * THUMBNAIL_HEIGHT * 3 / 2];
	static uint8_t segment[32 << 10] = "Exif";
	size_t luma = (size_t)THUMBNAIL_WIDTH * THUMBNAIL_HEIGHT;
	struct pattern *pattern = pattern_create(THUMBNAIL_WIDTH, THUMBNAIL_HEIGHT, FOREIGN_TAG);
	struct jpeg *jpeg = jpeg_create(THUMBNAIL_WIDTH, THUMBNAIL_HEIGHT, 0);
	if (pattern != NULL && jpeg != NULL) {
		pattern_draw(pattern, 1, 1, planes, planes + luma, planes + luma * 5 / 4);
		size_t size =
			jpeg_encode(jpeg, planes, "thumbnail", segment + 6, sizeof(segment) - 6);
		p->size = jpeg_insert(p->bytes, p->size, 0xe1, segment, 6 + size);
	}
	jpeg_destroy(jpeg);
	pattern_destroy(pattern);
}

/* The picture is encoded again with half the width and height. */
static void other_size(struct frames *f, uint32_t number, uint64_t capture_us, struct picture *p)
{
	uint32_t width = f->width / 2, height = f->height / 2;
	struct pattern *pattern =
		pattern_create((uint16_t)width, (uint16_t)height, f->m->config.tag);
	struct jpeg *jpeg = jpeg_create(width, height, 0);
	if (pattern != NULL && jpeg != NULL) {
		size_t luma = (size_t)width * height;
		size_t chroma = (size_t)((width + 1) / 2) * ((height + 1) / 2);
		pattern_draw(pattern, number, capture_us, f->planes, f->planes + luma,
			f->planes + luma + chroma);
		p->size = jpeg_encode(jpeg, f->planes, f->comment, p->bytes, f->jpeg_room);
	}
	jpeg_destroy(jpeg);
	pattern_destroy(pattern);
}

static void spoil(struct frames *f, uint32_t number, uint64_t capture_us, uint32_t fault)
{
	struct picture *p = f->current;
	switch (fault) {
	case FAULT_TRUNCATED:
		p->size -= 100;
		break;
	case FAULT_TRAILING:
		memset(p->bytes + p->size, 0, 512);
		p->size += 512;
		break;
	case FAULT_NO_TABLES:
		p->size = jpeg_drop_tables(p->bytes, p->size);
		break;
	case FAULT_THUMBNAIL:
		thumbnail_insert(p);
		break;
	case FAULT_OTHER_SIZE:
		other_size(f, number, capture_us, p);
		break;
	}
}

void frames_draw(struct frames *f, uint32_t number, uint64_t capture_us, uint32_t fault)
{
	snprintf(f->comment, sizeof(f->comment), "fakecam tag=%08x number=%010u us=%020llu",
		(unsigned int)f->m->config.tag, (unsigned int)number,
		(unsigned long long)capture_us);
	f->current = &f->set[number % f->set_count];
	if (f->jpeg == NULL) {
		draw(f, number, capture_us);
	} else if (f->m->config.set == 0) {
		draw(f, number, capture_us);
		encode(f, f->current);
		spoil(f, number, capture_us, fault);
	} else {
		for (uint32_t i = 0; !f->set_encoded && i < f->set_count; i++) {
			draw(f, i, capture_us);
			encode(f, &f->set[i]);
		}
		f->set_encoded = true;
		jpeg_comment(f->current->bytes, f->comment);
	}
}

/* ---- raw formats ---- */

static void copy_lines(
	uint8_t *to, uint32_t to_stride, const uint8_t *from, uint32_t width, uint32_t height)
{
	for (uint32_t row = 0; row < height; row++) {
		memcpy(to + (size_t)row * to_stride, from + (size_t)row * width, width);
	}
}

/* YUYV, or UYVY with luma in the odd bytes. */
static void copy_packed(const struct frames *f, uint8_t *to, uint32_t stride, uint32_t luma_at)
{
	uint32_t half = (f->width + 1) / 2;
	const uint8_t *cb = f->planes + (size_t)f->width * f->height;
	const uint8_t *cr = cb + (size_t)half * ((f->height + 1) / 2);
	for (uint32_t row = 0; row < f->height; row++) {
		const uint8_t *luma = f->planes + (size_t)row * f->width;
		uint8_t *line = to + (size_t)row * stride;
		size_t chroma = (size_t)(row / 2) * half;
		for (uint32_t x = 0; x < f->width / 2; x++) {
			line[4 * x + luma_at] = luma[2 * x];
			line[4 * x + luma_at + 2] = luma[2 * x + 1];
			line[4 * x + 1 - luma_at] = cb[chroma + x];
			line[4 * x + 3 - luma_at] = cr[chroma + x];
		}
	}
}

static void copy_interleaved(const struct frames *f, uint8_t *to, uint32_t stride)
{
	uint32_t half = (f->width + 1) / 2;
	uint32_t rows = (f->height + 1) / 2;
	const uint8_t *cb = f->planes + (size_t)f->width * f->height;
	const uint8_t *cr = cb + (size_t)half * rows;
	for (uint32_t row = 0; row < rows; row++) {
		uint8_t *line = to + (size_t)row * stride;
		for (uint32_t x = 0; x < f->width / 2; x++) {
			line[2 * x] = cb[(size_t)row * half + x];
			line[2 * x + 1] = cr[(size_t)row * half + x];
		}
	}
}

static void copy_rgb(const struct frames *f, uint8_t *to, uint32_t stride, int order)
{
	size_t luma = (size_t)f->width * f->height;
	int half = (int)(f->width + 1) / 2;
	const uint8_t *planes[3] = {f->planes, f->planes + luma,
		f->planes + luma + (size_t)half * ((f->height + 1) / 2)};
	int strides[3] = {(int)f->width, half, half};
	tjhandle decoder = tjInitDecompress();
	if (decoder != NULL) {
		tjDecodeYUVPlanes(decoder, planes, strides, TJSAMP_420, to, (int)f->width,
			(int)stride, (int)f->height, order, 0);
		tjDestroy(decoder);
	}
}

static void copy_raw(const struct frames *f, uint8_t *to)
{
	const struct fakecam_layout *l = &f->m->layout;
	uint32_t half = (f->width + 1) / 2, rows = (f->height + 1) / 2;
	const uint8_t *cb = f->planes + (size_t)f->width * f->height;
	const uint8_t *cr = cb + (size_t)half * rows;
	uint8_t *next = to + (size_t)l->line_bytes[0] * f->height; /* what follows luma */

	switch (f->m->fourcc) {
	case V4L2_PIX_FMT_YUYV:
		copy_packed(f, to, l->line_bytes[0], 0);
		return;
	case V4L2_PIX_FMT_UYVY:
		copy_packed(f, to, l->line_bytes[0], 1);
		return;
	case V4L2_PIX_FMT_RGB24:
		copy_rgb(f, to, l->line_bytes[0], TJPF_RGB);
		return;
	case V4L2_PIX_FMT_BGR24:
		copy_rgb(f, to, l->line_bytes[0], TJPF_BGR);
		return;
	}
	copy_lines(to, l->line_bytes[0], f->planes, f->width, f->height);
	switch (f->m->fourcc) {
	case V4L2_PIX_FMT_NV12:
		copy_interleaved(f, next, l->line_bytes[0]);
		break;
	case V4L2_PIX_FMT_NV12M:
		copy_interleaved(f, to + FAKECAM_PLANE_BYTES, l->line_bytes[1]);
		break;
	case V4L2_PIX_FMT_YUV420:
		copy_lines(next, l->line_bytes[0] / 2, cb, half, rows);
		copy_lines(next + (size_t)l->line_bytes[0] / 2 * rows, l->line_bytes[0] / 2, cr,
			half, rows);
		break;
	case V4L2_PIX_FMT_YUV420M:
		copy_lines(to + FAKECAM_PLANE_BYTES, l->line_bytes[1], cb, half, rows);
		copy_lines(to + 2 * (size_t)FAKECAM_PLANE_BYTES, l->line_bytes[2], cr, half, rows);
		break;
	}
}

void frames_copy(
	const struct frames *f, uint8_t *buffer, bool half, uint32_t ret_bytes[FAKECAM_PLANES_MAX])
{
	for (uint32_t i = 0; i < FAKECAM_PLANES_MAX; i++) {
		ret_bytes[i] = f->m->layout.bytes[i];
	}
	if (f->jpeg != NULL) {
		size_t size = f->current->size;
		size = size <= f->m->layout.bytes[0] ? size : f->m->layout.bytes[0];
		memcpy(buffer, f->current->bytes, half ? size / 2 : size);
		ret_bytes[0] = (uint32_t)size;
	} else {
		copy_raw(f, buffer);
	}
}
