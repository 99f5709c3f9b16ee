#include "device.h"

#include <errno.h>
#include <string.h>

static uint32_t capabilities(const struct fakecam_config *c)
{
	switch (c->kind) {
	case KIND_MPLANE:
		return V4L2_CAP_VIDEO_CAPTURE_MPLANE | V4L2_CAP_STREAMING;
	case KIND_M2M:
		return V4L2_CAP_VIDEO_M2M_MPLANE | V4L2_CAP_STREAMING;
	case KIND_OUTPUT:
		return V4L2_CAP_VIDEO_OUTPUT | V4L2_CAP_STREAMING;
	case KIND_META:
		return V4L2_CAP_META_CAPTURE | V4L2_CAP_STREAMING;
	case KIND_MC:
		return V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING | V4L2_CAP_IO_MC;
	case KIND_READ:
		return V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_READWRITE;
	default:
		return V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
	}
}

static int query_capabilities(struct device_memory *m, struct v4l2_capability *cap)
{
	memset(cap, 0, sizeof(*cap));
	memcpy(cap->driver, m->config.driver, sizeof(cap->driver));
	memcpy(cap->card, m->config.card, sizeof(cap->card));
	memcpy(cap->bus_info, m->config.bus, sizeof(cap->bus_info));
	cap->version = 0x60100;
	cap->device_caps = capabilities(&m->config) | V4L2_CAP_EXT_PIX_FORMAT;
	cap->capabilities = cap->device_caps | V4L2_CAP_DEVICE_CAPS;
	if (m->config.kind == KIND_META) {
		cap->capabilities |= V4L2_CAP_VIDEO_CAPTURE; /* that of its neighbour */
	}
	return 0;
}

static int enumerate_formats(const struct device_memory *m, struct v4l2_fmtdesc *f)
{
	const struct fakecam_config *c = &m->config;
	uint32_t index = 0;
	if (f->type != stream_buffer_type(m)) {
		return -EINVAL;
	}
	for (uint32_t i = 0; i < c->modes_count; i++) {
		bool seen = false;
		for (uint32_t earlier = 0; earlier < i; earlier++) {
			seen = seen || c->modes[earlier].fourcc == c->modes[i].fourcc;
		}
		if (seen || index++ != f->index) {
			continue;
		}
		f->flags = fakecam_is_jpeg(c->modes[i].fourcc) ? V4L2_FMT_FLAG_COMPRESSED : 0;
		f->pixelformat = c->modes[i].fourcc;
		memset(f->description, 0, sizeof(f->description));
		memcpy(f->description, &c->modes[i].fourcc, 4);
		return 0;
	}
	return -EINVAL;
}

static int enumerate_sizes(const struct device_memory *m, struct v4l2_frmsizeenum *s)
{
	uint32_t index = 0;
	for (uint32_t i = 0; i < m->config.modes_count; i++) {
		const struct fakecam_mode *mode = &m->config.modes[i];
		if (mode->fourcc == s->pixel_format && index++ == s->index) {
			s->type = V4L2_FRMSIZE_TYPE_DISCRETE;
			s->discrete.width = mode->width;
			s->discrete.height = mode->height;
			return 0;
		}
	}
	return -EINVAL;
}

static const struct fakecam_mode *mode_find(
	const struct fakecam_config *c, uint32_t fourcc, uint32_t width, uint32_t height)
{
	for (uint32_t i = 0; i < c->modes_count; i++) {
		const struct fakecam_mode *mode = &c->modes[i];
		if (mode->fourcc == fourcc && mode->width == width && mode->height == height) {
			return mode;
		}
	}
	return NULL;
}

static int enumerate_intervals(const struct device_memory *m, struct v4l2_frmivalenum *v)
{
	const struct fakecam_mode *mode =
		mode_find(&m->config, v->pixel_format, v->width, v->height);
	if (mode == NULL || v->index >= FAKECAM_RATES_MAX || mode->rates[v->index] == 0) {
		return -EINVAL;
	}
	v->type = V4L2_FRMIVAL_TYPE_DISCRETE;
	v->discrete = (struct v4l2_fract){1, mode->rates[v->index]};
	return 0;
}

/* As drivers do: the format if it has it, otherwise its first; of that the nearest size. */
static const struct fakecam_mode *mode_nearest(
	const struct fakecam_config *c, uint32_t fourcc, uint32_t width, uint32_t height)
{
	const struct fakecam_mode *best = NULL;
	uint64_t best_distance = UINT64_MAX;
	bool known = false;
	for (uint32_t i = 0; i < c->modes_count; i++) {
		known = known || c->modes[i].fourcc == fourcc;
	}
	for (uint32_t i = 0; i < c->modes_count; i++) {
		const struct fakecam_mode *mode = &c->modes[i];
		if (mode->fourcc != (known ? fourcc : c->modes[0].fourcc)) {
			continue;
		}
		uint64_t area = (uint64_t)mode->width * mode->height;
		uint64_t wanted = (uint64_t)width * height;
		uint64_t distance = area > wanted ? area - wanted : wanted - area;
		if (distance < best_distance) {
			best_distance = distance;
			best = mode;
		}
	}
	return best;
}

static void format_describe(
	const struct device_memory *m, const struct fakecam_mode *mode, struct v4l2_format *f)
{
	struct fakecam_layout l;
	uint32_t colour =
		fakecam_is_jpeg(mode->fourcc) ? V4L2_COLORSPACE_JPEG : V4L2_COLORSPACE_SRGB;
	fakecam_lay_out(mode->fourcc, mode->width, mode->height, m->config.stride, &l);
	if (m->config.kind == KIND_MPLANE) {
		struct v4l2_pix_format_mplane *p = &f->fmt.pix_mp;
		memset(p, 0, sizeof(*p));
		p->width = mode->width;
		p->height = mode->height;
		p->pixelformat = mode->fourcc;
		p->field = V4L2_FIELD_NONE;
		p->colorspace = colour;
		p->quantization = V4L2_QUANTIZATION_FULL_RANGE;
		p->num_planes = (uint8_t)l.planes;
		for (uint32_t i = 0; i < l.planes; i++) {
			p->plane_fmt[i].bytesperline = l.line_bytes[i];
			p->plane_fmt[i].sizeimage = l.bytes[i];
		}
		return;
	}
	struct v4l2_pix_format *p = &f->fmt.pix;
	memset(p, 0, sizeof(*p));
	p->width = mode->width;
	p->height = mode->height;
	p->pixelformat = mode->fourcc;
	p->field = V4L2_FIELD_NONE;
	p->bytesperline = l.line_bytes[0];
	p->sizeimage = l.bytes[0];
	p->colorspace = colour;
	p->priv = V4L2_PIX_FMT_PRIV_MAGIC;
	p->quantization = V4L2_QUANTIZATION_FULL_RANGE;
}

static int format_get(const struct device_memory *m, struct v4l2_format *f)
{
	if (f->type != stream_buffer_type(m)) {
		return -EINVAL;
	}
	format_describe(m, mode_find(&m->config, m->fourcc, m->width, m->height), f);
	return 0;
}

static const struct fakecam_mode *format_negotiate(
	const struct device_memory *m, struct v4l2_format *f)
{
	bool multi = m->config.kind == KIND_MPLANE;
	const struct fakecam_mode *mode =
		mode_nearest(&m->config, multi ? f->fmt.pix_mp.pixelformat : f->fmt.pix.pixelformat,
			multi ? f->fmt.pix_mp.width : f->fmt.pix.width,
			multi ? f->fmt.pix_mp.height : f->fmt.pix.height);
	format_describe(m, mode, f);
	return mode;
}

static int format_try(const struct device_memory *m, struct v4l2_format *f)
{
	if (f->type != stream_buffer_type(m)) {
		return -EINVAL;
	}
	format_negotiate(m, f);
	return 0;
}

static int format_set(struct device_memory *m, struct v4l2_format *f)
{
	if (f->type != stream_buffer_type(m)) {
		return -EINVAL;
	}
	if (fakecam_has_fault(&m->config, FAULT_BUSY, NULL) || m->buffers_count > 0) {
		return -EBUSY;
	}
	const struct fakecam_mode *mode = format_negotiate(m, f);
	m->fourcc = mode->fourcc;
	m->width = mode->width;
	m->height = mode->height;
	m->rate = mode->rates[0];
	fakecam_lay_out(m->fourcc, m->width, m->height, m->config.stride, &m->layout);
	return 0;
}

static int rate_get(const struct device_memory *m, struct v4l2_streamparm *s)
{
	if (s->type != stream_buffer_type(m)) {
		return -EINVAL;
	}
	memset(&s->parm, 0, sizeof(s->parm));
	s->parm.capture.capability = V4L2_CAP_TIMEPERFRAME;
	s->parm.capture.timeperframe = (struct v4l2_fract){1, m->rate};
	return 0;
}

/* The nearest of the rates that the mode has. */
static int rate_set(struct device_memory *m, struct v4l2_streamparm *s)
{
	const struct v4l2_fract *wanted = &s->parm.capture.timeperframe;
	const struct fakecam_mode *mode = mode_find(&m->config, m->fourcc, m->width, m->height);
	if (s->type != stream_buffer_type(m)) {
		return -EINVAL;
	}
	if (atomic_load(&m->streaming) != 0) {
		return -EBUSY;
	}
	uint32_t rate = wanted->numerator == 0 ? 240 : wanted->denominator / wanted->numerator;
	uint32_t best = mode->rates[0];
	for (int i = 0; i < FAKECAM_RATES_MAX && mode->rates[i] != 0; i++) {
		uint32_t r = mode->rates[i];
		uint32_t distance = r > rate ? r - rate : rate - r;
		if (distance < (best > rate ? best - rate : rate - best)) {
			best = r;
		}
	}
	m->rate = best;
	return rate_get(m, s);
}

static int enumerate_inputs(const struct device_memory *m, struct v4l2_input *i)
{
	if (i->index != 0) {
		return -EINVAL;
	}
	memset(i, 0, sizeof(*i));
	memcpy(i->name, "Input 1", sizeof("Input 1"));
	i->type = m->config.kind == KIND_TUNER ? V4L2_INPUT_TYPE_TUNER : V4L2_INPUT_TYPE_CAMERA;
	return 0;
}

static int stream_ioctl(struct device_memory *m, int fd, uint32_t request, void *argument)
{
	uint32_t type;
	switch (request) {
	case VIDIOC_REQBUFS:
		return stream_request_buffers(m, argument);
	case VIDIOC_QUERYBUF:
		return stream_query(m, argument);
	case VIDIOC_QBUF:
		return stream_queue(m, argument);
	case VIDIOC_DQBUF:
		return stream_dequeue(m, fd, argument);
	}
	memcpy(&type, argument, sizeof(type));
	if (type != stream_buffer_type(m)) {
		return -EINVAL;
	}
	return request == VIDIOC_STREAMON ? stream_start(m) : stream_stop(m, fd);
}

static int capture_ioctl(struct device_memory *m, int fd, uint32_t request, void *argument)
{
	switch (request) {
	case VIDIOC_ENUM_FMT:
		return enumerate_formats(m, argument);
	case VIDIOC_ENUM_FRAMESIZES:
		return enumerate_sizes(m, argument);
	case VIDIOC_ENUM_FRAMEINTERVALS:
		return enumerate_intervals(m, argument);
	case VIDIOC_G_FMT:
		return format_get(m, argument);
	case VIDIOC_TRY_FMT:
		return format_try(m, argument);
	case VIDIOC_S_FMT:
		return format_set(m, argument);
	case VIDIOC_G_PARM:
		return rate_get(m, argument);
	case VIDIOC_S_PARM:
		return rate_set(m, argument);
	case VIDIOC_ENUMINPUT:
		return enumerate_inputs(m, argument);
	case VIDIOC_G_INPUT:
		memset(argument, 0, sizeof(int));
		return 0;
	case VIDIOC_S_INPUT:
		return *(const int *)argument == 0 ? 0 : -EINVAL;
	case VIDIOC_REQBUFS:
	case VIDIOC_QUERYBUF:
	case VIDIOC_QBUF:
	case VIDIOC_DQBUF:
	case VIDIOC_STREAMON:
	case VIDIOC_STREAMOFF:
		return m->config.kind == KIND_READ ? -ENOTTY
						   : stream_ioctl(m, fd, request, argument);
	case VIDIOC_QUERYCTRL:
	case VIDIOC_QUERY_EXT_CTRL:
	case VIDIOC_QUERYMENU:
	case VIDIOC_G_CTRL:
	case VIDIOC_S_CTRL:
		return -EINVAL; /* it has no controls */
	}
	return -ENOTTY;
}

int device_ioctl(struct device *d, int fd, uint32_t request, void *argument)
{
	struct device_memory *m = device_memory(d);
	if (atomic_load(&m->gone) != 0) {
		return -ENODEV;
	}
	if (m->config.kind == KIND_NONE) {
		return -ENOTTY;
	}
	if (argument == NULL) {
		return -EFAULT;
	}
	if (request == VIDIOC_QUERYCAP) {
		return query_capabilities(m, argument);
	}
	switch (m->config.kind) {
	case KIND_M2M:
	case KIND_OUTPUT:
	case KIND_META:
		return -ENOTTY; /* nothing that anyone should want of them */
	}
	return capture_ioctl(m, fd, request, argument);
}
