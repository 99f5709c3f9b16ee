/*
 * Checks an encoded message against a layout written down independently: a list of fields, each of
 * some bytes that all have one value. With a value of its own for every field, two swapped ones are
 * found also when encoder and parser agree on the mistake. Include it after cmocka.h.
 */
#ifndef CAMGATE_TEST_LAYOUT_H
#define CAMGATE_TEST_LAYOUT_H

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

struct layout_field {
	size_t size;
	uint8_t value;
};

/* clang-format off */
#define LAYOUT(...) (const struct layout_field[]){__VA_ARGS__, {0, 0}}
/* clang-format on */

static inline void layout_check(
	const uint8_t *data, ssize_t size, const struct layout_field *fields)
{
	size_t at = 0;

	assert_true(size >= 0);
	for (; fields->size; fields++) {
		for (size_t i = 0; i < fields->size; i++, at++) {
			assert_true(at < (size_t)size);
			if (data[at] != fields->value) {
				fail_msg("byte %zu is %02x, not %02x", at, data[at], fields->value);
			}
		}
	}
	assert_int_equal(at, size);
}

/* A message cut short anywhere, or one byte too long, is refused. */
static inline void sizes_check(
	const uint8_t *data, size_t size, int (*parse)(const uint8_t *data, size_t size))
{
	uint8_t longer[1 << 12];

	assert_true(size < sizeof(longer));
	assert_int_equal(parse(data, size), 0);
	for (size_t shorter = 0; shorter < size; shorter++) {
		assert_int_equal(parse(data, shorter), -EBADMSG);
	}
	memcpy(longer, data, size);
	longer[size] = 0;
	assert_int_equal(parse(longer, size + 1), -EBADMSG);
}

#endif
