#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ipc.h"
#include "leash.h"
#include "sandbox.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OTHER_USER = 12345, LONG_S = 20 };

/* A role in its sandbox that gave away its leash and then never listens again. Both ends of a
 * message socket are the test's. */
static pid_t hung_role(int *ret_keeper)
{
	const struct sandbox rights = {.rights = SANDBOX_DEVICE};
	int pair[2];
	pid_t pid;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		char report[256];
		sigset_t all;

		if (getuid() == 0 && setresuid(OTHER_USER, OTHER_USER, OTHER_USER) < 0) {
			_exit(1);
		}
		(void)alarm(LONG_S);
		leash_give(pair[1]);
		if (sandbox_enter(&rights, report, sizeof report) < 0) {
			_exit(2);
		}
		(void)sigfillset(&all);
		(void)sigdelset(&all, SIGALRM);
		(void)sigprocmask(SIG_BLOCK, &all, NULL);
		for (;;) {
			__asm__ volatile("" ::: "memory");
		}
	}
	(void)close(pair[1]);
	*ret_keeper = pair[0];
	return pid;
}

static int take_leash(int keeper)
{
	uint8_t buffer[64];
	struct ipc_message m;
	int r;

	do {
		r = ipc_receive(keeper, buffer, sizeof buffer, &m);
	} while (r == -EAGAIN && usleep(1000) == 0);
	assert_int_equal(r, 0);
	assert_int_equal(m.type, IPC_LEASH);
	assert_true(m.descriptors[0] >= 0);
	return m.descriptors[0];
}

static void a_hung_process_of_another_user_is_ended_at_once(void **state)
{
	int keeper, leash, status;
	pid_t pid = hung_role(&keeper);

	(void)state;
	leash = take_leash(keeper);
	assert_int_equal(leash_pull(leash), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
	/* And nothing happens to a keeper that is late. */
	assert_true(leash_pull(leash) < 0);
	(void)close(leash);
	(void)close(keeper);
}

static void a_keeper_that_goes_ends_nobody(void **state)
{
	int keeper, leash, status;
	pid_t pid = hung_role(&keeper);

	(void)state;
	leash = take_leash(keeper);
	(void)close(leash);
	(void)close(keeper);
	(void)usleep(50000);
	assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
	(void)kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
}

static void what_is_no_leash_is_harmless(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_true(leash_pull(ends[1]) < 0);
	(void)close(ends[0]);
	assert_true(leash_pull(ends[1]) < 0); /* no SIGPIPE */
	(void)close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hung_process_of_another_user_is_ended_at_once),
		cmocka_unit_test(a_keeper_that_goes_ends_nobody),
		cmocka_unit_test(what_is_no_leash_is_harmless),
	};

	return cmocka_run_group_tests_name("leash", tests, NULL, NULL);
}
