/* The state directory of `camgate run`: made when missing, refused when it cannot be used. */
#ifndef CAMGATE_RUN_STATE_H
#define CAMGATE_RUN_STATE_H

#include "options.h"

/* Makes state and socket directory (0700). 0, or -errno after a line in the log that says what is
 * wrong and what to do. */
int run_state_make(const struct options *o);

#endif
