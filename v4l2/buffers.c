#include "buffers.h"
#include "fault.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

/* A v4l2_buffer with its planes, for both APIs. */
struct request {
	struct v4l2_buffer buffer;
	struct v4l2_plane planes[VIDEO_MAX_PLANES];
};

static void request_init(struct request *r, const struct device *d, uint32_t index)
{
	*r = (struct request){0};
	r->buffer.type = d->type;
	r->buffer.memory = V4L2_MEMORY_MMAP;
	r->buffer.index = index;
	if (device_multiplanar(d)) {
		r->buffer.m.planes = r->planes;
		r->buffer.length = VIDEO_MAX_PLANES;
	}
}

/* ---- start and stop ---- */

static int map_one(struct buffers *b, uint32_t index)
{
	bool multiplanar = device_multiplanar(b->device);
	struct request q;
	int r;

	request_init(&q, b->device, index);
	r = device_ioctl(b->device, VIDIOC_QUERYBUF, &q.buffer);
	if (r < 0) {
		return r;
	}
	if (multiplanar && q.buffer.length != b->memory_planes) {
		return -EPROTO;
	}
	for (size_t i = 0; i < b->memory_planes; i++) {
		size_t size = multiplanar ? q.planes[i].length : q.buffer.length;
		off_t offset = multiplanar ? q.planes[i].m.mem_offset : q.buffer.m.offset;
		void *memory =
			mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, b->device->fd, offset);

		if (memory == MAP_FAILED) {
			return -errno;
		}
		b->items[index].memory[i] = memory;
		b->items[index].sizes[i] = size;
		if (size < b->least_bytes[i]) {
			return -EPROTO;
		}
	}
	return 0;
}

static int queue_one(const struct buffers *b, uint32_t index)
{
	struct request q;

	request_init(&q, b->device, index);
	if (device_multiplanar(b->device)) {
		q.buffer.length = b->memory_planes;
	}
	return device_ioctl(b->device, VIDIOC_QBUF, &q.buffer);
}

/* The least that a plane must hold: raw pictures have a known size, compressed ones do not. */
static void least_of(struct buffers *b, const struct device_mode *m)
{
	for (size_t i = 0; i < b->memory_planes; i++) {
		b->least_bytes[i] = 1;
		if (m->format->handling == FORMAT_ENCODE) {
			b->least_bytes[i] = format_least_bytes(
				m->format, m->mode.width, m->mode.height, m->strides, i);
		}
	}
}

int buffers_start(struct buffers *b, const struct device *d, const struct device_mode *m)
{
	struct v4l2_requestbuffers request = {
		.count = BUFFERS_WANTED, .type = d->type, .memory = V4L2_MEMORY_MMAP};
	int type = (int)d->type;
	int r;

	*b = (struct buffers){.device = d, .memory_planes = m->memory_planes};
	least_of(b, m);
	r = device_ioctl(d, VIDIOC_REQBUFS, &request);
	if (r < 0) {
		b->device = NULL;
		return r;
	}
	/* A driver may give more than was asked; those above our table stay unused. */
	b->count = request.count < BUFFERS_MAX ? request.count : BUFFERS_MAX;
	r = b->count < 2 ? -ENOMEM : 0;
	for (uint32_t i = 0; r == 0 && i < b->count; i++) {
		r = map_one(b, i);
		if (r == 0) {
			r = queue_one(b, i);
		}
	}
	if (r == 0) {
		r = device_ioctl(d, VIDIOC_STREAMON, &type);
	}
	if (r < 0) {
		buffers_stop(b);
		return r;
	}
	b->streaming = true;
	return 0;
}

void buffers_stop(struct buffers *b)
{
	struct v4l2_requestbuffers none = {.memory = V4L2_MEMORY_MMAP};
	int type;

	if (!b->device) {
		return;
	}
	type = (int)b->device->type;
	none.type = b->device->type;
	/* Also after a failed start: it takes back what was queued. */
	(void)device_ioctl(b->device, VIDIOC_STREAMOFF, &type);
	for (size_t i = 0; i < b->count; i++) {
		for (size_t k = 0; k < b->memory_planes; k++) {
			if (b->items[i].memory[k]) {
				explicit_bzero(b->items[i].memory[k], b->items[i].sizes[k]);
				munmap(b->items[i].memory[k], b->items[i].sizes[k]);
			}
		}
	}
	(void)device_ioctl(b->device, VIDIOC_REQBUFS, &none);
	*b = (struct buffers){0};
}

/* ---- taking and returning ---- */

/* How much of one plane is filled. What the driver says is checked against what was mapped. */
static void filled_plane(
	struct buffers *b, struct filled *f, size_t plane, size_t used, size_t offset)
{
	const uint8_t *memory = b->items[f->index].memory[plane];
	size_t size = b->items[f->index].sizes[plane];

	if (used > size || offset > used) {
		/* Nonsense: nothing in it is used, all of it is wiped. */
		f->dirty[plane] = size;
		f->sizes[plane] = 0;
		f->memory[plane] = memory;
		return;
	}
	f->memory[plane] = memory + offset;
	f->sizes[plane] = used - offset;
	f->dirty[plane] = used;
}

static int dequeue(struct buffers *b, struct filled *ret)
{
	bool multiplanar = device_multiplanar(b->device);
	struct filled f = {0};
	struct request q;
	int r;

	request_init(&q, b->device, 0);
	r = device_ioctl(b->device, VIDIOC_DQBUF, &q.buffer);
	if (r < 0) {
		return r;
	}
	if (q.buffer.index >= b->count) {
		return -EPROTO;
	}
	f.index = q.buffer.index;
	f.sequence = q.buffer.sequence;
	f.flags = q.buffer.flags;
	if (q.buffer.timestamp.tv_sec >= 0 && q.buffer.timestamp.tv_usec >= 0) {
		f.timestamp_us = (uint64_t)q.buffer.timestamp.tv_sec * 1000000 +
				 (uint64_t)q.buffer.timestamp.tv_usec;
	}
	for (size_t i = 0; i < b->memory_planes; i++) {
		filled_plane(b, &f, i, multiplanar ? q.planes[i].bytesused : q.buffer.bytesused,
			multiplanar ? q.planes[i].data_offset : 0);
	}
	*ret = f;
	return 0;
}

enum drop_reason buffers_judge(const struct buffers *b, const struct filled *f)
{
	if (f->flags & V4L2_BUF_FLAG_ERROR) {
		return DROP_ERROR_FLAG;
	}
	for (size_t i = 0; i < b->memory_planes; i++) {
		if (f->sizes[i] == 0) {
			return DROP_EMPTY;
		}
	}
	for (size_t i = 0; i < b->memory_planes; i++) {
		if (f->sizes[i] < b->least_bytes[i]) {
			return DROP_SHORT;
		}
	}
	return DROP_REASONS;
}

/* A buffer that is not good may hold more than it admits. */
static int drop(struct buffers *b, struct filled *f, enum drop_reason reason,
	uint64_t dropped[static DROP_REASONS])
{
	dropped[reason]++;
	if (reason != DROP_STALE) {
		for (size_t i = 0; i < b->memory_planes; i++) {
			f->dirty[i] = b->items[f->index].sizes[i];
		}
	}
	return buffers_return(b, f);
}

int buffers_newest(struct buffers *b, uint64_t dropped[static DROP_REASONS], struct filled *ret)
{
	struct filled best;
	bool have = false;

	/* As many as there are, not until empty: a driver that is faster than we are must not keep
	 * us here. */
	for (size_t i = 0; i < b->count; i++) {
		struct filled f;
		enum drop_reason reason;
		int r = dequeue(b, &f);

		if (r == -EAGAIN) {
			break;
		}
		if (r < 0) {
			return r;
		}
		reason = buffers_judge(b, &f);
		if (reason != DROP_REASONS) {
			r = drop(b, &f, reason, dropped);
		} else if (have) {
			r = drop(b, &best, DROP_STALE, dropped);
		}
		if (r < 0) {
			return r;
		}
		if (reason == DROP_REASONS) {
			best = f;
			have = true;
		}
	}
	if (!have) {
		return -EAGAIN;
	}
	*ret = best;
	return 0;
}

int buffers_return(struct buffers *b, const struct filled *f)
{
	for (size_t i = 0; i < b->memory_planes; i++) {
		if (!fault_lifts(PROTECTION_CAMERA_WIPE)) {
			explicit_bzero(b->items[f->index].memory[i], f->dirty[i]);
		}
	}
	return queue_one(b, f->index);
}
