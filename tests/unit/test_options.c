#include "command.h"
#include "options.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { ARGUMENTS_MAX = 40 };

static int stderr_copy = -1;

/* Parses a command line that is written with single spaces. What it says is not for the test's
 * output. */
static int parse(struct options *o, const char *line)
{
	static char text[512];
	char *argv[ARGUMENTS_MAX];
	int argc = 0;
	int r;

	assert_true(strlen(line) < sizeof text);
	memcpy(text, line, strlen(line) + 1);
	for (char *at = text; at != NULL && argc < ARGUMENTS_MAX; argc++) {
		argv[argc] = at;
		at = strchr(at, ' ');
		if (at != NULL) {
			*at++ = '\0';
		}
	}
	(void)fflush(stderr);
	assert_non_null(freopen("/dev/null", "w", stderr));
	r = options_parse(o, argc, argv);
	(void)fflush(stderr);
	assert_true(dup2(stderr_copy, STDERR_FILENO) >= 0);
	return r;
}

static int set_up(void **state)
{
	(void)state;
	stderr_copy = dup(STDERR_FILENO);
	(void)unsetenv("RUNTIME_DIRECTORY");
	(void)unsetenv("STATE_DIRECTORY");
	(void)unsetenv("XDG_STATE_HOME");
	return setenv("HOME", "/home/nobody-here", 1);
}

static void run_keeps_its_state_in_the_home_and_services_do_not(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(parse(&o, "run"), 0);
	assert_string_equal(o.state_dir, "/home/nobody-here/.local/state/camgate");
	assert_string_equal(o.socket_dir, "/home/nobody-here/.local/state/camgate/sockets");
	assert_int_equal(setenv("XDG_STATE_HOME", "/xdg", 1), 0);
	assert_int_equal(parse(&o, "run"), 0);
	assert_string_equal(o.state_dir, "/xdg/camgate");
	assert_int_equal(setenv("XDG_STATE_HOME", "relative/is/ignored", 1), 0);
	assert_int_equal(parse(&o, "run"), 0);
	assert_string_equal(o.state_dir, "/home/nobody-here/.local/state/camgate");
	assert_int_equal(unsetenv("XDG_STATE_HOME"), 0);
	assert_int_equal(parse(&o, "keeper"), 0);
	assert_string_equal(o.state_dir, "/var/lib/camgate");
	assert_string_equal(o.socket_dir, "/run/camgate");
}

static void the_state_directory_is_absolute_and_without_a_final_slash(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(chdir("/usr"), 0);
	assert_int_equal(parse(&o, "status --state lib/x/"), 0);
	assert_string_equal(o.state_dir, "/usr/lib/x");
	assert_string_equal(o.socket_dir, "/usr/lib/x/sockets");
	assert_int_equal(parse(&o, "status --state=/a"), 0);
	assert_string_equal(o.state_dir, "/a");
	assert_int_equal(parse(&o, "status --state="), -EINVAL);
}

static void systemd_says_where_sockets_are(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(setenv("RUNTIME_DIRECTORY", "/run/elsewhere", 1), 0);
	assert_int_equal(parse(&o, "web --state /a"), 0);
	assert_string_equal(o.socket_dir, "/run/elsewhere");
	assert_int_equal(unsetenv("RUNTIME_DIRECTORY"), 0);
}

static void options_are_read_in_any_order(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(
		parse(&o, "run --camera pattern:640x480@5 --listen 127.0.0.1:0 "
			  "--camera /dev/video2 --rotate 5 --linger=0 --host cam.example --qr"),
		0);
	assert_int_equal(o.cameras_count, 2);
	assert_string_equal(o.cameras[1], "/dev/video2");
	assert_string_equal(o.listen, "127.0.0.1:0");
	assert_int_equal(o.rotate_s, 5);
	assert_int_equal(o.linger_s, 0);
	assert_string_equal(o.hosts[0], "cam.example");
	assert_true(o.qr);
	assert_int_equal(parse(&o, "grant Tablet --json Door"), 0);
	assert_string_equal(o.arguments[1], "Door");
	assert_true(o.json);
	assert_int_equal(parse(&o, "grant -- --odd Door"), 0);
	assert_string_equal(o.arguments[0], "--odd");
}

static void defaults_are_those_of_the_manual(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(parse(&o, "run"), 0);
	assert_string_equal(o.listen, "[::]:8443");
	assert_int_equal(o.rotate_s, 600);
	assert_int_equal(o.linger_s, 2);
	assert_int_equal(o.listen_fd, -1);
	assert_int_equal(o.ready_fd, -1);
}

static void wrong_usage_is_refused(void **state)
{
	static const char *const wrong[] = {"run --rotate 0", "run --rotate 601", "run --rotate 5x",
		"run --rotate -5", "run --rotate", "run --listen 8443x", "run --listen ::1:80",
		"run --listen 1.2.3.4:70000", "run --camera video0", "run --camera patterns",
		"run --owner", "run --json=yes", "run extra", "pair --minutes 0", "grant Tablet",
		"grant a b c", "revoke a b c", "suspend", "suspend a b", "forget it", "name Door",
		"camera", "camera pattern --camera pattern", "web --ready-fd x", "unheard-of",
		"run --cam pattern", "run --stat /a", "pair --name="};
	struct options o;

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		if (parse(&o, wrong[i]) != -EINVAL) {
			fail_msg("taken: %s", wrong[i]);
		}
	}
}

static void every_role_takes_what_run_gives_it(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(
		parse(&o, "keeper --state /a --ready-fd 5 --name hub.example --host b"), 0);
	assert_int_equal(parse(&o, "web --state /a --ready-fd 5 --listen-fd 6"), 0);
	assert_int_equal(
		parse(&o, "camera --state /a --ready-fd 5 --rotate 6 --linger 7 --instance 8 "
			  "--discovered -- /dev/video0"),
		0);
	assert_true(o.discovered);
	assert_string_equal(o.arguments[0], "/dev/video0");
}

static void a_misspelt_command_is_recognised(void **state)
{
	(void)state;
	assert_string_equal(command_nearest("camera"), "camera");
	assert_string_equal(command_nearest("cameraz"), "cameras");
	assert_string_equal(command_nearest("rvoke"), "revoke");
	assert_string_equal(command_nearest("staus"), "status");
	assert_null(command_nearest("frobnicate"));
	assert_null(command_nearest(""));
	assert_null(command_nearest("a-name-that-is-much-longer-than-any-command-can-be"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(run_keeps_its_state_in_the_home_and_services_do_not),
		cmocka_unit_test(the_state_directory_is_absolute_and_without_a_final_slash),
		cmocka_unit_test(systemd_says_where_sockets_are),
		cmocka_unit_test(options_are_read_in_any_order),
		cmocka_unit_test(defaults_are_those_of_the_manual),
		cmocka_unit_test(wrong_usage_is_refused),
		cmocka_unit_test(every_role_takes_what_run_gives_it),
		cmocka_unit_test(a_misspelt_command_is_recognised),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
