#include "format.h"

#include <errno.h>
#include <linux/videodev2.h>

/* Only what we know to be pictures: an unknown format is one that we cannot use. Not in this list
 * on purpose: Bayer (raw sensors want an image pipeline), CPIA1, OV511 and OV518 (libv4lconvert
 * forks a helper program for them), RGB565 (it swaps red and blue), depth and stereo formats. */
static const struct format formats[] = {
	{V4L2_PIX_FMT_MJPEG, FORMAT_PASS, PACKING_NONE, 1, false},
	{V4L2_PIX_FMT_JPEG, FORMAT_PASS, PACKING_NONE, 1, false},

	/* By what they cost the encoder: planes as they are, half interleaved, interleaved. */
	{V4L2_PIX_FMT_YUV420, FORMAT_ENCODE, PACKING_YU12, 1, false},
	{V4L2_PIX_FMT_YVU420, FORMAT_ENCODE, PACKING_YV12, 1, false},
	{V4L2_PIX_FMT_YUV420M, FORMAT_ENCODE, PACKING_YU12, 3, false},
	{V4L2_PIX_FMT_YVU420M, FORMAT_ENCODE, PACKING_YV12, 3, false},
	{V4L2_PIX_FMT_NV12, FORMAT_ENCODE, PACKING_NV12, 1, false},
	{V4L2_PIX_FMT_NV21, FORMAT_ENCODE, PACKING_NV21, 1, false},
	{V4L2_PIX_FMT_NV12M, FORMAT_ENCODE, PACKING_NV12, 2, false},
	{V4L2_PIX_FMT_NV21M, FORMAT_ENCODE, PACKING_NV21, 2, false},
	{V4L2_PIX_FMT_YUYV, FORMAT_ENCODE, PACKING_YUYV, 1, false},
	{V4L2_PIX_FMT_UYVY, FORMAT_ENCODE, PACKING_UYVY, 1, false},
	{V4L2_PIX_FMT_YVYU, FORMAT_ENCODE, PACKING_YVYU, 1, false},
	{V4L2_PIX_FMT_VYUY, FORMAT_ENCODE, PACKING_VYUY, 1, false},

	{V4L2_PIX_FMT_RGB24, FORMAT_CONVERT, PACKING_YU12, 1, false},
	{V4L2_PIX_FMT_BGR24, FORMAT_CONVERT, PACKING_YU12, 1, false},
	{V4L2_PIX_FMT_RGB32, FORMAT_CONVERT, PACKING_YU12, 1, false},
	{V4L2_PIX_FMT_BGR32, FORMAT_CONVERT, PACKING_YU12, 1, false},
	{V4L2_PIX_FMT_NV16, FORMAT_CONVERT, PACKING_YU12, 1, false},
	{V4L2_PIX_FMT_NV61, FORMAT_CONVERT, PACKING_YU12, 1, false},
	{V4L2_PIX_FMT_HM12, FORMAT_CONVERT, PACKING_YU12, 1, false},
	{V4L2_PIX_FMT_M420, FORMAT_CONVERT, PACKING_YU12, 1, false},
	{V4L2_PIX_FMT_PJPG, FORMAT_CONVERT, PACKING_YU12, 1, false},
	{V4L2_PIX_FMT_JPGL, FORMAT_CONVERT, PACKING_YU12, 1, false},
	{V4L2_PIX_FMT_SN9C20X_I420, FORMAT_CONVERT, PACKING_YU12, 1, false},
	{V4L2_PIX_FMT_SPCA501, FORMAT_CONVERT, PACKING_YU12, 1, false},
	{V4L2_PIX_FMT_SPCA505, FORMAT_CONVERT, PACKING_YU12, 1, false},
	{V4L2_PIX_FMT_SPCA508, FORMAT_CONVERT, PACKING_YU12, 1, false},
	{V4L2_PIX_FMT_CIT_YYVYUY, FORMAT_CONVERT, PACKING_YU12, 1, false},
	{V4L2_PIX_FMT_KONICA420, FORMAT_CONVERT, PACKING_YU12, 1, false},

	{V4L2_PIX_FMT_GREY, FORMAT_ENCODE, PACKING_GREY, 1, true},
	{V4L2_PIX_FMT_Y16, FORMAT_CONVERT, PACKING_YU12, 1, true},
	{V4L2_PIX_FMT_Y10BPACK, FORMAT_CONVERT, PACKING_YU12, 1, true},
};

const struct format *format_find(uint32_t fourcc, bool multiplanar)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (formats[i].fourcc != fourcc) {
			continue;
		}
		if (multiplanar && formats[i].handling == FORMAT_CONVERT) {
			return NULL;
		}
		if (!multiplanar && formats[i].memory_planes > 1) {
			return NULL;
		}
		return &formats[i];
	}
	return NULL;
}

void format_name(uint32_t fourcc, char out[static FORMAT_NAME_BYTES])
{
	for (unsigned int i = 0; i < 4; i++) {
		char c = (char)((fourcc >> (8 * i)) & 0x7f);
		out[i] = c >= ' ' && c != 0x7f ? c : '?';
	}
	out[4] = 0;
	for (int i = 3; i > 0 && out[i] == ' '; i--) {
		out[i] = 0;
	}
}

/* ---- choosing ---- */

struct limit {
	uint16_t width, height;
	uint32_t interval_us;
};

/* Drivers round: 30 fps is 33333 or 33334 us, and some say 30.01. */
enum { INTERVAL_SLACK_US = 400, INTERVAL_15_FPS_US = 66667, FORMAT_STRIDE_MAX = 1 << 20 };

static const struct limit limits[FORMAT_STEPS] = {
	{1920, 1080, 33333},
	{1280, 720, 33333},
	{640, 480, 33333},
	{640, 480, INTERVAL_15_FPS_US},
};

/* What is compared, from the most important: the first difference decides, more is better. */
enum { SCORE_FITS, SCORE_CLASS, SCORE_FLUENT, SCORE_SIZE, SCORE_SPEED, SCORE_FORMAT, SCORES };

static int64_t class_of(const struct format *f)
{
	if (f->handling == FORMAT_PASS) {
		return 4;
	}
	if (f->grey) {
		return f->handling == FORMAT_ENCODE ? 1 : 0;
	}
	return f->handling == FORMAT_ENCODE ? 3 : 2;
}

static void score_mode(const struct mode *m, const struct format *f, const struct limit *limit,
	int64_t out[SCORES])
{
	bool size_fits = m->width <= limit->width && m->height <= limit->height;
	bool speed_fits = m->interval_us + INTERVAL_SLACK_US >= limit->interval_us;
	bool fluent = m->interval_us <= INTERVAL_15_FPS_US + INTERVAL_SLACK_US;
	int64_t area = (int64_t)m->width * m->height;

	out[SCORE_FITS] = size_fits ? 1 : 0;
	out[SCORE_CLASS] = class_of(f);
	out[SCORE_FLUENT] = fluent ? 1 : 0;
	/* Above the limit, the smallest and the slowest are the nearest. */
	out[SCORE_SIZE] = size_fits ? area : -area;
	out[SCORE_SPEED] = speed_fits ? -(int64_t)m->interval_us
				      : (int64_t)m->interval_us - 2 * (int64_t)UINT32_MAX;
	out[SCORE_FORMAT] = formats - f;
}

static bool score_better(const int64_t a[SCORES], const int64_t b[SCORES])
{
	for (int i = 0; i < SCORES; i++) {
		if (a[i] != b[i]) {
			return a[i] > b[i];
		}
	}
	return false;
}

const struct mode *format_choose(const struct mode_list *list, bool multiplanar, unsigned int step)
{
	const struct limit *limit = &limits[step < FORMAT_STEPS ? step : FORMAT_STEPS - 1];
	const struct mode *best = NULL;
	int64_t best_score[SCORES] = {0};

	for (size_t i = 0; i < list->count && i < FORMAT_MODES_MAX; i++) {
		const struct mode *m = &list->items[i];
		const struct format *f = format_find(m->fourcc, multiplanar);
		int64_t score[SCORES];

		if (!f || m->width == 0 || m->height == 0) {
			continue;
		}
		score_mode(m, f, limit, score);
		if (!best || score_better(score, best_score)) {
			best = m;
			for (int k = 0; k < SCORES; k++) {
				best_score[k] = score[k];
			}
		}
	}
	return best;
}

/* ---- layout ---- */

static size_t plane_count(enum packing packing)
{
	switch (packing) {
	case PACKING_NV12:
	case PACKING_NV21:
		return 2;
	case PACKING_YU12:
	case PACKING_YV12:
		return 3;
	default:
		return 1;
	}
}

/* One plane of a picture: where it begins in its piece of memory, and its lines. */
struct lines {
	size_t offset, stride, row_bytes, rows;
};

static void lines_of(const struct format *f, uint16_t width, uint16_t height,
	const size_t strides[static FORMAT_PLANES_MAX], size_t plane, struct lines *ret)
{
	size_t count = plane_count(f->packing);
	size_t half = ((size_t)width + 1) / 2;
	bool apart = f->memory_planes > 1;

	*ret = (struct lines){.stride = strides[apart ? plane : 0], .rows = height};
	if (count == 1) {
		ret->row_bytes = f->packing == PACKING_GREY ? width : 4 * half;
		return;
	}
	ret->row_bytes = width;
	if (plane == 0) {
		return;
	}
	ret->row_bytes = count == 2 ? 2 * half : half;
	ret->rows = ((size_t)height + 1) / 2;
	if (!apart) {
		ret->offset = ret->stride * height;
		ret->stride = count == 2 ? ret->stride : ret->stride / 2;
		ret->offset += (plane - 1) * ret->stride * ret->rows;
	}
}

size_t format_least_bytes(const struct format *f, uint16_t width, uint16_t height,
	const size_t strides[static FORMAT_PLANES_MAX], size_t plane)
{
	struct lines l;

	/* Planes behind each other: the last one ends last. */
	lines_of(f, width, height, strides,
		f->memory_planes > 1 ? plane : plane_count(f->packing) - 1, &l);
	/* The last line needs no padding behind it. */
	return l.rows == 0 ? l.offset : l.offset + l.stride * (l.rows - 1) + l.row_bytes;
}

int format_picture(const struct format *f, uint16_t width, uint16_t height,
	const uint8_t *const memory[static FORMAT_PLANES_MAX],
	const size_t sizes[static FORMAT_PLANES_MAX],
	const size_t strides[static FORMAT_PLANES_MAX], struct raw_picture *ret)
{
	struct raw_picture p = {.packing = f->packing, .width = width, .height = height};

	for (size_t i = 0; i < plane_count(f->packing); i++) {
		size_t piece = f->memory_planes > 1 ? i : 0;
		struct lines l;

		/* So that nothing below overflows: no driver has lines of 1 MiB. */
		if (strides[piece] > FORMAT_STRIDE_MAX) {
			return -EBADMSG;
		}
		lines_of(f, width, height, strides, i, &l);
		if (l.row_bytes > l.stride || l.rows == 0 ||
			sizes[piece] < l.offset + l.stride * (l.rows - 1) + l.row_bytes) {
			return -EBADMSG;
		}
		p.planes[i] = memory[piece] + l.offset;
		p.strides[i] = l.stride;
	}
	*ret = p;
	return 0;
}
