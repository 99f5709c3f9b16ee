/* The configuration file: what it may say, and what is said about what it may not. */
#include "config.h"
#include "options.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { SAID_BYTES = 8192 };

static struct config config;
static char said[SAID_BYTES]; /* one problem per line, "W " or "E " before it */

static void note(void *data, bool warning, const char *problem)
{
	size_t used = strlen(said);

	(void)data;
	(void)snprintf(said + used, sizeof said - used, "%s %s\n", warning ? "W" : "E", problem);
}

static const struct config_report report = {.say = note};

static int parse_bytes(const char *text, size_t size)
{
	said[0] = '\0';
	return config_parse(text, size, "f.conf", &config, &report);
}

static int parse(const char *text)
{
	memset(&config, 0, sizeof config);
	return parse_bytes(text, strlen(text));
}

static void says(const char *text, const char *problem)
{
	if (strstr(said, problem) == NULL) {
		fail_msg("about\n%s\nit should say: %s\nand said:\n%s", text, problem, said);
	}
}

static void refuses(const char *text, const char *problem)
{
	if (parse(text) != -EBADMSG) {
		fail_msg("taken: %s", text);
	}
	says(text, problem);
}

static void takes(const char *text)
{
	if (parse(text) != 0 || said[0] != '\0') {
		fail_msg("not taken: %s\n%s", text, said);
	}
}

static void everything_that_may_be_configured_is_read(void **state)
{
	(void)state;
	takes("# of the hub\n[hub]\nname = hub.example\n hosts = cam.example, 192.0.2.7 b\n"
	      "\thosts=c\r\nlisten = [::]:443\ntls_cert = /etc/x/cert.pem\n"
	      "tls_key: tls_key\nlinger = 0\nrotate = 60 ; short\n\n"
	      "[camera Front door]\nmode = 1280x720@15\n[camera 0123abcd]\n\nmode=640x480\n");
	assert_string_equal(config.name, "hub.example");
	assert_int_equal(config.hosts_count, 4);
	assert_string_equal(config.hosts[0], "cam.example");
	assert_string_equal(config.hosts[1], "192.0.2.7");
	assert_string_equal(config.hosts[3], "c");
	assert_string_equal(config.listen, "[::]:443");
	assert_string_equal(config.tls_cert, "/etc/x/cert.pem");
	assert_string_equal(config.tls_key, "tls_key");
	assert_int_equal(config.tls_line, 8);
	assert_true(config.has_linger);
	assert_int_equal(config.linger_s, 0);
	assert_int_equal(config.rotate_s, 60);
	assert_int_equal(config.cameras_count, 2);
	assert_string_equal(config.cameras[0].camera, "Front door");
	assert_int_equal(config.cameras[0].mode.width, 1280);
	assert_int_equal(config.cameras[0].mode.height, 720);
	assert_int_equal(config.cameras[0].mode.fps, 15);
	assert_int_equal(config.cameras[1].mode.fps, 0);
}

static void an_empty_file_is_fine_and_so_is_one_without_a_last_newline(void **state)
{
	(void)state;
	takes("");
	assert_false(config.has_linger);
	takes("\xef\xbb\xbf[hub]\nname = a");
	assert_string_equal(config.name, "a");
}

static void what_is_wrong_is_told_with_file_and_line(void **state)
{
	static const struct {
		const char *text, *problem;
	} wrong[] = {
		{"[hub]\nname = a b",
			"E f.conf:2: name = a b is not understood; it should be a host"},
		{"[hub]\n\nname = http://a/", "E f.conf:3: name = "},
		{"[hub]\nhosts = a, b/", "E f.conf:2: hosts = "},
		{"[hub]\nhosts = 1 2 3 4 5 6 7 8 9 a b c d e f g h", "E f.conf:2: hosts = "},
		{"[hub]\nlisten = 8443x", "E f.conf:2: listen = "},
		{"[hub]\nlisten = ::1:80", "it should be ADDRESS:PORT"},
		{"[hub]\nlinger = 3601", "E f.conf:2: linger = 3601"},
		{"[hub]\nconnections = 15", "E f.conf:2: connections = 15"},
		{"[hub]\nconnections = 2049", "E f.conf:2: connections = 2049"},
		{"[hub]\nconnections = many", "E f.conf:2: connections = many"},
		{"[hub]\nlinger = -1", "E f.conf:2: linger = "},
		{"[hub]\nlinger = 5 # seconds", "E f.conf:2: linger = 5 # seconds"},
		{"[hub]\nrotate = 0", "E f.conf:2: rotate = 0"},
		{"[hub]\nrotate = 4294967297", "E f.conf:2: rotate = "},
		{"[hub]\nname =", "E f.conf:2: name has no value"},
		{"[hub]\nname = a\nlinger = 1\nname = b", "E f.conf:4: name was given in line 2"},
		{"[hub]\ntls_cert = etc/x\ntls_key = /x", "E f.conf:2: tls_cert = etc/x"},
		{"[hub]\ntls_cert = ..\ntls_key = /x", "E f.conf:2: tls_cert = .."},
		{"[hub]\ntls_cert = /x", "E f.conf:2: tls_cert without tls_key"},
		{"[hub]\n\ntls_key = /x", "E f.conf:3: tls_key without tls_cert"},
		{"name = a", "E f.conf:1: name is in no section; write [hub] above it"},
		{"[hub]\nname\n", "E f.conf:2: this is neither [section] nor KEY = VALUE"},
		{"\n[hub\nname = a\n", "E f.conf:2: this is neither"},
		{"[camera]\nmode = 640x480", "E f.conf:1: which camera?"},
		{"[camera A]\nmode = 640", "E f.conf:2: mode = 640 is not understood"},
		{"[camera A]\nmode = 640x480@0", "E f.conf:2: mode = "},
		{"[camera A]\nmode = 640x480@15fps", "E f.conf:2: mode = "},
		{"[camera A]\nmode = 9x480", "E f.conf:2: mode = "},
		{"[camera A]\nmode = 640x480\nmode = 640x480",
			"E f.conf:3: mode was given in line 2"},
		{"[camera A]\n[camera  A ]\n", "E f.conf:2: [camera A] is there twice"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		refuses(wrong[i].text, wrong[i].problem);
	}
}

static void everything_wrong_is_told_not_only_the_first(void **state)
{
	(void)state;
	refuses("[hub]\nlinger = x\nrotate = y\n", "E f.conf:2: linger = x");
	says("", "E f.conf:3: rotate = y");
	says("", "seconds, 1 to 600");
}

static void a_refused_file_changes_nothing(void **state)
{
	static const char after[] = "[hub]\nname = after\nlinger = x\n";

	(void)state;
	takes("[hub]\nname = before\n");
	assert_int_equal(parse_bytes(after, sizeof after - 1), -EBADMSG);
	assert_string_equal(config.name, "before");
}

static void lines_that_inih_cannot_hold_are_told(void **state)
{
	char text[600] = "[hub]\nname = ";
	size_t used = strlen(text);

	(void)state;
	memset(text + used, 'a', 400);
	refuses(text, "E f.conf:2: this line is too long: 198 bytes at most");
	text[6] = '#';
	takes(text);
	assert_int_equal(parse_bytes("[hub]\nname\0=a\n", 14), -EBADMSG);
	says("", "E f.conf:2: this is no text");
	assert_int_equal(parse_bytes("[hub]\nname = \x1b[2J\n", 18), -EBADMSG);
	assert_null(strchr(said, 0x1b));
}

static void what_is_unknown_is_a_warning_with_the_nearest_known(void **state)
{
	static const struct {
		const char *text, *problem;
	} strange[] = {
		{"[hub]\ntls_crt = /x",
			"W f.conf:2: there is no key \"tls_crt\"; it is ignored. Did "
			"you mean \"tls_cert\"?\n"},
		{"[hub]\nhost = x", "Did you mean \"hosts\"?"},
		{"[hub]\nfrobnicate = x",
			"W f.conf:2: there is no key \"frobnicate\"; it is ignored\n"},
		{"[hubs]\nname = x",
			"W f.conf:1: there is no section \"hubs\"; it is ignored. Did you "
			"mean \"hub\"?\n"},
		{"[camera A]\nmoed = x", "Did you mean \"mode\"?"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof strange / sizeof strange[0]; i++) {
		assert_int_equal(parse(strange[i].text), 0);
		says(strange[i].text, strange[i].problem);
		assert_string_equal(config.name, "");
	}
}

static void a_camera_is_found_by_the_first_of_its_names(void **state)
{
	const char *const names[] = {"", "C270 (port 1.2)", "046d:0825", NULL};
	const char *const others[] = {"", "C270", NULL};

	(void)state;
	takes("[camera 046d:0825]\nmode = 640x480\n[camera C270 (port 1.2)]\nmode = 320x240\n");
	assert_int_equal(config_camera_find(&config, names)->mode.width, 320);
	assert_null(config_camera_find(&config, others));
}

/* ---- together with the command line ---- */

static char path[] = "/tmp/camgate-config-XXXXXX";
static int stderr_copy = -1;

static int make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	stderr_copy = dup(STDERR_FILENO);
	return fd < 0 || close(fd) < 0 ? -1 : setenv("HOME", "/nonexistent", 1);
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

static int parse_options(struct options *o, const char *file, char *const *more, int count)
{
	static char run[] = "run", option[] = "--config";
	char *argv[16] = {run, option, path};
	FILE *f = fopen(path, "we");
	int r;

	assert_non_null(f);
	assert_true(fputs(file, f) >= 0);
	assert_int_equal(fclose(f), 0);
	for (int i = 0; i < count; i++) {
		argv[3 + i] = more[i];
	}
	(void)fflush(stderr);
	assert_non_null(freopen("/dev/null", "w", stderr));
	r = options_parse(o, 3 + count, argv);
	(void)fflush(stderr);
	assert_true(dup2(stderr_copy, STDERR_FILENO) >= 0);
	return r;
}

static const char hub_file[] = "[hub]\nname = file.example\nhosts = f1 f2\nlisten = 127.0.0.1:1\n"
			       "linger = 7\nrotate = 9\n";

static void the_file_beats_the_default(void **state)
{
	static struct options o;

	(void)state;
	assert_int_equal(parse_options(&o, hub_file, NULL, 0), 0);
	assert_string_equal(o.name, "file.example");
	assert_int_equal(o.hosts_count, 2);
	assert_string_equal(o.hosts[1], "f2");
	assert_string_equal(o.listen, "127.0.0.1:1");
	assert_int_equal(o.linger_s, 7);
	assert_int_equal(o.rotate_s, 9);
	assert_string_equal(o.config_file, path);
	assert_int_equal(parse_options(&o, "", NULL, 0), 0);
	assert_null(o.name);
	assert_string_equal(o.listen, "[::]:8443");
	assert_int_equal(o.linger_s, 2);
	assert_int_equal(o.rotate_s, 600);
}

static void the_command_line_beats_the_file(void **state)
{
	static char words[][24] = {"--name=line.example", "--host=l1", "--listen=127.0.0.1:0",
		"--linger=0", "--rotate=600"};
	char *more[] = {words[0], words[1], words[2], words[3], words[4]};
	static struct options o;

	(void)state;
	assert_int_equal(parse_options(&o, hub_file, more, 5), 0);
	assert_string_equal(o.name, "line.example");
	assert_int_equal(o.hosts_count, 1);
	assert_string_equal(o.hosts[0], "l1");
	assert_string_equal(o.listen, "127.0.0.1:0");
	assert_int_equal(o.linger_s, 0);
	assert_int_equal(o.rotate_s, 600);
}

static void a_bad_file_and_a_missing_one_that_was_named_are_no_wrong_usage(void **state)
{
	static char run[] = "keeper", option[] = "--config",
		    nowhere[] = "/nonexistent/camgate.conf";
	char *argv[] = {run, option, nowhere};
	static struct options o;
	int r;

	(void)state;
	assert_int_equal(parse_options(&o, "[hub]\nlinger = x\n", NULL, 0), -EBADMSG);
	(void)fflush(stderr);
	assert_non_null(freopen("/dev/null", "w", stderr));
	r = options_parse(&o, 3, argv);
	(void)fflush(stderr);
	assert_true(dup2(stderr_copy, STDERR_FILENO) >= 0);
	assert_int_equal(r, -EBADMSG);
}

static void what_cannot_be_read_is_told(void **state)
{
	(void)state;
	said[0] = '\0';
	assert_int_equal(config_read("/nonexistent", &config, &report), -ENOENT);
	assert_string_equal(said, "");
	assert_int_equal(config_read("/tmp", &config, &report), -EISDIR);
	says("", "E cannot read /tmp: Is a directory");
	said[0] = '\0';
	assert_int_equal(config_read("/dev/zero", &config, &report), -EFBIG);
	says("", "E cannot read /dev/zero: File too large");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_that_may_be_configured_is_read),
		cmocka_unit_test(an_empty_file_is_fine_and_so_is_one_without_a_last_newline),
		cmocka_unit_test(what_is_wrong_is_told_with_file_and_line),
		cmocka_unit_test(everything_wrong_is_told_not_only_the_first),
		cmocka_unit_test(a_refused_file_changes_nothing),
		cmocka_unit_test(lines_that_inih_cannot_hold_are_told),
		cmocka_unit_test(what_is_unknown_is_a_warning_with_the_nearest_known),
		cmocka_unit_test(a_camera_is_found_by_the_first_of_its_names),
		cmocka_unit_test(the_file_beats_the_default),
		cmocka_unit_test(the_command_line_beats_the_file),
		cmocka_unit_test(a_bad_file_and_a_missing_one_that_was_named_are_no_wrong_usage),
		cmocka_unit_test(what_cannot_be_read_is_told),
	};

	return cmocka_run_group_tests_name("config", tests, make_file, remove_file);
}
