/*
 * SFrame (RFC 9605), cipher suite 4, AES_128_GCM_SHA256_128; and the epochs that spend its
 * counters.
 *
 * One key and one counter per camera and epoch, for all renditions: a counter is spent by one
 * function (inside epoch_seal), before use, and never after a fork. Belongs to one thread. Keys are
 * in the secure heap. -EBADMSG for anything that does not open or is not minimal; the output is
 * wiped.
 */
#ifndef CAMGATE_SFRAME_H
#define CAMGATE_SFRAME_H

#include "wire.h"
#include <sys/types.h>

enum {
	SFRAME_TAG_BYTES = 16,
	SFRAME_HEADER_MAX_BYTES = 17,
	SFRAME_OVERHEAD_BYTES = SFRAME_TAG_BYTES + SFRAME_HEADER_MAX_BYTES,
	EPOCH_FRAMES_MAX = 1 << 24,
};

/* RFC 9605, section 4.3. Returns the header's size. */
size_t sframe_encode_header(
	uint64_t kid, uint64_t ctr, uint8_t out[static SFRAME_HEADER_MAX_BYTES]);
/* Refuses non-minimal integers. Returns the header's size, or -EBADMSG. */
ssize_t sframe_parse_header(const uint8_t *data, size_t size, uint64_t *ret_kid, uint64_t *ret_ctr);

/* The derived key and salt of one base key and KID (section 4.4.2). Opaque, in the secure heap. */
struct sframe_key;
struct sframe_key *sframe_key_create(const uint8_t base_key[static EPOCH_KEY_BYTES], uint64_t kid);
void sframe_key_destroy(struct sframe_key *k);
/* out holds header ‖ ciphertext ‖ tag, plaintext_size + SFRAME_OVERHEAD_BYTES at most; may not
 * overlap the plaintext. Returns the size, or -errno. */
__attribute__((warn_unused_result)) ssize_t sframe_seal(struct sframe_key *k, uint64_t ctr,
	const uint8_t *metadata, size_t metadata_size, const uint8_t *plaintext,
	size_t plaintext_size, uint8_t *out, size_t out_size);
/* Checks that the header names this key. Returns the plaintext's size, or -EBADMSG. */
__attribute__((warn_unused_result)) ssize_t sframe_open(struct sframe_key *k,
	const uint8_t *metadata, size_t metadata_size, const uint8_t *sframe, size_t sframe_size,
	uint8_t *out, size_t out_size, uint64_t *ret_ctr);

/* ---- epochs of one camera process ---- */

struct epochs;
/* home and camera as adopted, generation as announced. lifetime_us at most 600 s. NULL: no memory.
 */
struct epochs *epochs_create(const uint8_t home[static HOME_ID_BYTES],
	const uint8_t generation[static GENERATION_BYTES], uint64_t lifetime_us, uint64_t now_us);
void epochs_destroy(struct epochs *e);
uint32_t epochs_current(const struct epochs *e);
/* The number of the prepared next epoch; makes it if there is none. 0 on failure. */
uint32_t epochs_prepare(struct epochs *e);
/* Borrowed key of the current or the prepared epoch, NULL if there is none such. */
const uint8_t *epochs_key(const struct epochs *e, uint32_t epoch);
/* A new epoch at once; a prepared one is thrown away unused. 0 or -errno (then nothing can be
 * sealed any more). */
int epochs_break(struct epochs *e, uint64_t now_us);
/* To the prepared epoch; the same as epochs_break if there is none. */
int epochs_switch(struct epochs *e, uint64_t now_us);
/* True from 95 % of the lifetime or frames on, or a second before its end (half a life, if that is
 * less). epoch_seal refuses at 100 %. */
bool epochs_due(const struct epochs *e, uint64_t now_us);
/* The one function that seals. Fills in header->epoch, spends a counter, writes the frame (header,
 * SFrame) to out. Returns the frame's size; -ESTALE after a fork; -ENOSPC; -EKEYEXPIRED when the
 * epoch is over (the caller breaks, tells the keeper and seals again); -ENOKEY after a break that
 * failed. */
__attribute__((warn_unused_result)) ssize_t epoch_seal(struct epochs *e,
	struct wire_frame_header *header, const uint8_t *jpeg, size_t jpeg_size, uint64_t now_us,
	uint8_t *out, size_t out_size);

#endif
