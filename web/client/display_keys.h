/*
 * The two key pairs of a display and the hub that it is paired with, and the file that keeps them.
 *
 * The file (mode 0600) is "hub HEX" on the first line and then two PKCS#8 PEM blocks: signing key,
 * KEM key. Whoever can read it is the display. Call secure_heap_init() first. 0 or -errno.
 */
#ifndef CAMGATE_CLIENT_DISPLAY_KEYS_H
#define CAMGATE_CLIENT_DISPLAY_KEYS_H

#include "keys.h"

struct display_keys {
	struct key_pair sign, kem;
	uint8_t id[DISPLAY_ID_BYTES];
	uint8_t hub[FINGERPRINT_BYTES]; /* zeroes: not paired yet */
};

int display_keys_generate(struct display_keys *ret);
/* -ENOENT when there is no file, -EBADMSG when it is not one of ours. */
int display_keys_load(const char *path, struct display_keys *ret);
/* Replaces the file in one step. */
int display_keys_save(const char *path, const struct display_keys *keys);
void display_keys_finish(struct display_keys *keys);

#endif
