/*
 * Reads the official test vectors (tests/vectors), which are JSON with hexadecimal strings. Tests
 * run from the top of the repository. Anything unexpected fails the test. Include it after
 * cmocka.h.
 */
#ifndef CAMGATE_TEST_VECTORS_H
#define CAMGATE_TEST_VECTORS_H

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The SFrame vectors count up to 2^64 - 1, which JSON allows and jansson does not: every number is
 * put in quotes on the way in. quoted has room for twice the text. */
static inline void vectors_quote_numbers(const char *text, char *quoted)
{
	int in_string = 0, in_number = 0;

	for (; *text; text++) {
		if (!in_string && !!isdigit((unsigned char)*text) != in_number) {
			in_number = !in_number;
			*quoted++ = '"';
		}
		in_string ^= *text == '"';
		*quoted++ = *text;
	}
	*quoted = '\0';
}

static inline json_t *vectors_load(const char *path)
{
	enum { TEXT_MAX_BYTES = 1 << 17 };
	static char text[TEXT_MAX_BYTES], quoted[2 * TEXT_MAX_BYTES];
	FILE *file = fopen(path, "r");
	json_error_t error;
	json_t *root;
	size_t size;

	assert_non_null(file);
	size = fread(text, 1, sizeof(text) - 1, file);
	assert_true(feof(file));
	fclose(file);
	text[size] = '\0';
	vectors_quote_numbers(text, quoted);
	root = json_loads(quoted, 0, &error);
	if (!root) {
		fail_msg("%s: %s", path, error.text);
	}
	return root;
}

static inline uint64_t vector_number(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	assert_non_null(text);
	return strtoull(text, NULL, 10);
}

/* Returns the number of bytes. */
static inline size_t vector_bytes(
	const json_t *object, const char *name, uint8_t *out, size_t out_size)
{
	static const char digits[] = "0123456789abcdef";
	const char *hex = json_string_value(json_object_get(object, name));
	size_t size;

	assert_non_null(hex);
	size = strlen(hex) / 2;
	assert_true(strlen(hex) % 2 == 0 && size <= out_size);
	for (size_t i = 0; i < size; i++) {
		const char *high = strchr(digits, hex[2 * i]);
		const char *low = strchr(digits, hex[2 * i + 1]);

		assert_true(high && low && *high && *low);
		out[i] = (uint8_t)((high - digits) << 4 | (low - digits));
	}
	return size;
}

#endif
