/* Who has a port or a device is named. */
#include "holder.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* A child that inherited what we have open, and only waits. */
static pid_t start_child(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		/* A test that fails must not leave it behind. */
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;) {
			(void)pause();
		}
	}
	return pid;
}

static void end_child(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static int open_listener(unsigned int *ret_port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t size = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
	*ret_port = ntohs(at.sin_port);
	return fd;
}

static void the_program_that_listens_on_a_port_is_named(void **state)
{
	struct holder h = {0};
	char words[HOLDER_WORDS_BYTES];
	unsigned int port;
	int fd = open_listener(&port);
	pid_t child = start_child();

	(void)state;
	(void)close(fd);
	assert_true(holder_of_port(port, &h));
	assert_int_equal(h.pid, child);
	assert_string_equal(h.name, "test_holder");
	holder_port_words(port, words);
	assert_non_null(strstr(words, "by test_holder (pid "));
	end_child(child);
	assert_false(holder_of_port(port, &h));
}

static void the_program_that_has_a_device_open_is_named(void **state)
{
	struct holder h = {0};
	char path[64], words[HOLDER_WORDS_BYTES];
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	int slave = -1;
	pid_t child;

	(void)state;
	if (master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0 &&
		ptsname_r(master, path, sizeof path) == 0) {
		slave = open(path, O_RDWR | O_NOCTTY);
	}
	if (slave < 0) {
		skip();
	}
	child = start_child();
	(void)close(slave);
	assert_true(holder_of_device(path, &h));
	assert_int_equal(h.pid, child);
	end_child(child);
	assert_false(holder_of_device(path, &h));
	holder_device_words(path, words);
	assert_non_null(strstr(words, "fuser"));
	(void)close(master);
}

static void what_is_no_device_is_held_by_nobody(void **state)
{
	struct holder h;

	(void)state;
	assert_false(holder_of_device("/no/such/device", &h));
	assert_false(holder_of_device("/proc/self/status", &h));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_program_that_listens_on_a_port_is_named),
		cmocka_unit_test(the_program_that_has_a_device_open_is_named),
		cmocka_unit_test(what_is_no_device_is_held_by_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
