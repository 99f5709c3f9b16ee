/*
 * Which nodes are cameras: the /sys of a Pi 4, of a Pi 5 and of some webcams, pretended by
 * umockdev, and for each node what its driver answers (tests/udev/v4l2_nodes.h).
 */
#include "pretend.h"
#include "tests/udev/v4l2_nodes.h"
#include "v4l2/probe.h"
#include "wire.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cmocka.h>

enum { VIDEO_MAJOR = 81, TERMINAL_MAJOR = 136, TEXT_BYTES = 4096 };

/* The node that is open. */
static const struct v4l2_node *node;
static unsigned int changes; /* ioctls that would change the device */
static bool writable;

/* ---- the drivers ---- */

static int answer_capability(struct v4l2_capability *c)
{
	(void)snprintf((char *)c->card, sizeof c->card, "%s", node->card);
	c->capabilities = node->capabilities;
	c->device_caps = node->device_caps;
	return 0;
}

static int answer_format(struct v4l2_fmtdesc *f)
{
	bool multiplanar = (node->device_caps & V4L2_CAP_VIDEO_CAPTURE_MPLANE) != 0;
	uint32_t type =
		multiplanar ? V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE : V4L2_BUF_TYPE_VIDEO_CAPTURE;

	if (f->type != type || f->index >= 4 || node->formats[f->index] == 0) {
		return -EINVAL;
	}
	f->pixelformat = node->formats[f->index];
	return 0;
}

static int answer_size(struct v4l2_frmsizeenum *s)
{
	if (s->index > 0) {
		return -EINVAL;
	}
	s->type = V4L2_FRMSIZE_TYPE_DISCRETE;
	s->discrete = (struct v4l2_frmsize_discrete){1280, 720};
	return 0;
}

static int answer_interval(struct v4l2_frmivalenum *i)
{
	if (i->index > 0) {
		return -EINVAL;
	}
	i->type = V4L2_FRMIVAL_TYPE_DISCRETE;
	i->discrete = (struct v4l2_fract){1, 30};
	return 0;
}

static int answer(unsigned long request, void *argument)
{
	struct v4l2_input *input = argument;

	switch (request) {
	case VIDIOC_QUERYCAP:
		return answer_capability(argument);
	case VIDIOC_ENUMINPUT:
		if (node->input == 0 || input->index > 0) {
			return node->input == 0 ? -ENOTTY : -EINVAL;
		}
		input->type = node->input;
		return 0;
	case VIDIOC_ENUM_FMT:
		return answer_format(argument);
	case VIDIOC_ENUM_FRAMESIZES:
		return answer_size(argument);
	case VIDIOC_ENUM_FRAMEINTERVALS:
		return answer_interval(argument);
	default:
		changes++;
		return -ENOTTY;
	}
}

/* In place of libc's; whatever is not for an open node goes on to it. */
int ioctl(int fd, unsigned long request, ...)
{
	int (*next)(int, unsigned long, ...);
	va_list ap;
	void *argument;

	va_start(ap, request);
	argument = va_arg(ap, void *);
	va_end(ap);
	if (node == NULL || _IOC_TYPE(request) != 'V') {
		*(void **)&next = dlsym(RTLD_NEXT, "ioctl");
		return next(fd, request, argument);
	}
	writable = writable || (fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDONLY;
	int r = answer((uint32_t)request, argument);
	if (r < 0) {
		errno = -r;
		return -1;
	}
	return 0;
}

/* umockdev's nodes are terminals, and it tells stat() what they stand for but not fstat(). */
int fstat(int fd, struct stat *st)
{
	int (*next)(int, struct stat *);

	*(void **)&next = dlsym(RTLD_NEXT, "fstat");
	int r = next(fd, st);
	if (r == 0 && node != NULL && S_ISCHR(st->st_mode) &&
		major(st->st_rdev) == TERMINAL_MAJOR) {
		st->st_rdev = makedev(VIDEO_MAJOR, node->minor);
	}
	return r;
}

static struct probe probe(const struct v4l2_node *n, const char *id_path)
{
	char path[32];
	struct probe p;

	(void)snprintf(path, sizeof path, "/dev/video%u", n->number);
	changes = 0;
	writable = false;
	node = n;
	int r = probe_device(path, id_path, &p);
	node = NULL;
	assert_int_equal(r, 0);
	assert_int_equal(changes, 0);
	assert_false(writable);
	return p;
}

static struct probe probe_webcam(unsigned int number, const char *id_path)
{
	for (size_t i = 0; i < sizeof webcam_nodes / sizeof webcam_nodes[0]; i++) {
		if (webcam_nodes[i].number == number) {
			return probe(&webcam_nodes[i], id_path);
		}
	}
	fail();
	return (struct probe){.camera = false};
}

static void print(const struct probe *p, char text[static TEXT_BYTES])
{
	FILE *out = fmemopen(text, TEXT_BYTES, "w");

	assert_non_null(out);
	probe_print(p, out);
	assert_int_equal(fclose(out), 0);
}

/* ---- the boards ---- */

static void check_nodes(const struct v4l2_node *nodes, size_t count, unsigned int camera)
{
	unsigned int cameras = 0;

	for (size_t i = 0; i < count; i++) {
		struct probe p = probe(&nodes[i], NULL);

		if (nodes[i].refusal != NULL) {
			assert_false(p.camera);
			if (strstr(p.reason, nodes[i].refusal) == NULL) {
				fail_msg("video%u: %s", nodes[i].number, p.reason);
			}
			continue;
		}
		assert_true(p.camera);
		assert_true(p.identified);
		assert_int_equal(nodes[i].number, camera);
		cameras++;
	}
	assert_int_equal(cameras, 1);
}

static void a_pi_4_has_no_camera_but_the_webcam(void **state)
{
	(void)state;
	check_nodes(pi4_nodes, sizeof pi4_nodes / sizeof pi4_nodes[0], 2);
}

static void a_pi_5_has_no_camera_but_the_webcam(void **state)
{
	(void)state;
	check_nodes(pi5_nodes, sizeof pi5_nodes / sizeof pi5_nodes[0], 8);
}

/* On a Pi 4 /dev/video2 is 81:17 and 81:2 is nothing. */
static void the_device_number_names_the_camera(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof pi4_nodes / sizeof pi4_nodes[0]; i++) {
		if (pi4_nodes[i].refusal == NULL) {
			struct probe p = probe(&pi4_nodes[i], NULL);

			assert_string_equal(p.identity.key, "usb:046d:0825:A1B2C3D4");
			assert_string_equal(p.identity.port, "1.1");
		}
	}
}

/* ---- webcams ---- */

static void json_has_the_same_with_null_for_what_is_not_known(void **state)
{
	struct probe p = {.reason = "it is a codec"};
	json_t *none = probe_json(&p), *camera;

	(void)state;
	p = probe_webcam(0, NULL);
	camera = probe_json(&p);
	assert_true(json_is_false(json_object_get(none, "camera")));
	assert_string_equal(json_string_value(json_object_get(none, "reason")), "it is a codec");
	assert_true(json_is_null(json_object_get(none, "id")));
	assert_true(json_is_null(json_object_get(none, "strength")));
	assert_true(json_is_true(json_object_get(camera, "camera")));
	assert_true(json_is_null(json_object_get(camera, "reason")));
	assert_string_equal(json_string_value(json_object_get(camera, "id")), p.identity.key);
	assert_string_equal(json_string_value(json_object_get(camera, "strength")), "port");
	json_decref(none);
	json_decref(camera);
}

static void twins_without_serial_numbers_are_bound_to_their_ports(void **state)
{
	struct probe a = probe_webcam(0, NULL);
	struct probe b = probe_webcam(2, NULL);

	(void)state;
	assert_true(a.camera && b.camera);
	assert_int_equal(a.identity.strength, IDENTITY_PORT);
	assert_int_equal(b.identity.strength, IDENTITY_PORT);
	assert_string_equal(a.identity.vid_pid, b.identity.vid_pid);
	assert_string_not_equal(a.identity.key, b.identity.key);
	assert_string_not_equal(a.identity.name, b.identity.name);
}

static void the_metadata_node_of_a_webcam_is_no_camera(void **state)
{
	(void)state;
	assert_false(probe_webcam(1, NULL).camera);
	assert_false(probe_webcam(5, NULL).camera);
	assert_true(probe_webcam(4, NULL).camera);
}

static void three_webcams_on_one_bus_are_three_cameras(void **state)
{
	struct probe p[] = {probe_webcam(0, NULL), probe_webcam(2, NULL), probe_webcam(4, NULL)};

	(void)state;
	assert_int_equal(p[2].identity.strength, IDENTITY_SERIAL);
	for (size_t i = 0; i < 3; i++) {
		assert_true(p[i].camera);
		assert_string_not_equal(p[i].identity.key, p[(i + 1) % 3].identity.key);
	}
}

/* While its rules run, udev has stored nothing of the device. */
static void the_place_is_what_udev_is_about_to_store(void **state)
{
	struct probe p = probe_webcam(10, "pci-0000:00:14.0-usb-0:1.4:1.0");

	(void)state;
	assert_int_equal(p.identity.strength, IDENTITY_PORT);
	assert_string_equal(p.identity.key, "port:1bcf:2b8a:pci-0000:00:14.0-usb-0:1.4:1.0");
}

static void devices_at_one_place_are_twins_before_udev_says_so(void **state)
{
	struct probe stored = probe_webcam(14, NULL);
	struct probe new = probe_webcam(15, "platform-vivid.0");

	(void)state;
	assert_int_equal(stored.identity.strength, IDENTITY_RUN);
	assert_int_equal(new.identity.strength, IDENTITY_RUN);
}

/* ---- what is printed ---- */

static void a_camera_is_printed_with_its_identity(void **state)
{
	struct probe p = probe_webcam(4, NULL);
	char text[TEXT_BYTES];

	(void)state;
	print(&p, text);
	assert_string_equal(text, "CAMGATE_CAMERA=1\n"
				  "CAMGATE_ID=usb:046d:0825:A1B2C3D4\n"
				  "CAMGATE_STRENGTH=serial\n"
				  "CAMGATE_NAME=C270 HD WEBCAM (port 1.3)\n"
				  "CAMGATE_PORT=1.3\n"
				  "CAMGATE_VID_PID=046d:0825\n");
}

static void what_is_no_camera_is_printed_with_the_reason(void **state)
{
	struct probe p = probe_webcam(5, NULL);
	char text[TEXT_BYTES];

	(void)state;
	print(&p, text);
	assert_string_equal(text,
		"CAMGATE_CAMERA=0\nCAMGATE_REASON=/dev/video5 is not a camera: it "
		"is a codec, an output or a metadata node\n");
}

static void a_hostile_name_stays_a_name(void **state)
{
	struct probe p = probe_webcam(10, NULL);
	char text[TEXT_BYTES];

	(void)state;
	print(&p, text);
	assert_null(strpbrk(text, "$%`'\"\\"));
	assert_non_null(strstr(text, "\nCAMGATE_NAME=_(reboot) "));
}

static void values_hold_nothing_that_udev_or_a_shell_would_read(void **state)
{
	char long_text[2 * PROBE_VALUE_BYTES];
	char value[PROBE_VALUE_BYTES];

	(void)state;
	probe_value("a\nCAMGATE_CAMERA=1", value);
	assert_string_equal(value, "a_CAMGATE_CAMERA=1");
	probe_value("  \"x\" $y %z `w` 'v' \\u \xc3\xa9 \t", value);
	assert_string_equal(value, "_x_ _y _z _w_ _v_ _u __ _");
	probe_value("   ", value);
	assert_string_equal(value, "");
	memset(long_text, 'x', sizeof long_text - 1);
	long_text[sizeof long_text - 1] = '\0';
	probe_value(long_text, value);
	assert_int_equal(strlen(value), PROBE_VALUE_BYTES - 1);
}

static void a_missing_device_is_no_answer(void **state)
{
	struct probe p;

	(void)state;
	assert_int_equal(probe_device("/dev/video99", NULL, &p), -ENOENT);
	assert_false(p.camera);
	assert_non_null(strstr(p.reason, "plugged in"));
}

static int run(const char *board)
{
	const struct CMUnitTest pi4[] = {
		cmocka_unit_test(a_pi_4_has_no_camera_but_the_webcam),
		cmocka_unit_test(the_device_number_names_the_camera),
	};
	const struct CMUnitTest pi5[] = {
		cmocka_unit_test(a_pi_5_has_no_camera_but_the_webcam),
	};
	const struct CMUnitTest webcams[] = {
		cmocka_unit_test(json_has_the_same_with_null_for_what_is_not_known),
		cmocka_unit_test(twins_without_serial_numbers_are_bound_to_their_ports),
		cmocka_unit_test(the_metadata_node_of_a_webcam_is_no_camera),
		cmocka_unit_test(three_webcams_on_one_bus_are_three_cameras),
		cmocka_unit_test(the_place_is_what_udev_is_about_to_store),
		cmocka_unit_test(devices_at_one_place_are_twins_before_udev_says_so),
		cmocka_unit_test(a_camera_is_printed_with_its_identity),
		cmocka_unit_test(what_is_no_camera_is_printed_with_the_reason),
		cmocka_unit_test(a_hostile_name_stays_a_name),
	};

	if (strcmp(board, "pi4") == 0) {
		return cmocka_run_group_tests(pi4, NULL, NULL);
	}
	if (strcmp(board, "pi5") == 0) {
		return cmocka_run_group_tests(pi5, NULL, NULL);
	}
	return cmocka_run_group_tests(webcams, NULL, NULL);
}

int main(int argc, char **argv)
{
	static const char *const boards[][2] = {{"pi4", "tests/udev/pi4.umockdev"},
		{"pi5", "tests/udev/pi5.umockdev"}, {"webcams", "tests/udev/webcams.umockdev"}};
	const struct CMUnitTest plain[] = {
		cmocka_unit_test(values_hold_nothing_that_udev_or_a_shell_would_read),
		cmocka_unit_test(a_missing_device_is_no_answer),
	};
	int failed;

	if (pretended() && argc > 1) {
		return run(argv[1]);
	}
	failed = cmocka_run_group_tests(plain, NULL, NULL);
	for (size_t i = 0; i < sizeof boards / sizeof boards[0]; i++) {
		int code = pretend(boards[i][1], boards[i][0]);

		if (code < 0) {
			(void)printf(
				"ok - %s # SKIP umockdev-run is not installed\n", boards[i][0]);
		}
		failed += code > 0;
	}
	return failed;
}
