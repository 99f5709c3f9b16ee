/*
 * What the oracles of many test programs saw, for `make evidence` to add up: lines of "WHAT N" in
 * the file that $TALLY names. Without it nothing is written.
 */
#ifndef CAMGATE_TESTS_TALLY_H
#define CAMGATE_TESTS_TALLY_H

#include <stdint.h>

/* what: one word. A tally that cannot be written ends the program. */
void tally_add(const char *what, uint64_t n);

#endif
