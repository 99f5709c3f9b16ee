/*
 * O-MEM: pieces of pictures (canary.h) in the memory of other processes.
 */
#ifndef CAMGATE_TESTS_MEMORY_H
#define CAMGATE_TESTS_MEMORY_H

#include "canary.h"

#include <sys/types.h>

/* Canaries in all that the process can read; it stands still meanwhile, unless it is the caller.
 * -EACCES when its memory is for root to read. */
int memory_search(pid_t pid, size_t piece, struct canary_owner owner);

#endif
