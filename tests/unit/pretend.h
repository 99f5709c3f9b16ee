/*
 * Runs a test's program again below umockdev-run, where /sys and /dev are those of a description in
 * tests/udev. For one source file of a test.
 */
#ifndef CAMGATE_TESTS_PRETEND_H
#define CAMGATE_TESTS_PRETEND_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* Whether this is such a run. */
static inline bool pretended(void)
{
	return getenv("UMOCKDEV_DIR") != NULL;
}

/* Runs the program again with this description and argument: its exit code; -1 without umockdev. */
static inline int pretend(const char *description, const char *argument)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
	int status;
	pid_t pid;

	if (n < 0) {
		return -1;
	}
	path[n] = '\0';
	(void)fflush(NULL);
	pid = fork();
	if (pid == 0) {
		/* The library that pretends is loaded before the sanitizer's. */
		(void)setenv("ASAN_OPTIONS", "verify_asan_link_order=0:detect_leaks=0", 0);
		(void)execlp("umockdev-run", "umockdev-run", "-d", description, "--", path,
			argument, (char *)NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || !WIFEXITED(status)) {
		return 1;
	}
	return WEXITSTATUS(status) == 127 ? -1 : WEXITSTATUS(status);
}

#endif
