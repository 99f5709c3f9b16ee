/*
 * A fuzzer's input read as a script: numbers and short texts, one after the other. What is missing
 * at the end is zero, so every input means something.
 */
#ifndef CAMGATE_TESTS_SCRIPT_H
#define CAMGATE_TESTS_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

struct script {
	const uint8_t *at;
	size_t left;
};

static inline uint8_t script_u8(struct script *s)
{
	if (s->left == 0) {
		return 0;
	}
	s->left--;
	return *s->at++;
}

static inline uint16_t script_u16(struct script *s)
{
	uint16_t high = script_u8(s);

	return (uint16_t)(high << 8 | script_u8(s));
}

/* A length byte and up to so many bytes, in memory of their own, so that one byte too far is seen.
 * The caller frees them. */
static inline uint8_t *script_bytes(struct script *s, size_t max, size_t *ret_size)
{
	size_t size = script_u8(s);
	uint8_t *out;

	size = size < max ? size : max;
	size = size < s->left ? size : s->left;
	out = malloc(size > 0 ? size : 1);
	if (!out) {
		abort();
	}
	memcpy(out, s->at, size);
	s->at += size;
	s->left -= size;
	*ret_size = size;
	return out;
}

/* The same as text: it ends at its first NUL. */
static inline char *script_text(struct script *s, size_t max)
{
	size_t size;
	uint8_t *bytes = script_bytes(s, max, &size);
	char *out = malloc(size + 1);

	if (!out) {
		abort();
	}
	memcpy(out, bytes, size);
	out[size] = '\0';
	free(bytes);
	return out;
}

/* Changes one byte of what would have been right. */
static inline bool script_spoil(struct script *s, uint8_t *data, size_t size)
{
	size_t at = script_u16(s);
	uint8_t change = script_u8(s);

	if (at >= size || change == 0) {
		return false;
	}
	data[at] ^= change;
	return true;
}

#endif
