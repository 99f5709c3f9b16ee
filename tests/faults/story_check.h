/*
 * What has to be true of a story, whatever failed.
 */
#ifndef CAMGATE_TESTS_STORY_CHECK_H
#define CAMGATE_TESTS_STORY_CHECK_H

#include "story.h"

/* The hub says of each display what was commanded. must_answer false: if it answers at all. Beliefs
 * become what it said. */
void check_rights(struct story *s, bool must_answer);
/* The same, of the store itself, which nobody has open; and that it is sound and its record whole.
 */
void check_store(struct story *s, const char *state_dir);

#endif
