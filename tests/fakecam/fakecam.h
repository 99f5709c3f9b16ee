/*
 * A fake /dev/videoN for any V4L2 program, at native speed: what the parts of it share.
 *
 *   program ── open, ioctl, mmap ──► preload.c, device.c        driver.c (a process of its own)
 *      │                                   │    struct device_memory     │
 *      │ frame buffers: a memfd ◄──────────┴──────── memfd ──────────────┤ draws, encodes, paces
 *      └ descriptor: read end of a pipe ◄───── one byte per frame ───────┘
 *
 * The program's descriptor is the read end of a real pipe, so that poll, epoll and blocking work by
 * themselves, also across fork, exec and SCM_RIGHTS. What a pipe's inode stands for is in the
 * registry, a file mapped by every process that has the library loaded (registry.c): that is how a
 * process that was handed the descriptor, or that may open no file any more, still sees a character
 * device. After open() nothing here makes a system call that a real device would not need, except
 * read().
 */
#ifndef CAMGATE_FAKECAM_H
#define CAMGATE_FAKECAM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/videodev2.h>

enum {
	FAKECAM_MAJOR = 81,
	FAKECAM_DEVICES_MAX = 16,
	FAKECAM_MODES_MAX = 16,
	FAKECAM_RATES_MAX = 6,
	FAKECAM_BUFFERS_MAX = 32,
	FAKECAM_PLANES_MAX = 3,
	FAKECAM_OPEN_MAX = 128,
	/* Layout of the memfd: struct device_memory, then fixed places for all buffers (sparse). */
	FAKECAM_HEADER_BYTES = 64 << 10,
	FAKECAM_PLANE_BYTES = 16 << 20,
	FAKECAM_BUFFER_BYTES = FAKECAM_PLANES_MAX * FAKECAM_PLANE_BYTES,
};

#define FAKECAM_MEMORY_BYTES                                                                       \
	(FAKECAM_HEADER_BYTES + (uint64_t)FAKECAM_BUFFERS_MAX * FAKECAM_BUFFER_BYTES)

enum fakecam_kind {
	KIND_CAPTURE, /* a camera */
	KIND_MPLANE, /* a camera with the multi-planar interface */
	KIND_M2M, /* a codec or scaler */
	KIND_OUTPUT,
	KIND_META, /* capture in the union `capabilities` only, as UVC's metadata nodes have it */
	KIND_MC, /* V4L2_CAP_IO_MC: one end of a media pipeline */
	KIND_TUNER, /* its input is no camera */
	KIND_READ, /* no streaming, read() only */
	KIND_NONE, /* not V4L2 at all: every ioctl is ENOTTY */
};

enum fakecam_fault {
	FAULT_NONE,
	/* Every `every`th frame: */
	FAULT_ERROR, /* V4L2_BUF_FLAG_ERROR, half the bytes */
	FAULT_SHORT, /* half the bytes, no flag */
	FAULT_EMPTY, /* no bytes */
	FAULT_TRUNCATED, /* MJPEG: the last 100 bytes are missing */
	FAULT_GARBAGE, /* random bytes */
	FAULT_OTHER_SIZE, /* MJPEG: the picture is of half the size */
	FAULT_TRAILING, /* MJPEG: 512 bytes of zero after the picture */
	FAULT_NO_TABLES, /* MJPEG: no Huffman tables */
	FAULT_THUMBNAIL, /* MJPEG: an APP1 segment with a whole JPEG in it */
	/* From frame `every` on: */
	FAULT_FROZEN, /* the same content, with new sequence numbers and times */
	FAULT_STUCK, /* the same content, sequence number and time */
	FAULT_STALL, /* no more frames */
	FAULT_UNPLUG, /* the device goes away; for `for_ms`, or for ever if that is 0 */
	FAULT_EIO, /* VIDIOC_DQBUF fails */
	/* `every` has no meaning: */
	FAULT_BUSY, /* VIDIOC_S_FMT and VIDIOC_REQBUFS: EBUSY */
	FAULT_PERMISSION, /* open: EACCES */
	FAULT_NO_SPACE, /* VIDIOC_STREAMON: ENOSPC with more than `every` pixels */
	/* The first `every` times, counted from open: */
	FAULT_NO_START, /* VIDIOC_STREAMON: EIO */
	FAULT_DEAF, /* streaming brings nothing: no frame before so many STREAMONs */
};

struct fakecam_mode {
	uint32_t fourcc;
	uint16_t width, height;
	uint8_t rates[FAKECAM_RATES_MAX]; /* frames/s, best first; 0 ends */
};

/* One line of the configuration; README.md has the words. */
struct fakecam_config {
	uint32_t present; /* this entry of the registry is in use */
	uint32_t minor;
	char card[32], driver[16], bus[32];
	char vendor[8], product[8]; /* four hex digits; empty: not on USB */
	char serial[64], path[96]; /* path: udev's ID_PATH; empty: has none */
	uint32_t kind;
	uint32_t tag; /* of its pictures */
	uint32_t stamps; /* V4L2_BUF_FLAG_TIMESTAMP_* */
	uint32_t stride; /* lines of raw formats are a multiple of this many bytes */
	uint32_t set; /* MJPEG: this many pictures are encoded before streaming; 0: each one live */
	uint32_t bytes; /* MJPEG: make pictures at least so large, by noise */
	uint32_t modes_count;
	struct fakecam_mode modes[FAKECAM_MODES_MAX];
	uint32_t faults_count;
	struct {
		uint32_t fault, every, for_ms;
	} faults[16];
};

/* The size of one frame in memory. */
struct fakecam_layout {
	uint32_t planes; /* memory planes: more than 1 for NM12 and YM12 only */
	uint32_t line_bytes[FAKECAM_PLANES_MAX];
	uint32_t bytes[FAKECAM_PLANES_MAX];
};

struct fakecam_done {
	uint32_t index, sequence, flags;
	uint32_t bytes[FAKECAM_PLANES_MAX];
	uint64_t stamp_us;
};

/* One open of a device, at the start of its memfd; mapped by the program and by its driver. */
struct device_memory {
	struct fakecam_config config;
	struct fakecam_layout layout;
	uint32_t fourcc, width, height, rate;
	uint32_t buffers_count;
	uint32_t queued_by_program[FAKECAM_BUFFERS_MAX]; /* 1: queued and not dequeued again */
	_Atomic uint32_t streaming;
	_Atomic uint32_t delivering; /* the driver is between deciding for a buffer and its byte */
	_Atomic uint32_t gone; /* unplugged, or the driver died */
	_Atomic uint32_t failing; /* FAULT_EIO has struck */
	_Atomic uint32_t starts; /* VIDIOC_STREAMONs since open */
	/* Two rings: what the program queued, what the driver filled. Indices only grow. */
	_Atomic uint32_t queue_head, queue_tail;
	uint32_t queue[FAKECAM_BUFFERS_MAX];
	_Atomic uint32_t done_head, done_tail;
	struct fakecam_done done[FAKECAM_BUFFERS_MAX];
};

/* Where a plane of a buffer is in the memfd; also what VIDIOC_QUERYBUF tells as mmap offset. */
static inline uint32_t fakecam_offset(uint32_t index, uint32_t plane)
{
	return FAKECAM_HEADER_BYTES + index * (uint32_t)FAKECAM_BUFFER_BYTES +
	       plane * (uint32_t)FAKECAM_PLANE_BYTES;
}

/* config.c: parses one line. 0; 1 for an empty line or comment; -EINVAL after saying why on stderr.
 */
int fakecam_parse(const char *line, struct fakecam_config *ret);
/* config.c: false for a format that is not known. */
bool fakecam_lay_out(uint32_t fourcc, uint32_t width, uint32_t height, uint32_t stride,
	struct fakecam_layout *ret);
bool fakecam_is_jpeg(uint32_t fourcc);

#endif
