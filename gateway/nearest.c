#include "nearest.h"

#include <string.h>

static size_t smallest(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

size_t nearest_edits(const char *a, const char *b)
{
	size_t row[NEAREST_MAX_BYTES + 1];
	size_t b_size = strnlen(b, NEAREST_MAX_BYTES);

	for (size_t j = 0; j <= b_size; j++) {
		row[j] = j;
	}
	for (size_t i = 1; a[i - 1] != '\0'; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b_size; j++) {
			size_t above = row[j];
			size_t exchange = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);

			row[j] = smallest(above + 1, row[j - 1] + 1, exchange);
			diagonal = above;
		}
	}
	return row[b_size];
}

const char *nearest_find(const char *word, const char *const *words)
{
	const char *nearest = NULL;
	size_t least = NEAREST_MAX_EDITS + 1;

	if (strlen(word) > NEAREST_MAX_BYTES) {
		return NULL;
	}
	for (; *words != NULL; words++) {
		size_t n = nearest_edits(word, *words);

		/* A word of two letters is not like every other one. */
		if (n < least && n < strlen(*words)) {
			least = n;
			nearest = *words;
		}
	}
	return nearest;
}
