/*
 * The factory reset: deletes what a hub knows, so that its next start is a first one.
 *
 * Whoever deletes holds the lock of the state directory, which stays: the keeper that runs, after
 * it has cut everybody off, or the command itself when none runs.
 */
#ifndef CAMGATE_FORGET_H
#define CAMGATE_FORGET_H

#include <jansson.h>

/* Deletes the files of the state. {"ok":true,"message":…,"deleted":[NAME,…]}, or {"ok":false,…}
 * that says what is still there; NULL: no memory. */
json_t *forget_delete(const char *state_dir);

#endif
