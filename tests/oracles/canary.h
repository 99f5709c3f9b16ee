/*
 * What is looked for: a piece out of the middle of each of the newest pictures that displays of
 * this test program opened, and whose camera's it is. JPEG data is random enough that nobody else
 * has it by chance.
 *
 * One store per program, filled by every viewer (tests/integration/viewer.c).
 */
#ifndef CAMGATE_TESTS_CANARY_H
#define CAMGATE_TESTS_CANARY_H

#include <stddef.h>
#include <stdint.h>

enum {
	CANARY_SHORT_BYTES = 24, /* may be the same in the next picture of the camera */
	CANARY_LONG_BYTES = 768, /* spans enough of the code in the picture to be in no other */
	CANARIES_MAX = 32,
};

/* Of whose pictures: those of one camera (its tag), or of all but one, or of all. */
struct canary_owner {
	enum { CANARY_ALL, CANARY_ONLY, CANARY_BUT } which;
	uint32_t tag;
};

/* Keeps a piece of the picture; those too small for one are passed over. */
void canary_keep(uint32_t tag, const uint8_t *jpeg, size_t size);
void canary_forget(void);
/* How many of the kept pieces, cut to so many bytes, are in the data. */
unsigned int canary_count(
	const uint8_t *data, size_t size, size_t piece, struct canary_owner owner);

#endif
