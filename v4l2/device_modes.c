/* device.h's second half: listing and setting modes. */
#include "device.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Drivers with a range of sizes or intervals are asked for these. */
static const struct {
	uint16_t width, height;
} usual_sizes[] = {
	{1920, 1080}, {1600, 1200}, {1280, 720}, {1024, 768}, {800, 600}, {640, 480}, {320, 240}};

enum {
	FPS_WANTED = 30,
	INTERVAL_30_FPS_US = 33333,
	LIST_LIMIT = 256, /* no driver has more; a broken one may never end */
};

static uint32_t interval_of(const struct v4l2_fract *f)
{
	uint64_t us;

	if (f->denominator == 0 || f->numerator == 0) {
		return 0;
	}
	us = (uint64_t)f->numerator * 1000000 / f->denominator;
	return us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
}

static void list_add(struct mode_list *list, uint32_t fourcc, uint32_t width, uint32_t height,
	uint32_t interval_us)
{
	if (list->count >= FORMAT_MODES_MAX || width == 0 || height == 0 || width > UINT16_MAX ||
		height > UINT16_MAX) {
		return;
	}
	list->items[list->count++] = (struct mode){.fourcc = fourcc,
		.width = (uint16_t)width,
		.height = (uint16_t)height,
		.interval_us = interval_us};
}

static void list_intervals(const struct device *d, struct mode_list *list, uint32_t fourcc,
	uint32_t width, uint32_t height)
{
	for (uint32_t i = 0; i < LIST_LIMIT; i++) {
		struct v4l2_frmivalenum e = {
			.index = i, .pixel_format = fourcc, .width = width, .height = height};
		uint32_t us;

		if (device_ioctl(d, VIDIOC_ENUM_FRAMEINTERVALS, &e) < 0) {
			if (i == 0) {
				/* It does not say: taken at its word that it is a camera. */
				list_add(list, fourcc, width, height, INTERVAL_30_FPS_US);
			}
			return;
		}
		if (e.type != V4L2_FRMIVAL_TYPE_DISCRETE) {
			us = interval_of(&e.stepwise.min);
			list_add(list, fourcc, width, height,
				us > INTERVAL_30_FPS_US ? us : INTERVAL_30_FPS_US);
			return;
		}
		list_add(list, fourcc, width, height, interval_of(&e.discrete));
	}
}

/* The nearest size on the grid that is not larger, or 0. */
static uint32_t on_grid(uint32_t wanted, uint32_t min, uint32_t max, uint32_t step)
{
	if (wanted < min) {
		return 0;
	}
	if (wanted > max) {
		wanted = max;
	}
	return step > 1 ? min + (wanted - min) / step * step : wanted;
}

static void list_range(
	const struct device *d, struct mode_list *list, const struct v4l2_frmsizeenum *e)
{
	const struct v4l2_frmsize_stepwise *s = &e->stepwise;
	size_t before = list->count;

	for (size_t i = 0; i < sizeof(usual_sizes) / sizeof(usual_sizes[0]); i++) {
		uint32_t width =
			on_grid(usual_sizes[i].width, s->min_width, s->max_width, s->step_width);
		uint32_t height = on_grid(
			usual_sizes[i].height, s->min_height, s->max_height, s->step_height);

		if (width > 0 && height > 0) {
			list_intervals(d, list, e->pixel_format, width, height);
		}
	}
	if (list->count == before) {
		list_intervals(d, list, e->pixel_format, s->min_width, s->min_height);
	}
}

/* Drivers that list no sizes have one: what they are set to. */
static void list_current(const struct device *d, struct mode_list *list, uint32_t fourcc)
{
	struct v4l2_format f = {.type = d->type};

	if (device_ioctl(d, VIDIOC_G_FMT, &f) < 0) {
		return;
	}
	if (device_multiplanar(d)) {
		list_intervals(d, list, fourcc, f.fmt.pix_mp.width, f.fmt.pix_mp.height);
	} else {
		list_intervals(d, list, fourcc, f.fmt.pix.width, f.fmt.pix.height);
	}
}

static void list_sizes(const struct device *d, struct mode_list *list, uint32_t fourcc)
{
	for (uint32_t i = 0; i < LIST_LIMIT; i++) {
		struct v4l2_frmsizeenum e = {.index = i, .pixel_format = fourcc};

		if (device_ioctl(d, VIDIOC_ENUM_FRAMESIZES, &e) < 0) {
			if (i == 0) {
				list_current(d, list, fourcc);
			}
			return;
		}
		if (e.type != V4L2_FRMSIZE_TYPE_DISCRETE) {
			list_range(d, list, &e);
			return;
		}
		list_intervals(d, list, fourcc, e.discrete.width, e.discrete.height);
	}
}

int device_list_modes(
	const struct device *d, struct mode_list *ret, char problem[static DEVICE_PROBLEM_BYTES])
{
	char offered[96] = "";

	ret->count = 0;
	for (uint32_t i = 0; i < LIST_LIMIT; i++) {
		struct v4l2_fmtdesc f = {.index = i, .type = d->type};
		char name[FORMAT_NAME_BYTES];
		size_t used = strlen(offered);

		if (device_ioctl(d, VIDIOC_ENUM_FMT, &f) < 0) {
			break;
		}
		format_name(f.pixelformat, name);
		if (used + FORMAT_NAME_BYTES + 1 < sizeof(offered)) {
			snprintf(offered + used, sizeof(offered) - used, "%s%s", used ? " " : "",
				name);
		}
		if (format_find(f.pixelformat, device_multiplanar(d)) &&
			!(f.flags & V4L2_FMT_FLAG_EMULATED)) {
			list_sizes(d, ret, f.pixelformat);
		}
	}
	if (ret->count > 0) {
		return 0;
	}
	snprintf(problem, DEVICE_PROBLEM_BYTES,
		"%.60s has no format that camgate can use (it offers: %s); raw sensors need "
		"libcamera",
		d->path, offered[0] ? offered : "none");
	return -ENODEV;
}

/* ---- setting ---- */

static void set_interval(const struct device *d, const struct mode *m, uint32_t *ret_us)
{
	struct v4l2_streamparm p = {.type = d->type};

	*ret_us = m->interval_us;
	if (device_ioctl(d, VIDIOC_G_PARM, &p) < 0) {
		return;
	}
	if (p.parm.capture.capability & V4L2_CAP_TIMEPERFRAME) {
		/* 33333 us is meant as 1/30: drivers compare fractions, not microseconds. */
		uint32_t fps =
			(1000000 + m->interval_us / 2) / (m->interval_us ? m->interval_us : 1);

		p.parm.capture.timeperframe = (struct v4l2_fract){m->interval_us, 1000000};
		if (fps > 0 && fps <= 240 && 1000000 / fps == m->interval_us) {
			p.parm.capture.timeperframe = (struct v4l2_fract){1, fps};
		}
		(void)device_ioctl(d, VIDIOC_S_PARM, &p);
	}
	if (interval_of(&p.parm.capture.timeperframe) > 0) {
		*ret_us = interval_of(&p.parm.capture.timeperframe);
	}
}

static void mode_from_single(const struct v4l2_pix_format *f, struct device_mode *m)
{
	m->mode.fourcc = f->pixelformat;
	m->mode.width = (uint16_t)f->width;
	m->mode.height = (uint16_t)f->height;
	m->memory_planes = 1;
	m->strides[0] = f->bytesperline;
	m->sizes[0] = f->sizeimage;
}

static void mode_from_multi(const struct v4l2_pix_format_mplane *f, struct device_mode *m)
{
	m->mode.fourcc = f->pixelformat;
	m->mode.width = (uint16_t)f->width;
	m->mode.height = (uint16_t)f->height;
	m->memory_planes = f->num_planes;
	for (size_t i = 0; i < f->num_planes && i < FORMAT_PLANES_MAX; i++) {
		m->strides[i] = f->plane_fmt[i].bytesperline;
		m->sizes[i] = f->plane_fmt[i].sizeimage;
	}
}

/* A raw picture of exactly sizes bytes must hold all of its planes; drivers that leave bytesperline
 * at zero mean lines without padding. */
static int mode_check(struct device_mode *m)
{
	static const uint8_t anywhere[1];
	const uint8_t *memory[FORMAT_PLANES_MAX] = {anywhere, anywhere, anywhere};
	struct raw_picture p;

	if (m->memory_planes != m->format->memory_planes || m->mode.width == 0 ||
		m->mode.height == 0) {
		return -EPROTO;
	}
	if (m->format->handling != FORMAT_ENCODE) {
		return 0;
	}
	if (m->strides[0] == 0) {
		bool pairs =
			m->format->packing >= PACKING_YUYV && m->format->packing <= PACKING_VYUY;

		m->strides[0] = (size_t)m->mode.width * (pairs ? 2 : 1);
	}
	if (format_picture(m->format, m->mode.width, m->mode.height, memory, m->sizes, m->strides,
		    &p) < 0) {
		return -EPROTO;
	}
	return 0;
}

int device_set_mode(const struct device *d, const struct mode *m, struct device_mode *ret)
{
	struct device_mode set = {.raw = {.type = d->type}};
	int r;

	if (device_multiplanar(d)) {
		set.raw.fmt.pix_mp.width = m->width;
		set.raw.fmt.pix_mp.height = m->height;
		set.raw.fmt.pix_mp.pixelformat = m->fourcc;
		set.raw.fmt.pix_mp.field = V4L2_FIELD_NONE;
	} else {
		set.raw.fmt.pix.width = m->width;
		set.raw.fmt.pix.height = m->height;
		set.raw.fmt.pix.pixelformat = m->fourcc;
		set.raw.fmt.pix.field = V4L2_FIELD_NONE;
	}
	r = device_ioctl(d, VIDIOC_S_FMT, &set.raw);
	if (r < 0) {
		return r;
	}
	if (device_multiplanar(d)) {
		mode_from_multi(&set.raw.fmt.pix_mp, &set);
	} else {
		mode_from_single(&set.raw.fmt.pix, &set);
	}
	if (set.mode.fourcc != m->fourcc) {
		return -EPROTO;
	}
	set.format = format_find(set.mode.fourcc, device_multiplanar(d));
	if (!set.format) {
		return -EPROTO;
	}
	set_interval(d, m, &set.mode.interval_us);
	r = mode_check(&set);
	if (r < 0) {
		return r;
	}
	*ret = set;
	return 0;
}
