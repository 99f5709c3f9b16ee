/*
 * What the parts of the preloaded library share. No system call is made to decide whether one
 * fails, but for those that tell what a descriptor is, which every sandbox here allows.
 */
#ifndef CAMGATE_TESTS_PRELOAD_H
#define CAMGATE_TESTS_PRELOAD_H

#include "injection.h"

#include <stdbool.h>
#include <stddef.h>

#define EXPORT __attribute__((visibility("default")))

/* The next definition of a function, looked up once. */
void *next_of(_Atomic(void *) *cache, const char *name);
/* Is this the call that fails? Counted as injected if so. */
bool inject(enum injection_kind kind);
/* The same, where only the caller knows whether it comes to anything: it calls inject_count. */
bool inject_is_due(enum injection_kind kind);
void inject_count(enum injection_kind kind);

enum descriptor { DESCRIPTOR_OTHER, DESCRIPTOR_FILE, DESCRIPTOR_STREAM, DESCRIPTOR_PACKETS };
enum descriptor descriptor_of(int fd);

/* Looks up all functions, before a sandbox is entered. */
void files_start(void);
void sockets_start(void);

#endif
