/*
 * The ring of sealed frames: the one interface between capture and delivery.
 *
 * A memfd per camera, written by the camera role alone and sealed with FUTURE_WRITE, SHRINK, GROW
 * and SEAL, so that nobody can map it writable after the writer did. It holds nothing but frames as
 * they go on the wire (web/PROTOCOL.md: frame header and SFrame). Each reader has an eventfd of its
 * own.
 *
 * Writer and reader share no lock. A slot's sequence number is odd while it is written; a reader
 * copies out, then checks that the sequence did not change. Readers trust no number they find:
 * every length and index is checked against what the reader itself measured when it attached.
 *
 * The writer belongs to one thread, a reader to one thread; neither allocates after init.
 */
#ifndef CAMGATE_RING_H
#define CAMGATE_RING_H

#include "wire.h"

enum { RING_SLOTS = 4, RING_READERS_MAX = 8 };

struct ring_writer {
	int memfd;
	uint8_t *map;
	size_t map_bytes;
	uint32_t slot_bytes;
	uint64_t published;
	struct {
		uint32_t id;
		int eventfd; /* -1: free */
	} readers[RING_READERS_MAX];
};

/* slot_bytes: the largest frame. 0 or -errno. */
int ring_writer_init(struct ring_writer *w, uint32_t slot_bytes);
void ring_writer_finish(struct ring_writer *w);
/* Makes an eventfd for the reader. *ret_memfd and *ret_eventfd stay the writer's: send them, do not
 * close them. -EEXIST, -EMFILE, … */
int ring_add_reader(struct ring_writer *w, uint32_t id, int *ret_memfd, int *ret_eventfd);
void ring_drop_reader(struct ring_writer *w, uint32_t id);
/* The memory of the next slot, slot_bytes long, for sealing into it in place: it stays the ring's,
 * and nobody reads it until ring_publish. Everything in it is ciphertext or zero at every moment
 * that matters only if the caller seals straight into it: plaintext never goes here. */
uint8_t *ring_begin(struct ring_writer *w);
/* Makes the slot of ring_begin the newest frame and wakes the readers. */
void ring_publish(struct ring_writer *w, const struct wire_frame_header *header, uint32_t size);

struct ring_reader {
	const uint8_t *map;
	size_t map_bytes;
	uint32_t slot_bytes;
};

/* Checks the seals and that the size is that of a ring with this slot_bytes, maps it read-only. The
 * descriptor stays the caller's and may be closed afterwards. 0, -EPERM (seals), -EBADMSG, -errno.
 */
int ring_reader_init(struct ring_reader *r, int memfd, uint32_t slot_bytes);
void ring_reader_finish(struct ring_reader *r);
/* Number of the newest frame, 0 when there is none. Frames are numbered 1, 2, … */
uint64_t ring_newest(const struct ring_reader *r);
/* What the newest frame says of itself, without copying it. The numbers are hints until ring_copy
 * confirms them. 0 or -EAGAIN. */
int ring_peek(const struct ring_reader *r, uint64_t number, struct wire_frame_header *ret,
	uint32_t *ret_size);
/* Copies frame number whole to out. 0; -EAGAIN when it was overwritten meanwhile (ask for the
 * newest again; out is then to be wiped or overwritten by the caller); -ENOSPC; -EBADMSG for a
 * length that cannot be. */
int ring_copy(const struct ring_reader *r, uint64_t number, uint8_t *out, size_t out_size,
	uint32_t *ret_size);

#endif
