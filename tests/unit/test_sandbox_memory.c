/* Without memory a sandbox is made right or not at all: libseccomp may crash, never come back, or
 * say that all is well and have half of a filter. */
#include "sandbox.h"
#include "sandbox_calls.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RIGHTS = SANDBOX_DEVICE | SANDBOX_RING, APART = 151, LAST = 8 };
enum verdict { RIGHT, REFUSED, WRONG, VERDICTS };

/* Sanitizers have their own allocators, and those builds no sandbox. */
#ifndef CAMGATE_SANITIZED

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *p, size_t size);

static unsigned long allocations, failing;

static bool fails(void)
{
	return ++allocations == failing;
}

/* What libseccomp calls, too: it is looked for in the program first. */
void *malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *p, size_t size)
{
	return fails() ? NULL : __libc_realloc(p, size);
}

static struct sandbox_code wanted, made;

/* In a process of its own, where this allocation fails. Its filter has its own pid in it, and is
 * otherwise as long. */
static enum verdict verdict_of(unsigned long allocation)
{
	pid_t pid = fork();
	int how;

	assert_true(pid >= 0);
	if (pid == 0) {
		(void)signal(SIGSEGV, SIG_DFL); /* which cmocka catches */
		/* What glibc says of a heap in disorder. */
		(void)dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
		allocations = 0;
		failing = allocation;
		if (sandbox_calls_build(RIGHTS, &made) < 0) {
			_exit(REFUSED);
		}
		_exit(made.count == wanted.count ? RIGHT : WRONG);
	}
	assert_int_equal(waitpid(pid, &how, 0), pid);
	/* A process that ended has no sandbox either. */
	return WIFEXITED(how) ? (enum verdict)WEXITSTATUS(how) : REFUSED;
}

static void a_sandbox_made_without_memory_is_the_right_one_or_none(void **state)
{
	unsigned int verdicts[VERDICTS] = {0};
	unsigned long count;

	(void)state;
	allocations = 0;
	assert_int_equal(sandbox_calls_build(RIGHTS, &wanted), 0);
	count = allocations;
	assert_true(count > 8 * LAST);
	/* Where each half is exported is where it goes wrong unnoticed. */
	for (unsigned long i = 1; i <= count; i++) {
		bool exports = i <= count / 2 ? i + LAST > count / 2 : i + LAST > count;

		if (i % APART == 0 || exports) {
			verdicts[verdict_of(i)]++;
		}
	}
	assert_int_equal(verdicts[WRONG], 0);
	assert_true(verdicts[REFUSED] > 0);
}

static void a_filter_is_the_same_each_time(void **state)
{
	(void)state;
	assert_int_equal(sandbox_calls_build(RIGHTS, &wanted), 0);
	assert_int_equal(sandbox_calls_build(RIGHTS, &made), 0);
	assert_int_equal(made.count, wanted.count);
	assert_memory_equal(made.code, wanted.code, made.count * sizeof(made.code[0]));
}

#else

static void a_sandbox_made_without_memory_is_the_right_one_or_none(void **state)
{
	(void)state;
	skip();
}

static void a_filter_is_the_same_each_time(void **state)
{
	(void)state;
	skip();
}

#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_filter_is_the_same_each_time),
		cmocka_unit_test(a_sandbox_made_without_memory_is_the_right_one_or_none),
	};

	return cmocka_run_group_tests_name("sandbox memory", tests, NULL, NULL);
}
