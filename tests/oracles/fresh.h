/*
 * O-FRESH: a picture that is shown as live is as young as the label says. How old it really is, the
 * test camera drew into it (tests/opix); what is authenticated is not believed here.
 */
#ifndef CAMGATE_TESTS_FRESH_H
#define CAMGATE_TESTS_FRESH_H

#include "tests/opix/opix.h"
#include "web/client/display.h"

/* True unless it is shown as live (and not as frozen) and is older than a live picture may be.
 * now_us: CLOCK_BOOTTIME. *ret_age_ms, which may be NULL: its real age. */
bool fresh_check(const struct display_picture *p, const struct opix *code, uint64_t now_us,
	int64_t *ret_age_ms);

#endif
