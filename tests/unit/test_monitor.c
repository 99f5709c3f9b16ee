/*
 * Discovery: which nodes are reported, on the /sys of some webcams that umockdev pretends, where no
 * udevd runs. Devices go and come by moving their places in that /sys.
 */
#include "pretend.h"
#include "udev/monitor.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

enum { TEXT_BYTES = 1024, PATH_BYTES = 512 };

#define BELOW_SYS "/sys/devices/pci0000:00/0000:00:14.0/usb1/1-1"
#define VIDEO2 BELOW_SYS "/1-1.1/1-1.1:1.0/video4linux/video2"
#define VIDEO12 BELOW_SYS "/1-1.5/1-1.5:1.0/video4linux/video12"

struct told {
	struct monitor *monitor;
	char text[TEXT_BYTES]; /* "+video0 -video0 " */
};

static void on_changed(void *context, const char *path, bool present)
{
	struct told *t = context;
	size_t used = strlen(t->text);

	assert_memory_equal(path, "/dev/", 5);
	(void)snprintf(t->text + used, TEXT_BYTES - used, "%c%s ", present ? '+' : '-', path + 5);
}

static const char *told(struct told *t)
{
	t->text[0] = '\0';
	assert_int_equal(monitor_enumerate(t->monitor), 0);
	return t->text;
}

static int setup(void **state)
{
	static struct told t;

	t = (struct told){.monitor = NULL};
	*state = &t;
	return monitor_create(on_changed, &t, &t.monitor);
}

static int teardown(void **state)
{
	struct told *t = *state;

	monitor_destroy(t->monitor);
	return 0;
}

static void real_path(char out[static PATH_BYTES], const char *path)
{
	(void)snprintf(out, PATH_BYTES, "%s%s", getenv("UMOCKDEV_DIR"), path);
}

/* Away is where nothing looks. */
static void move(const char *from, const char *to)
{
	char a[PATH_BYTES], b[PATH_BYTES];

	real_path(a, from);
	real_path(b, to);
	assert_int_equal(rename(a, b), 0);
}

static void unplug_video2(void)
{
	move("/sys/class/video4linux/video2", "/class-video2");
	move(VIDEO2, "/device-video2");
}

static void plug_video2(void)
{
	move("/device-video2", VIDEO2);
	move("/class-video2", "/sys/class/video4linux/video2");
}

static void write_property(const char *device, const char *line)
{
	char path[PATH_BYTES];
	FILE *f;

	real_path(path, device);
	(void)snprintf(path + strlen(path), PATH_BYTES - strlen(path), "/uevent");
	f = fopen(path, "a");
	assert_non_null(f);
	(void)fprintf(f, "%s\n", line);
	assert_int_equal(fclose(f), 0);
}

/* 1, 3 and 5 are metadata nodes, 12 is marked with CAMGATE_IGNORE; of 11 and 15 udev said nothing,
 * so the camera role has to look. */
static void candidates_are_told_in_order_and_once(void **state)
{
	(void)state;
	assert_string_equal(told(*state), "+video0 +video2 +video4 +video10 +video11 +video14 "
					  "+video15 ");
	assert_string_equal(told(*state), "");
}

static void what_goes_and_comes_is_told(void **state)
{
	(void)told(*state);
	unplug_video2();
	assert_string_equal(told(*state), "-video2 ");
	assert_string_equal(told(*state), "");
	plug_video2();
	assert_string_equal(told(*state), "+video2 ");
}

/* Moves what is in a directory to a new one of the same name. */
static void renew(const char *directory)
{
	char path[PATH_BYTES];
	struct dirent *entry;

	real_path(path, directory);
	int old = open(path, O_RDONLY | O_DIRECTORY);
	assert_true(old >= 0);
	move(directory, "/old");
	assert_int_equal(mkdir(path, 0755), 0);
	int new = open(path, O_RDONLY | O_DIRECTORY);
	DIR *list = fdopendir(old);
	assert_non_null(list);
	while ((entry = readdir(list)) != NULL) {
		if (entry->d_name[0] != '.') {
			assert_int_equal(renameat(old, entry->d_name, new, entry->d_name), 0);
		}
	}
	assert_int_equal(closedir(list), 0);
	assert_int_equal(close(new), 0);
	real_path(path, "/old");
	assert_int_equal(rmdir(path), 0);
}

/* Unplugged and plugged in again between two looks. */
static void another_device_at_the_same_place_is_told(void **state)
{
	(void)told(*state);
	renew(VIDEO2);
	assert_string_equal(told(*state), "-video2 +video2 ");
	assert_string_equal(told(*state), "");
}

static void a_camera_to_be_ignored_goes_away(void **state)
{
	(void)told(*state);
	write_property(VIDEO2, "CAMGATE_IGNORE=1");
	assert_string_equal(told(*state), "-video2 ");
}

static void a_camera_to_be_ignored_no_more_appears(void **state)
{
	(void)told(*state);
	write_property(VIDEO12, "CAMGATE_IGNORE=0");
	assert_string_equal(told(*state), "+video12 ");
}

/* The kernel's events may not reach us: nobody sends any here. */
static void without_udevd_it_looks_by_itself(void **state)
{
	struct told *t = *state;
	struct pollfd fd = {.fd = monitor_fd(t->monitor), .events = POLLIN};

	if (access("/run/udev/control", F_OK) == 0) {
		skip();
	}
	(void)told(t);
	move("/sys/class/video4linux/video0", "/class-video0");
	t->text[0] = '\0';
	assert_int_equal(poll(&fd, 1, 0), 0);
	assert_int_equal(poll(&fd, 1, 3000), 1);
	assert_int_equal(monitor_dispatch(t->monitor), 0);
	assert_string_equal(t->text, "-video0 ");
	assert_int_equal(poll(&fd, 1, 0), 0);
	move("/class-video0", "/sys/class/video4linux/video0");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(candidates_are_told_in_order_and_once),
		TEST(what_goes_and_comes_is_told),
		TEST(another_device_at_the_same_place_is_told),
		TEST(without_udevd_it_looks_by_itself),
		TEST(a_camera_to_be_ignored_no_more_appears),
		TEST(a_camera_to_be_ignored_goes_away),
	};

	(void)argv;
	if (pretended() && argc > 1) {
		return cmocka_run_group_tests(tests, NULL, NULL);
	}
	int code = pretend("tests/udev/webcams.umockdev", "webcams");
	if (code < 0) {
		(void)printf("ok - discovery # SKIP umockdev-run is not installed\n");
	}
	return code > 0;
}
