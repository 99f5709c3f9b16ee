#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "notify.h"
#include "sandbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static char path[] = "/tmp/test_notify.XXXXXX/notify";
static int manager = -1; /* the service manager's socket */

/* Binds the manager's socket: a path, or a name in the abstract namespace after '@'. */
static void manager_open(const char *name)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	size_t size = strlen(name);

	memcpy(a.sun_path, name, size);
	if (name[0] == '@') {
		a.sun_path[0] = '\0';
	}
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(manager, (struct sockaddr *)&a,
				 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size)),
		0);
	assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
}

static void expect(const char *text)
{
	char got[1024];
	ssize_t n = recv(manager, got, sizeof got - 1, 0);

	assert_true(n >= 0);
	got[n] = '\0';
	assert_string_equal(got, text);
}

static void expect_nothing(void)
{
	char got[1024];

	assert_int_equal(recv(manager, got, sizeof got, 0), -1);
}

static int set_up(void **state)
{
	char *slash = strrchr(path, '/');

	(void)state;
	memcpy(path, "/tmp/test_notify.XXXXXX", 23);
	*slash = '\0';
	assert_non_null(mkdtemp(path));
	*slash = '/';
	return 0;
}

static int tear_down(void **state)
{
	char *slash = strrchr(path, '/');

	(void)state;
	(void)close(manager);
	manager = -1;
	(void)unlink(path);
	*slash = '\0';
	assert_int_equal(rmdir(path), 0);
	*slash = '/';
	(void)unsetenv("NOTIFY_SOCKET");
	(void)unsetenv("WATCHDOG_USEC");
	(void)unsetenv("WATCHDOG_PID");
	return 0;
}

static void the_manager_hears_of_readiness_and_of_the_end(void **state)
{
	struct notify n;

	(void)state;
	manager_open(path);
	notify_init(&n);
	expect_nothing();
	notify_ready(&n, "serving");
	expect("READY=1\nSTATUS=serving");
	notify_stopping(&n, NULL);
	expect("STOPPING=1");
	notify_finish(&n);
	assert_null(getenv("NOTIFY_SOCKET"));
}

static void an_abstract_name_is_reached_too(void **state)
{
	struct notify n;
	char name[64];

	(void)state;
	snprintf(name, sizeof name, "@camgate-test-notify-%ld", (long)getpid());
	manager_open(name);
	notify_init(&n);
	notify_ready(&n, "serving");
	expect("READY=1\nSTATUS=serving");
	notify_finish(&n);
}

static void a_status_cannot_say_anything_else(void **state)
{
	struct notify n;
	char text[2000];

	(void)state;
	manager_open(path);
	notify_init(&n);
	notify_ready(&n, "Door\nMAINPID=1");
	expect("READY=1\nSTATUS=Door MAINPID=1");
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	notify_ready(&n, text);
	assert_int_equal(recv(manager, text, sizeof text, 0), 511);
	notify_finish(&n);
}

static void signs_of_life_come_twice_as_often_as_asked(void **state)
{
	struct notify n;
	char pid[32];

	(void)state;
	manager_open(path);
	snprintf(pid, sizeof pid, "%ld", (long)getpid());
	setenv("WATCHDOG_USEC", "2000000", 1);
	setenv("WATCHDOG_PID", pid, 1);
	notify_init(&n);
	notify_alive(&n, 5000000);
	expect("WATCHDOG=1");
	notify_alive(&n, 5999999);
	expect_nothing();
	assert_int_equal(notify_timeout_ms(&n, 5999000, 5000), 1);
	assert_int_equal(notify_timeout_ms(&n, 5000000, -1), 1000);
	assert_int_equal(notify_timeout_ms(&n, 5000000, 10), 10);
	assert_int_equal(notify_timeout_ms(&n, 7000000, -1), 0);
	notify_alive(&n, 6000000);
	expect("WATCHDOG=1");
	notify_finish(&n);
}

static void a_watchdog_of_another_process_is_not_ours(void **state)
{
	struct notify n;

	(void)state;
	manager_open(path);
	setenv("WATCHDOG_USEC", "2000000", 1);
	setenv("WATCHDOG_PID", "1", 1);
	notify_init(&n);
	notify_alive(&n, 5000000);
	expect_nothing();
	assert_int_equal(notify_timeout_ms(&n, 5000000, -1), -1);
	notify_finish(&n);
}

static void without_a_manager_nothing_happens(void **state)
{
	struct notify n;

	(void)state;
	setenv("WATCHDOG_USEC", "2000000", 1);
	notify_init(&n);
	assert_int_equal(n.fd, -1);
	notify_ready(&n, "serving");
	notify_alive(&n, 5000000);
	assert_int_equal(notify_timeout_ms(&n, 5000000, 30), 30);
	setenv("NOTIFY_SOCKET", "/nowhere/notify", 1);
	notify_init(&n);
	assert_int_equal(n.fd, -1);
	setenv("NOTIFY_SOCKET", "relative", 1);
	notify_init(&n);
	assert_int_equal(n.fd, -1);
	notify_finish(&n);
}

/* Both kinds of names: the abstract one is what Landlock's scopes forbid to connect to. */
static void the_sandbox_lets_messages_out(void **state)
{
	static const unsigned int rights[] = {SANDBOX_ACCEPT,
		SANDBOX_ACCEPT | SANDBOX_FILES | SANDBOX_SIGNAL, SANDBOX_DEVICE | SANDBOX_RING};
	char name[64];

	(void)state;
	snprintf(name, sizeof name, "@camgate-test-sandbox-%ld", (long)getpid());
	for (size_t i = 0; i < 2 * sizeof rights / sizeof rights[0]; i++) {
		struct sandbox s = {.rights = rights[i / 2]};
		char report[256];
		pid_t pid;
		int status;

		(void)unlink(path);
		manager_open(i % 2 == 0 ? path : name);
		pid = fork();
		if (pid == 0) {
			struct notify n;

			notify_init(&n);
			if (sandbox_enter(&s, report, sizeof report) == 0) {
				notify_ready(&n, "serving");
				notify_finish(&n);
				_exit(0);
			}
			_exit(1);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		expect("READY=1\nSTATUS=serving");
		(void)close(manager);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_manager_hears_of_readiness_and_of_the_end),
		TEST(an_abstract_name_is_reached_too),
		TEST(a_status_cannot_say_anything_else),
		TEST(signs_of_life_come_twice_as_often_as_asked),
		TEST(a_watchdog_of_another_process_is_not_ours),
		TEST(without_a_manager_nothing_happens),
		TEST(the_sandbox_lets_messages_out),
	};

	return cmocka_run_group_tests_name("notify", tests, NULL, NULL);
}
