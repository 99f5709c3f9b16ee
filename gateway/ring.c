#include "ring.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010 /* Linux 5.1; older C library headers lack it */
#endif

/*
 * Layout, in the machine's own byte order because both ends are on it:
 * one head (a cache line), then RING_SLOTS slots, each a slot head (a cache line) and the frame.
 * Frame n is in slot n % RING_SLOTS. A slot's sequence is 2n when it holds frame n, and 2n - 1
 * while frame n is being written.
 */
struct ring_head {
	uint64_t magic;
	uint32_t slots, slot_bytes;
	_Atomic uint64_t newest;
	uint8_t reserved[40];
};

struct ring_slot {
	_Atomic uint64_t sequence;
	uint32_t size;
	uint8_t header[WIRE_FRAME_HEADER_BYTES]; /* of the frame, so that a peek reads one line */
	uint8_t reserved[18];
};

enum { LINE_BYTES = 64 };

_Static_assert(sizeof(struct ring_head) == LINE_BYTES, "one cache line");
_Static_assert(sizeof(struct ring_slot) == LINE_BYTES, "one cache line");

static const uint64_t ring_magic = 0x31676e6972676763; /* "cggring1" */
static const int seals_needed = F_SEAL_FUTURE_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

static bool slot_bytes_ok(uint32_t slot_bytes)
{
	return slot_bytes > WIRE_FRAME_HEADER_BYTES && slot_bytes <= WIRE_FRAME_MAX_BYTES;
}

static size_t slot_stride(uint32_t slot_bytes)
{
	return (sizeof(struct ring_slot) + slot_bytes + LINE_BYTES - 1) / LINE_BYTES * LINE_BYTES;
}

static size_t ring_bytes(uint32_t slot_bytes)
{
	return sizeof(struct ring_head) + RING_SLOTS * slot_stride(slot_bytes);
}

static size_t slot_offset(uint32_t slot_bytes, uint64_t number)
{
	return sizeof(struct ring_head) + number % RING_SLOTS * slot_stride(slot_bytes);
}

/* ---- the writer ---- */

int ring_writer_init(struct ring_writer *w, uint32_t slot_bytes)
{
	struct ring_head *head;
	int err;

	*w = (struct ring_writer){.memfd = -1, .slot_bytes = slot_bytes};
	for (size_t i = 0; i < RING_READERS_MAX; i++) {
		w->readers[i].eventfd = -1;
	}
	if (!slot_bytes_ok(slot_bytes)) {
		return -EINVAL;
	}
	w->map_bytes = ring_bytes(slot_bytes);
	w->memfd = memfd_create("camgate-ring", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (w->memfd < 0 || ftruncate(w->memfd, (off_t)w->map_bytes) < 0) {
		goto fail;
	}
	w->map = mmap(NULL, w->map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, w->memfd, 0);
	if (w->map == MAP_FAILED) {
		w->map = NULL;
		goto fail;
	}
	/* F_SEAL_WRITE would fail now that we have mapped it; FUTURE_WRITE lets this one mapping be
	 * the last that can write. */
	if (fcntl(w->memfd, F_ADD_SEALS, seals_needed) < 0) {
		goto fail;
	}
	head = (struct ring_head *)w->map;
	head->magic = ring_magic;
	head->slots = RING_SLOTS;
	head->slot_bytes = slot_bytes;
	return 0;
fail:
	err = -errno;
	ring_writer_finish(w);
	return err;
}

void ring_writer_finish(struct ring_writer *w)
{
	for (size_t i = 0; i < RING_READERS_MAX; i++) {
		if (w->readers[i].eventfd >= 0) {
			close(w->readers[i].eventfd);
			w->readers[i].eventfd = -1;
		}
	}
	if (w->map) {
		munmap(w->map, w->map_bytes);
		w->map = NULL;
	}
	if (w->memfd >= 0) {
		close(w->memfd);
		w->memfd = -1;
	}
}

int ring_add_reader(struct ring_writer *w, uint32_t id, int *ret_memfd, int *ret_eventfd)
{
	size_t at = RING_READERS_MAX;
	int fd;

	for (size_t i = 0; i < RING_READERS_MAX; i++) {
		if (w->readers[i].eventfd < 0) {
			at = i;
		} else if (w->readers[i].id == id) {
			return -EEXIST;
		}
	}
	if (at == RING_READERS_MAX) {
		return -EMFILE;
	}
	fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd < 0) {
		return -errno;
	}
	w->readers[at].id = id;
	w->readers[at].eventfd = fd;
	*ret_memfd = w->memfd;
	*ret_eventfd = fd;
	return 0;
}

void ring_drop_reader(struct ring_writer *w, uint32_t id)
{
	for (size_t i = 0; i < RING_READERS_MAX; i++) {
		if (w->readers[i].eventfd >= 0 && w->readers[i].id == id) {
			close(w->readers[i].eventfd);
			w->readers[i].eventfd = -1;
		}
	}
}

static struct ring_slot *writer_slot(struct ring_writer *w, uint64_t number)
{
	return (struct ring_slot *)(w->map + slot_offset(w->slot_bytes, number));
}

uint8_t *ring_begin(struct ring_writer *w)
{
	uint64_t number = w->published + 1;
	struct ring_slot *slot = writer_slot(w, number);

	atomic_store_explicit(&slot->sequence, 2 * number - 1, memory_order_relaxed);
	/* No byte of the new frame may be seen under the old sequence. */
	atomic_thread_fence(memory_order_release);
	return (uint8_t *)slot + sizeof(*slot);
}

void ring_publish(struct ring_writer *w, const struct wire_frame_header *header, uint32_t size)
{
	uint64_t number = w->published + 1;
	struct ring_slot *slot = writer_slot(w, number);
	struct ring_head *head = (struct ring_head *)w->map;
	const uint64_t one = 1;

	assert(size <= w->slot_bytes);
	slot->size = size;
	wire_encode_frame_header(header, slot->header);
	atomic_store_explicit(&slot->sequence, 2 * number, memory_order_release);
	atomic_store_explicit(&head->newest, number, memory_order_release);
	w->published = number;
	for (size_t i = 0; i < RING_READERS_MAX; i++) {
		/* A full counter means that the reader has plenty to wake up for already. */
		if (w->readers[i].eventfd >= 0 &&
			write(w->readers[i].eventfd, &one, sizeof(one)) < 0) {
			continue;
		}
	}
}

/* ---- a reader ---- */

int ring_reader_init(struct ring_reader *r, int memfd, uint32_t slot_bytes)
{
	const struct ring_head *head;
	struct stat st;
	void *map;
	int seals;

	*r = (struct ring_reader){0};
	if (!slot_bytes_ok(slot_bytes)) {
		return -EBADMSG;
	}
	/* Seals first: without SHRINK the size could be right now and gone at the first read. */
	seals = fcntl(memfd, F_GET_SEALS);
	if (seals < 0 || (seals & seals_needed) != seals_needed) {
		return -EPERM;
	}
	if (fstat(memfd, &st) < 0) {
		return -errno;
	}
	if (st.st_size < 0 || (uint64_t)st.st_size != ring_bytes(slot_bytes)) {
		return -EBADMSG;
	}
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, memfd, 0);
	if (map == MAP_FAILED) {
		return -errno;
	}
	head = map;
	if (head->magic != ring_magic || head->slots != RING_SLOTS ||
		head->slot_bytes != slot_bytes) {
		munmap(map, (size_t)st.st_size);
		return -EBADMSG;
	}
	r->map = map;
	r->map_bytes = (size_t)st.st_size;
	r->slot_bytes = slot_bytes;
	return 0;
}

void ring_reader_finish(struct ring_reader *r)
{
	if (r->map) {
		munmap((void *)(uintptr_t)r->map, r->map_bytes);
	}
	*r = (struct ring_reader){0};
}

uint64_t ring_newest(const struct ring_reader *r)
{
	const struct ring_head *head = (const struct ring_head *)r->map;

	return atomic_load_explicit(&head->newest, memory_order_acquire);
}

static const struct ring_slot *reader_slot(const struct ring_reader *r, uint64_t number)
{
	return (const struct ring_slot *)(r->map + slot_offset(r->slot_bytes, number));
}

static bool slot_holds(const struct ring_slot *slot, uint64_t number)
{
	return atomic_load_explicit(&slot->sequence, memory_order_acquire) == 2 * number;
}

/* After a copy: true if nothing of it was overwritten meanwhile. */
static bool slot_still_holds(const struct ring_slot *slot, uint64_t number)
{
	atomic_thread_fence(memory_order_acquire);
	return atomic_load_explicit(&slot->sequence, memory_order_relaxed) == 2 * number;
}

/* The size of a slot's frame, read once: what is checked must be what is used. */
static uint32_t slot_size(const struct ring_slot *slot)
{
	return *(const volatile uint32_t *)&slot->size;
}

int ring_peek(const struct ring_reader *r, uint64_t number, struct wire_frame_header *ret,
	uint32_t *ret_size)
{
	const struct ring_slot *slot = reader_slot(r, number);
	uint8_t header[WIRE_FRAME_HEADER_BYTES];
	uint32_t size;

	if (!number || !slot_holds(slot, number)) {
		return -EAGAIN;
	}
	size = slot_size(slot);
	memcpy(header, slot->header, sizeof(header));
	if (!slot_still_holds(slot, number)) {
		return -EAGAIN;
	}
	if (wire_parse_frame_header(header, sizeof(header), ret) < 0) {
		return -EAGAIN;
	}
	*ret_size = size;
	return 0;
}

int ring_copy(const struct ring_reader *r, uint64_t number, uint8_t *out, size_t out_size,
	uint32_t *ret_size)
{
	const struct ring_slot *slot = reader_slot(r, number);
	uint8_t header[WIRE_FRAME_HEADER_BYTES];
	uint32_t size;

	if (!number || !slot_holds(slot, number)) {
		return -EAGAIN;
	}
	size = slot_size(slot);
	if (size <= WIRE_FRAME_HEADER_BYTES || size > r->slot_bytes) {
		return slot_still_holds(slot, number) ? -EBADMSG : -EAGAIN;
	}
	if (size > out_size) {
		return slot_still_holds(slot, number) ? -ENOSPC : -EAGAIN;
	}
	memcpy(out, (const uint8_t *)slot + sizeof(*slot), size);
	memcpy(header, slot->header, sizeof(header));
	if (!slot_still_holds(slot, number)) {
		return -EAGAIN;
	}
	/* What a peek promised is what was copied. */
	if (memcmp(header, out, sizeof(header)) != 0) {
		return -EBADMSG;
	}
	*ret_size = size;
	return 0;
}
