/* Each case runs in a child of its own, as descriptor 3 is what the test program has there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "activation.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FIRST = 3, FLAGS_MISSING = 200, VARIABLES_LEFT, RESULT_OFFSET = 100 };

static int listening_socket(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return bind(fd, (struct sockaddr *)&a, sizeof a) < 0 || listen(fd, 1) < 0 ? -1 : fd;
}

static int plain_file(void)
{
	return open("/dev/null", O_RDONLY);
}

static int unconnected_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

static int datagram_socket(void)
{
	return socket(AF_INET, SOCK_DGRAM, 0);
}

/* What activation_socket returns to a process that was handed this; negative errno values. */
static int taken(int make(void), const char *count, bool to_another)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		char text[32];
		int fd = make();
		int r;

		if (fd != FIRST) {
			(void)dup2(fd, FIRST);
			(void)close(fd);
		}
		snprintf(text, sizeof text, "%ld", (long)(to_another ? getppid() : getpid()));
		setenv("LISTEN_PID", text, 1);
		setenv("LISTEN_FDS", count, 1);
		r = activation_socket();
		if (getenv("LISTEN_PID") != NULL || getenv("LISTEN_FDS") != NULL) {
			_exit(VARIABLES_LEFT);
		}
		if (r >= 0 && ((fcntl(r, F_GETFL) & O_NONBLOCK) == 0 ||
				      (fcntl(r, F_GETFD) & FD_CLOEXEC) == 0)) {
			_exit(FLAGS_MISSING);
		}
		_exit(r < 0 ? RESULT_OFFSET - r : r);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status) > RESULT_OFFSET ? RESULT_OFFSET - WEXITSTATUS(status)
						   : WEXITSTATUS(status);
}

static void a_listening_socket_is_taken(void **state)
{
	(void)state;
	assert_int_equal(taken(listening_socket, "1", false), FIRST);
}

static void what_was_meant_for_another_process_is_left_alone(void **state)
{
	(void)state;
	assert_int_equal(taken(listening_socket, "1", true), -ENOENT);
	assert_int_equal(taken(listening_socket, "0", false), -ENOENT);
	assert_int_equal(taken(listening_socket, "one", false), -ENOENT);
	assert_int_equal(taken(listening_socket, "-1", false), -ENOENT);
}

static void what_does_not_listen_is_refused(void **state)
{
	(void)state;
	assert_int_equal(taken(plain_file, "1", false), -ENOTSOCK);
	assert_int_equal(taken(unconnected_socket, "1", false), -ENOTSOCK);
	assert_int_equal(taken(datagram_socket, "1", false), -ENOTSOCK);
}

static void several_sockets_are_refused(void **state)
{
	(void)state;
	assert_int_equal(taken(listening_socket, "2", false), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_listening_socket_is_taken),
		cmocka_unit_test(what_was_meant_for_another_process_is_left_alone),
		cmocka_unit_test(what_does_not_listen_is_refused),
		cmocka_unit_test(several_sockets_are_refused),
	};

	return cmocka_run_group_tests_name("activation", tests, NULL, NULL);
}
