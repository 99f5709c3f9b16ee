/*
 * O-LEAK: what a process holds, to be compared with what it held before.
 */
#ifndef CAMGATE_TESTS_LEAK_H
#define CAMGATE_TESTS_LEAK_H

#include <stdbool.h>
#include <sys/types.h>

struct leak {
	unsigned int descriptors, threads;
};

/* -EACCES: only root may look. */
int leak_measure(pid_t pid, struct leak *ret);
/* True when nothing of `now` is more than it was before. */
bool leak_none(const struct leak *before, const struct leak *now);

#endif
