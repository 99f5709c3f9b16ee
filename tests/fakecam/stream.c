#include "device.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

uint32_t stream_buffer_type(const struct device_memory *m)
{
	return m->config.kind == KIND_MPLANE ? V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE
					     : V4L2_BUF_TYPE_VIDEO_CAPTURE;
}

bool fakecam_has_fault(const struct fakecam_config *c, uint32_t fault, uint32_t *ret)
{
	for (uint32_t i = 0; i < c->faults_count; i++) {
		if (c->faults[i].fault == fault) {
			if (ret != NULL) {
				*ret = c->faults[i].every;
			}
			return true;
		}
	}
	return false;
}

int stream_request_buffers(struct device_memory *m, struct v4l2_requestbuffers *r)
{
	if (r->type != stream_buffer_type(m) || r->memory != V4L2_MEMORY_MMAP) {
		return -EINVAL;
	}
	if (fakecam_has_fault(&m->config, FAULT_BUSY, NULL) || atomic_load(&m->streaming) != 0) {
		return -EBUSY;
	}
	if (r->count == 1) {
		r->count = 2;
	}
	if (r->count > FAKECAM_BUFFERS_MAX) {
		r->count = FAKECAM_BUFFERS_MAX;
	}
	m->buffers_count = r->count;
	memset(m->queued_by_program, 0, sizeof(m->queued_by_program));
	atomic_store(&m->queue_tail, atomic_load(&m->queue_head));
	r->capabilities = V4L2_BUF_CAP_SUPPORTS_MMAP;
	return 0;
}

/* What QUERYBUF, QBUF and DQBUF tell alike. bytes: of each plane, NULL before there is a picture.
 */
static int buffer_describe(struct device_memory *m, struct v4l2_buffer *b, const uint32_t *bytes)
{
	uint32_t index = b->index;
	if (m->config.kind == KIND_MPLANE) {
		if (b->m.planes == NULL || b->length < m->layout.planes) {
			return -EINVAL;
		}
		b->length = m->layout.planes;
		for (uint32_t plane = 0; plane < m->layout.planes; plane++) {
			memset(&b->m.planes[plane], 0, sizeof(b->m.planes[plane]));
			b->m.planes[plane].length = m->layout.bytes[plane];
			b->m.planes[plane].m.mem_offset = fakecam_offset(index, plane);
			b->m.planes[plane].bytesused = bytes != NULL ? bytes[plane] : 0;
		}
	} else {
		b->length = m->layout.bytes[0];
		b->m.offset = fakecam_offset(index, 0);
		b->bytesused = bytes != NULL ? bytes[0] : 0;
	}
	b->memory = V4L2_MEMORY_MMAP;
	b->field = V4L2_FIELD_NONE;
	b->flags = m->config.stamps | V4L2_BUF_FLAG_MAPPED;
	b->flags |= m->queued_by_program[index] ? V4L2_BUF_FLAG_QUEUED : 0;
	return 0;
}

int stream_query(struct device_memory *m, struct v4l2_buffer *b)
{
	if (b->type != stream_buffer_type(m) || b->index >= m->buffers_count) {
		return -EINVAL;
	}
	return buffer_describe(m, b, NULL);
}

int stream_queue(struct device_memory *m, struct v4l2_buffer *b)
{
	if (b->type != stream_buffer_type(m) || b->index >= m->buffers_count ||
		b->memory != V4L2_MEMORY_MMAP || m->queued_by_program[b->index]) {
		return -EINVAL;
	}
	m->queued_by_program[b->index] = 1;
	int error = buffer_describe(m, b, NULL);
	if (error != 0) {
		m->queued_by_program[b->index] = 0;
		return error;
	}
	uint32_t head = atomic_load(&m->queue_head);
	m->queue[head % FAKECAM_BUFFERS_MAX] = b->index;
	atomic_store(&m->queue_head, head + 1);
	return 0;
}

int stream_dequeue(struct device_memory *m, int fd, struct v4l2_buffer *b)
{
	uint8_t byte;
	if (b->type != stream_buffer_type(m) || b->memory != V4L2_MEMORY_MMAP ||
		atomic_load(&m->streaming) == 0) {
		return -EINVAL;
	}
	if (atomic_load(&m->failing) != 0) {
		return -EIO;
	}
	ssize_t n = read(fd, &byte, 1);
	if (n < 0) {
		return -errno;
	}
	if (n == 0) {
		atomic_store(&m->gone, 1);
		return -ENODEV;
	}
	if (atomic_load(&m->failing) != 0) {
		return -EIO;
	}
	uint32_t tail = atomic_load(&m->done_tail);
	struct fakecam_done done = m->done[tail % FAKECAM_BUFFERS_MAX];
	atomic_store(&m->done_tail, tail + 1);
	m->queued_by_program[done.index] = 0;
	b->index = done.index;
	int error = buffer_describe(m, b, done.bytes);
	if (error != 0) {
		return error;
	}
	b->flags |= done.flags;
	b->sequence = done.sequence;
	b->timestamp.tv_sec = (time_t)(done.stamp_us / 1000000);
	b->timestamp.tv_usec = (suseconds_t)(done.stamp_us % 1000000);
	return 0;
}

int stream_start(struct device_memory *m)
{
	uint32_t pixels, times;
	if (m->buffers_count == 0) {
		return -EINVAL;
	}
	atomic_fetch_add(&m->starts, 1);
	if (fakecam_has_fault(&m->config, FAULT_NO_START, &times) &&
		atomic_load(&m->starts) <= times) {
		return -EIO;
	}
	if (fakecam_has_fault(&m->config, FAULT_NO_SPACE, &pixels) &&
		m->width * m->height > pixels) {
		return -ENOSPC;
	}
	atomic_store(&m->failing, 0); /* as the kernel's: a new start is a new try */
	atomic_store(&m->streaming, 1);
	return 0;
}

/* All buffers are the program's again, filled or not. */
int stream_stop(struct device_memory *m, int fd)
{
	if (atomic_exchange(&m->streaming, 0) != 0) {
		/* It lasts for the copy of one frame. No system call, which a sandbox may forbid.
		 */
		for (uint32_t i = 0; atomic_load(&m->delivering) != 0 && i < 1u << 30; i++) {
		}
		uint8_t bytes[FAKECAM_BUFFERS_MAX];
		uint32_t left = atomic_load(&m->done_head) - atomic_load(&m->done_tail);
		if (left > 0 && read(fd, bytes, left) < 0) {
			return -errno;
		}
	}
	atomic_store(&m->done_tail, atomic_load(&m->done_head));
	atomic_store(&m->queue_tail, atomic_load(&m->queue_head));
	memset(m->queued_by_program, 0, sizeof(m->queued_by_program));
	return 0;
}
