/*
 * Memory that holds pictures in the clear. Locked into RAM where the limit allows, left out of core
 * dumps and of forked children, and wiped: what was in it, whenever it is replaced, and all of it
 * at the end. The owner says how much is in it, so that a wipe costs what the picture did and not
 * what it might have been.
 */
#ifndef CAMGATE_PLAINTEXT_H
#define CAMGATE_PLAINTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct plaintext {
	uint8_t *data;
	size_t size;
	size_t used; /* bytes from the start that may hold something */
	bool locked;
};

/* Zeroes. 0 or -errno; a limit on locked memory is no error. */
int plaintext_init(struct plaintext *p, size_t size);
/* Wipes what is used. */
void plaintext_wipe(struct plaintext *p);
/* Wipes all and gives it back. Accepts zeroes. */
void plaintext_finish(struct plaintext *p);

#endif
