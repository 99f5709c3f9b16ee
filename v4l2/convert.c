#include "convert.h"
#include "plaintext.h"

#include <errno.h>
#include <limits.h>
#include <libv4lconvert.h>
#include <stdlib.h>

struct converter {
	struct v4lconvert_data *library;
	struct plaintext planes;
};

static size_t planar_bytes(uint32_t width, uint32_t height)
{
	size_t chroma = (((size_t)width + 1) / 2) * (((size_t)height + 1) / 2);

	return (size_t)width * height + 2 * chroma;
}

/* The dry run: what the library allocates lazily it allocates now. The result does not matter,
 * zeroes are no picture in some formats. */
static int convert_try(struct converter *c, const struct v4l2_format *source)
{
	size_t size = source->fmt.pix.sizeimage;
	struct raw_picture p;
	uint8_t *zeroes = calloc(1, size > 0 ? size : 1);

	if (!zeroes) {
		return -ENOMEM;
	}
	(void)convert_picture(c, source, zeroes, size, &p);
	convert_wipe(c);
	free(zeroes);
	return 0;
}

struct converter *convert_create(int fd, const struct v4l2_format *source)
{
	struct converter *c = calloc(1, sizeof(*c));

	if (!c) {
		return NULL;
	}
	/* The library lays chroma out by halves, rounded down: even sizes only. */
	if (source->fmt.pix.width % 2 || source->fmt.pix.height % 2) {
		goto fail;
	}
	c->library = v4lconvert_create(fd);
	if (!c->library) {
		goto fail;
	}
	if (plaintext_init(
		    &c->planes, planar_bytes(source->fmt.pix.width, source->fmt.pix.height)) < 0) {
		goto fail;
	}
	if (convert_try(c, source) < 0) {
		goto fail;
	}
	return c;
fail:
	convert_destroy(c);
	return NULL;
}

void convert_destroy(struct converter *c)
{
	if (!c) {
		return;
	}
	if (c->library) {
		v4lconvert_destroy(c->library);
	}
	plaintext_finish(&c->planes);
	free(c);
}

void convert_wipe(struct converter *c)
{
	plaintext_wipe(&c->planes);
}

bool convert_swappable(const struct converter *c)
{
	return !c->planes.locked;
}

int convert_picture(struct converter *c, const struct v4l2_format *source, const uint8_t *data,
	size_t size, struct raw_picture *ret)
{
	static const struct format planar = {
		V4L2_PIX_FMT_YUV420, FORMAT_ENCODE, PACKING_YU12, 1, false};
	uint32_t width = source->fmt.pix.width;
	uint32_t height = source->fmt.pix.height;
	size_t need = planar_bytes(width, height);
	struct v4l2_format target = {.type = V4L2_BUF_TYPE_VIDEO_CAPTURE};
	const uint8_t *memory[FORMAT_PLANES_MAX] = {c->planes.data};
	const size_t sizes[FORMAT_PLANES_MAX] = {need};
	const size_t strides[FORMAT_PLANES_MAX] = {width};
	int written;

	if (need > c->planes.size || size > INT_MAX || width % 2 || height % 2 ||
		width > UINT16_MAX || height > UINT16_MAX) {
		return -EINVAL;
	}
	target.fmt.pix.width = width;
	target.fmt.pix.height = height;
	target.fmt.pix.pixelformat = V4L2_PIX_FMT_YUV420;
	target.fmt.pix.field = V4L2_FIELD_NONE;
	target.fmt.pix.bytesperline = width;
	target.fmt.pix.sizeimage = (uint32_t)need;
	plaintext_wipe(&c->planes);
	c->planes.used = need;
	/* The library reads only; its prototype does not say so. */
	written = v4lconvert_convert(c->library, source, &target, (unsigned char *)(uintptr_t)data,
		(int)size, c->planes.data, (int)need);
	if (written < 0 || (size_t)written < need) {
		plaintext_wipe(&c->planes);
		return -EBADMSG;
	}
	return format_picture(
		&planar, (uint16_t)width, (uint16_t)height, memory, sizes, strides, ret);
}
