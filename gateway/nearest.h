/*
 * What somebody probably meant who wrote a word that there is not: commands, keys of the
 * configuration. Pure.
 */
#ifndef CAMGATE_NEAREST_H
#define CAMGATE_NEAREST_H

#include <stddef.h>

enum { NEAREST_MAX_BYTES = 32, NEAREST_MAX_EDITS = 2 };

/* Levenshtein's distance: insertions, deletions and exchanges of one character. b is at most
 * NEAREST_MAX_BYTES long. */
size_t nearest_edits(const char *a, const char *b);
/* The word that is most like the given one, or NULL when none is near. words ends with NULL. */
const char *nearest_find(const char *word, const char *const *words);

#endif
