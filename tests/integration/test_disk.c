/* The disk with the state is full: nobody is given a key, everybody is told, nothing is lost, and
 * it goes on by itself when there is room. In a mount namespace of its own, which needs root. */
#include "viewer.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { SKIPPED = 77, WATCHES_MAX = 200 };

static struct client_loop *loop;
static struct hub hub;
static struct viewer viewer;
static char filler[PATH_MAX + 16];

static void fill_disk(void)
{
	static const char block[4096] = {1};
	int fd = open(filler, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	size_t size = sizeof(block);
	assert_true(fd >= 0);
	while (size > 0) {
		if (write(fd, block, size) < 0) {
			assert_int_equal(errno, ENOSPC);
			size /= 2;
		}
	}
	(void)close(fd);
}

static unsigned int times_logged(const char *text)
{
	unsigned int n = 0;
	for (const char *at = hub_log(&hub); (at = strstr(at, text)) != NULL; at++) {
		n++;
	}
	return n;
}

/* Comes again: true if it saw pictures, false if it was told that it cannot be recorded. */
static bool watch_anew(void)
{
	struct viewer_tile *t;
	unsigned int pictures, ends;
	viewer_disconnect(&viewer);
	t = viewer_tile(&viewer, "Door");
	pictures = viewer_pictures(&viewer, "Door");
	ends = t != NULL ? t->ends : 0;
	viewer_connect(&viewer, &hub, NULL, NULL, false);
	WAIT_FOR(loop,
		viewer_pictures(&viewer, "Door") > pictures ||
			((t = viewer_tile(&viewer, "Door")) != NULL && t->ends > ends &&
				t->end_reason == END_NO_RECORD),
		HUB_PATIENCE_MS);
	if (viewer_pictures(&viewer, "Door") > pictures) {
		return true;
	}
	assert_int_equal(viewer_pictures(&viewer, "Door"), pictures);
	return false;
}

static json_int_t viewings(void)
{
	json_t *status = hub_ask(&hub, "status", NULL);
	json_int_t n = json_integer_value(json_object_get(status, "viewings"));
	json_decref(status);
	return n;
}

static bool status_says(const char *words)
{
	json_t *status = hub_ask(&hub, "status", NULL);
	const char *problem = json_string_value(json_object_get(status, "record_problem"));
	bool said =
		words == NULL ? problem == NULL : problem != NULL && strstr(problem, words) != NULL;
	json_decref(status);
	return said;
}

static bool doctor_says(const char *words)
{
	json_t *reply = NULL, *line;
	bool said = false;
	size_t i;
	assert_int_equal(hub_command(&hub, &reply, "doctor", NULL), 1);
	json_array_foreach(json_object_get(reply, "lines"), i, line)
	{
		said = said ||
		       (strcmp(json_string_value(json_object_get(line, "state")), "wrong") == 0 &&
			       strstr(json_string_value(json_object_get(line, "text")), words) !=
				       NULL);
	}
	json_decref(reply);
	return said;
}

static void a_full_disk_gives_no_key_is_told_and_is_recovered_from(void **state)
{
	unsigned int tries = 0;
	json_int_t before;
	(void)state;
	hub_start(&hub, (const char *[]){"--camera", "pattern:320x192@15", NULL});
	hub_name_camera(&hub, "320x192", "Door");
	viewer_pair_owner(&viewer, &hub, "Wall");
	viewer_await(&viewer, "Door", 3);
	pid_t keeper = hub_role(&hub, "keeper", 0);

	fill_disk();
	/* The store has some room of its own, and what it can record it may show. */
	while (watch_anew()) {
		assert_true(++tries < WATCHES_MAX);
	}
	assert_false(watch_anew());
	before = viewings();
	assert_true(status_says("disk with the state directory is full"));
	assert_true(doctor_says("nobody is given a key"));
	assert_int_equal(times_logged("is full: viewings cannot be put on record"), 1);

	assert_int_equal(unlink(filler), 0);
	assert_true(watch_anew());
	WAIT_FOR(loop, status_says(NULL), HUB_PATIENCE_MS);
	assert_true(viewings() > before);
	assert_true(hub_log_has(&hub, "viewings can be put on record again"));
	assert_int_equal(hub_role(&hub, "keeper", 0), keeper);
	assert_int_equal(viewer_anomalies(&viewer), 0);
	viewer_finish(&viewer);
	hub_end(&hub);
}

static void what_was_known_before_is_known_after(void **state)
{
	(void)state;
	hub_start(&hub, (const char *[]){"--camera", "pattern:320x192@15", NULL});
	json_t *reply = hub_ask(&hub, "displays", NULL);
	assert_int_equal(json_array_size(json_object_get(reply, "displays")), 1);
	json_decref(reply);
	assert_true(hub_camera_is(&hub, "Door", "state", "ready"));
	hub_end(&hub);
}

/* 0, or -errno where this user may not. */
static int make_small_disk(void)
{
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
		return -errno;
	}
	if (mkdir(hub.state, 0700) < 0 ||
		mount("none", hub.state, "tmpfs", 0, "size=1m,mode=0700") < 0) {
		return -errno;
	}
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_disk_gives_no_key_is_told_and_is_recovered_from),
		cmocka_unit_test(what_was_known_before_is_known_after),
	};
	int failed = SKIPPED, r;
	loop = secure_heap_init() < 0 ? NULL : client_loop_create();
	if (loop == NULL) {
		return 1;
	}
	hub_init(&hub, loop);
	(void)snprintf(filler, sizeof(filler), "%s/filler", hub.state);
	r = make_small_disk();
	if (r < 0) {
		(void)printf(
			"1..1\nok 1 - disk # SKIP no mount namespace here: %s\n", strerror(-r));
	} else {
		failed = cmocka_run_group_tests_name("disk", tests, NULL, NULL);
		(void)umount(hub.state);
	}
	hub_finish(&hub);
	client_loop_destroy(loop);
	return failed;
}
