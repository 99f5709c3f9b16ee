/*
 * Pixel formats and modes: which we can use, how their memory is laid out, and which mode to take.
 *
 * Pure functions over lists that device.c enumerated; no device is touched here. A mode is a pixel
 * format, a size in pixels and a frame interval in microseconds.
 */
#ifndef CAMGATE_FORMAT_H
#define CAMGATE_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	FORMAT_MODES_MAX = 1024,
	FORMAT_PLANES_MAX = 3,
	FORMAT_STEPS = 4, /* how often a mode can be stepped down, and the first */
	FORMAT_NAME_BYTES = 5,
};

enum format_handling {
	FORMAT_PASS = 1, /* JPEG already: checked and passed through */
	FORMAT_ENCODE, /* raw, read by the JPEG encoder from the mapped buffer */
	FORMAT_CONVERT, /* raw, turned into planar 4:2:0 by libv4lconvert first */
};

/* How the samples of a picture lie in memory. */
enum packing {
	PACKING_NONE,
	PACKING_YUYV,
	PACKING_YVYU,
	PACKING_UYVY,
	PACKING_VYUY,
	PACKING_NV12, /* luma, then Cb and Cr by turns, 4:2:0 */
	PACKING_NV21, /* luma, then Cr and Cb by turns, 4:2:0 */
	PACKING_YU12, /* luma, Cb, Cr, 4:2:0 */
	PACKING_YV12, /* luma, Cr, Cb, 4:2:0 */
	PACKING_GREY,
};

struct format {
	uint32_t fourcc;
	enum format_handling handling;
	enum packing packing;
	uint8_t memory_planes; /* separately mapped pieces of memory: 1 but for the ...M formats */
	bool grey;
};

struct mode {
	uint32_t fourcc;
	uint16_t width, height;
	uint32_t interval_us;
};

struct mode_list {
	struct mode items[FORMAT_MODES_MAX];
	size_t count;
};

/* A raw picture whose planes were found and whose memory is long enough. Borrows. */
struct raw_picture {
	enum packing packing;
	uint16_t width, height;
	const uint8_t *planes[FORMAT_PLANES_MAX];
	size_t strides[FORMAT_PLANES_MAX];
};

/* The format, or NULL when we cannot use it: Bayer, depth, video codecs, and those for which
 * libv4lconvert would fork a helper program. Conversions work with single-planar devices only. */
const struct format *format_find(uint32_t fourcc, bool multiplanar);
/* The four characters, those that cannot be printed as '?'. */
void format_name(uint32_t fourcc, char out[static FORMAT_NAME_BYTES]);

/*
 * Chooses from the list. step 0: up to 1920x1080 at up to 30 fps; each further step asks less of
 * the bus (720 lines, 480 lines, 480 lines at 15 fps). JPEG comes before raw; a mode that reaches
 * 15 fps before one that does not; then the larger; then the faster. Where no mode is that small
 * the nearest one above the limit is taken. NULL: the list holds nothing we can use.
 */
const struct mode *format_choose(const struct mode_list *list, bool multiplanar, unsigned int step);

/* The least bytes that piece of memory `plane` of a raw picture must have. */
size_t format_least_bytes(const struct format *f, uint16_t width, uint16_t height,
	const size_t strides[static FORMAT_PLANES_MAX], size_t plane);
/* Finds the planes of a raw picture in memory[] of sizes[] bytes. strides[] are the driver's bytes
 * per line of each piece of memory. 0, or -EBADMSG when the memory is too short for the picture or
 * a line is too short for its width. */
int format_picture(const struct format *f, uint16_t width, uint16_t height,
	const uint8_t *const memory[static FORMAT_PLANES_MAX],
	const size_t sizes[static FORMAT_PLANES_MAX],
	const size_t strides[static FORMAT_PLANES_MAX], struct raw_picture *ret);

#endif
