/*
 * The keys of cameras, on a pretended /sys: the test runs itself again below umockdev-run with the
 * devices of tests/unit/identity.umockdev, where that program is installed.
 */
#include "udev/identity.h"
#include "wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cmocka.h>

enum { VIDEO_MAJOR = 81 };

static bool pretended(void)
{
	return getenv("UMOCKDEV_DIR") != NULL;
}

static struct identity read_node(unsigned int number)
{
	struct identity i;

	assert_int_equal(identity_read(makedev(VIDEO_MAJOR, number), &i), 0);
	assert_true(wire_name_ok(i.name));
	return i;
}

static void only_good_serial_numbers_count(void **state)
{
	(void)state;
	assert_true(identity_serial_ok("A1B2C3D4"));
	assert_true(identity_serial_ok("0001"));
	assert_false(identity_serial_ok(NULL));
	assert_false(identity_serial_ok(""));
	assert_false(identity_serial_ok("200901010001"));
	assert_false(identity_serial_ok("SN0001"));
	assert_false(identity_serial_ok("00000000"));
	assert_false(identity_serial_ok("12"));
	assert_false(identity_serial_ok("ab\ncd"));
	assert_false(identity_serial_ok("ab cd"));
	assert_false(identity_serial_ok("\xff\xff\xfe\xff"));
}

static void names_are_for_people_and_always_valid(void **state)
{
	char name[IDENTITY_NAME_BYTES];
	char long_model[200];

	(void)state;
	identity_make_name("C270", "1.2", name);
	assert_string_equal(name, "C270 (port 1.2)");
	identity_make_name("  C270\t HD  ", "", name);
	assert_string_equal(name, "C270 HD");
	identity_make_name("", "", name);
	assert_string_equal(name, "Camera");
	identity_make_name("\xff\n\x01", "3", name);
	assert_string_equal(name, "Camera (port 3)");
	for (size_t offset = 0; offset < 4; offset++) {
		memset(long_model, 'x', offset);
		for (size_t i = offset; i + 2 < sizeof long_model; i += 2) {
			memcpy(long_model + i, "é", 2);
		}
		long_model[sizeof long_model - 2 + offset % 2] = '\0';
		identity_make_name(long_model, "1.2", name);
		assert_true(wire_name_ok(name));
		assert_non_null(strstr(name, "(port 1.2)"));
	}
}

static void a_good_serial_number_is_the_identity(void **state)
{
	struct identity i;

	(void)state;
	if (!pretended()) {
		skip();
	}
	i = read_node(0);
	assert_int_equal(i.strength, IDENTITY_SERIAL);
	assert_string_equal(i.key, "usb:046d:0825:A1B2C3D4");
	assert_string_equal(i.vid_pid, "046d:0825");
	assert_string_equal(i.name, "C270 HD WEBCAM (port 1.2)");
	assert_string_equal(i.port, "1.2");
}

static void the_metadata_node_of_a_camera_is_not_a_twin(void **state)
{
	struct identity i;

	(void)state;
	if (!pretended()) {
		skip();
	}
	i = read_node(1);
	assert_int_equal(i.strength, IDENTITY_SERIAL);
	assert_string_equal(i.key, "usb:046d:0825:A1B2C3D4/00.1");
}

static void a_second_capture_function_is_a_camera_of_its_own(void **state)
{
	struct identity i;

	(void)state;
	if (!pretended()) {
		skip();
	}
	i = read_node(2);
	assert_int_equal(i.strength, IDENTITY_SERIAL);
	assert_string_equal(i.key, "usb:046d:0825:A1B2C3D4/02.0");
}

static void a_bogus_serial_number_binds_to_the_port(void **state)
{
	struct identity a, b;

	(void)state;
	if (!pretended()) {
		skip();
	}
	a = read_node(3);
	b = read_node(4);
	assert_int_equal(a.strength, IDENTITY_PORT);
	assert_string_equal(a.key, "port:0c45:6366:pci-0000:00:14.0-usb-0:3:1.0");
	assert_int_equal(b.strength, IDENTITY_PORT);
	assert_string_not_equal(a.key, b.key);
}

static void two_with_the_same_serial_number_are_bound_to_their_ports(void **state)
{
	struct identity a, b;

	(void)state;
	if (!pretended()) {
		skip();
	}
	a = read_node(5);
	b = read_node(6);
	assert_int_equal(a.strength, IDENTITY_PORT);
	assert_int_equal(b.strength, IDENTITY_PORT);
	assert_string_not_equal(a.key, b.key);
}

static void devices_that_nothing_tells_apart_have_no_key(void **state)
{
	(void)state;
	if (!pretended()) {
		skip();
	}
	for (unsigned int number = 7; number <= 8; number++) {
		struct identity i = read_node(number);

		assert_int_equal(i.strength, IDENTITY_RUN);
		assert_string_equal(i.key, "");
		assert_string_equal(i.name, "vivid");
	}
}

static void a_virtual_device_is_known_for_this_run_only(void **state)
{
	struct identity i;

	(void)state;
	if (!pretended()) {
		skip();
	}
	i = read_node(9);
	assert_int_equal(i.strength, IDENTITY_RUN);
	assert_string_equal(i.key, "");
	assert_string_equal(i.name, "Dummy video device");
}

static void what_is_no_video_device_has_no_identity(void **state)
{
	struct identity i;

	(void)state;
	assert_true(identity_read(makedev(1, 3), &i) < 0);
	assert_true(identity_read(makedev(VIDEO_MAJOR, 200), &i) < 0);
}

/* Returns if there is no umockdev-run. */
static void run_again_with_pretended_devices(void)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);

	if (pretended() || n < 0) {
		return;
	}
	path[n] = '\0';
	/* The library that pretends is loaded before the sanitizer's. */
	(void)setenv("ASAN_OPTIONS", "verify_asan_link_order=0:detect_leaks=0", 0);
	(void)execlp("umockdev-run", "umockdev-run", "-d", "tests/unit/identity.umockdev", "--",
		path, (char *)NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_good_serial_numbers_count),
		cmocka_unit_test(names_are_for_people_and_always_valid),
		cmocka_unit_test(a_good_serial_number_is_the_identity),
		cmocka_unit_test(the_metadata_node_of_a_camera_is_not_a_twin),
		cmocka_unit_test(a_second_capture_function_is_a_camera_of_its_own),
		cmocka_unit_test(a_bogus_serial_number_binds_to_the_port),
		cmocka_unit_test(two_with_the_same_serial_number_are_bound_to_their_ports),
		cmocka_unit_test(devices_that_nothing_tells_apart_have_no_key),
		cmocka_unit_test(a_virtual_device_is_known_for_this_run_only),
		cmocka_unit_test(what_is_no_video_device_has_no_identity),
	};

	run_again_with_pretended_devices();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
