#include "sframe.h"

#include "keys.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { GUARD_BYTES = 4096, GUARD_MARK = 0x5a };

static const uint64_t lifetime_max_us = 600ull * 1000 * 1000;
static const uint64_t lead_min_us = 1000 * 1000;

/* One epoch: number 0 means that there is none. */
struct epoch {
	uint32_t number;
	uint8_t base_key[EPOCH_KEY_BYTES];
	struct sframe_key *key;
};

/* Lives in the secure heap. */
struct epochs {
	uint8_t home[HOME_ID_BYTES];
	uint8_t generation[GENERATION_BYTES];
	uint64_t lifetime_us;
	uint64_t started_us; /* of the current epoch */
	uint64_t counter; /* the next one to spend in the current epoch */
	uint32_t last_number; /* the highest that was ever given, also to an epoch thrown away */
	struct epoch current;
	struct epoch prepared;
	uint8_t *guard; /* a page that the kernel wipes in a forked child */
	pid_t pid; /* in its place where the kernel cannot; 0 otherwise */
};

static void epoch_finish(struct epoch *one)
{
	sframe_key_destroy(one->key);
	OPENSSL_cleanse(one, sizeof(*one));
}

/* Makes an epoch with a number that was never used. */
static int epoch_init(struct epochs *e, struct epoch *ret)
{
	if (e->last_number == UINT32_MAX) {
		return -EOVERFLOW;
	}
	ret->number = ++e->last_number;
	random_bytes(ret->base_key, sizeof(ret->base_key));
	ret->key = sframe_key_create(ret->base_key, ret->number);
	if (!ret->key) {
		epoch_finish(ret);
		return -ENOMEM;
	}
	return 0;
}

/* A forked child shares key and counter with its parent: each frame that both seal would use a
 * nonce twice. The kernel tells without a system call per frame: it hands the child zeroes for this
 * page. */
static int guard_init(struct epochs *e)
{
	void *page =
		mmap(NULL, GUARD_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED) {
		return -errno;
	}
	e->guard = page;
	e->guard[0] = GUARD_MARK;
	if (madvise(page, GUARD_BYTES, MADV_WIPEONFORK) < 0) {
		e->pid = getpid();
	}
	return 0;
}

static bool forked(const struct epochs *e)
{
	return e->guard[0] != GUARD_MARK || (e->pid && e->pid != getpid());
}

struct epochs *epochs_create(const uint8_t home[static HOME_ID_BYTES],
	const uint8_t generation[static GENERATION_BYTES], uint64_t lifetime_us, uint64_t now_us)
{
	struct epochs *e = OPENSSL_secure_zalloc(sizeof(*e));

	if (!e) {
		return NULL;
	}
	memcpy(e->home, home, HOME_ID_BYTES);
	memcpy(e->generation, generation, GENERATION_BYTES);
	e->lifetime_us = lifetime_us < lifetime_max_us ? lifetime_us : lifetime_max_us;
	if (guard_init(e) < 0 || epochs_break(e, now_us) < 0) {
		epochs_destroy(e);
		return NULL;
	}
	return e;
}

void epochs_destroy(struct epochs *e)
{
	if (!e) {
		return;
	}
	epoch_finish(&e->current);
	epoch_finish(&e->prepared);
	if (e->guard) {
		munmap(e->guard, GUARD_BYTES);
	}
	OPENSSL_secure_clear_free(e, sizeof(*e));
}

uint32_t epochs_current(const struct epochs *e)
{
	return e->current.number;
}

uint32_t epochs_prepare(struct epochs *e)
{
	if (!e->prepared.number && epoch_init(e, &e->prepared) < 0) {
		return 0;
	}
	return e->prepared.number;
}

const uint8_t *epochs_key(const struct epochs *e, uint32_t epoch)
{
	if (!epoch) {
		return NULL;
	}
	if (epoch == e->current.number) {
		return e->current.base_key;
	}
	return epoch == e->prepared.number ? e->prepared.base_key : NULL;
}

/* The current epoch is gone before the next one exists: if that fails, nothing can be sealed. */
int epochs_break(struct epochs *e, uint64_t now_us)
{
	epoch_finish(&e->current);
	epoch_finish(&e->prepared);
	e->counter = 0;
	e->started_us = now_us;
	return epoch_init(e, &e->current);
}

int epochs_switch(struct epochs *e, uint64_t now_us)
{
	if (!e->prepared.number) {
		return epochs_break(e, now_us);
	}
	epoch_finish(&e->current);
	e->current = e->prepared;
	OPENSSL_cleanse(&e->prepared, sizeof(e->prepared));
	e->counter = 0;
	e->started_us = now_us;
	return 0;
}

static uint64_t elapsed_us(const struct epochs *e, uint64_t now_us)
{
	return now_us > e->started_us ? now_us - e->started_us : 0;
}

/* A twentieth of its life is left to give everybody the next key. A short one needs more: displays
 * are waited for half a second, and an epoch that runs out meanwhile ends without them. */
bool epochs_due(const struct epochs *e, uint64_t now_us)
{
	uint64_t half_us = e->lifetime_us / 2;
	uint64_t left_us = half_us < lead_min_us ? half_us : lead_min_us;

	if (left_us < e->lifetime_us / 20) {
		left_us = e->lifetime_us / 20;
	}
	return elapsed_us(e, now_us) >= e->lifetime_us - left_us ||
	       e->counter >= EPOCH_FRAMES_MAX / 20 * 19;
}

ssize_t epoch_seal(struct epochs *e, struct wire_frame_header *header, const uint8_t *jpeg,
	size_t jpeg_size, uint64_t now_us, uint8_t *out, size_t out_size)
{
	uint8_t metadata[WIRE_FRAME_METADATA_BYTES];
	uint64_t ctr;
	ssize_t n;

	if (forked(e)) {
		return -ESTALE;
	}
	if (!e->current.number) {
		return -ENOKEY;
	}
	if (elapsed_us(e, now_us) >= e->lifetime_us || e->counter >= EPOCH_FRAMES_MAX) {
		return -EKEYEXPIRED;
	}
	if (out_size < WIRE_FRAME_HEADER_BYTES) {
		return -ENOSPC;
	}
	ctr = e->counter++; /* spent, whatever comes of it */
	header->epoch = e->current.number;
	wire_encode_frame_header(header, out);
	wire_frame_metadata(e->home, e->generation, out, metadata);
	n = sframe_seal(e->current.key, ctr, metadata, sizeof(metadata), jpeg, jpeg_size,
		out + WIRE_FRAME_HEADER_BYTES, out_size - WIRE_FRAME_HEADER_BYTES);
	return n < 0 ? n : n + WIRE_FRAME_HEADER_BYTES;
}
