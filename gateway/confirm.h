/*
 * Asks before what cannot be undone.
 */
#ifndef CAMGATE_CONFIRM_H
#define CAMGATE_CONFIRM_H

#include <stdbool.h>

/* Says what will happen, on standard error, and reads a line from standard input. True if it is the
 * word; otherwise it said that nothing was done. */
bool confirm_ask(const char *what, const char *word);

#endif
