#include "run.h"
#include "clock.h"
#include "log.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

/* A slow machine with several cameras takes a while; one that hangs must not keep all waiting. */
enum { SETTLE_US = 15 * 1000 * 1000 };

static const char PATTERN[] = "pattern";

static bool is_pattern(const char *spec)
{
	return strncmp(spec, PATTERN, sizeof PATTERN - 1) == 0;
}

static int add_camera(struct run *run, const char *spec, bool discovered)
{
	struct child *c = &run->children[run->count];
	int r;

	if (run->count == RUN_CHILDREN_MAX) {
		return -ENOSPC;
	}
	r = child_init(c, CHILD_CAMERA, spec);
	if (r < 0) {
		return r;
	}
	c->discovered = discovered;
	if (is_pattern(spec)) {
		c->instance = run->patterns++;
	}
	run->count++;
	return 0;
}

static struct child *find_camera(struct run *run, const char *spec)
{
	for (unsigned int i = RUN_CAMERAS; i < run->count; i++) {
		if (strcmp(run->children[i].spec, spec) == 0) {
			return &run->children[i];
		}
	}
	return NULL;
}

static void on_changed(void *context, const char *path, bool present)
{
	struct run *run = context;
	struct child *c = find_camera(run, path);

	if (!present) {
		if (c != NULL) {
			c->wanted = false;
			if (c->pid > 0) {
				(void)kill(c->pid, SIGTERM);
			}
		}
		return;
	}
	if (c == NULL) {
		if (add_camera(run, path, true) < 0) {
			log_warning("no room for one more camera: %s is left out", path);
		}
		return;
	}
	if (c->pid == 0) {
		c->restart_us = 0;
		c->backoff_us = 0;
	}
	c->wanted = true;
}

static int given_cameras(struct run *run)
{
	const struct options *o = run->options;

	for (unsigned int i = 0; i < o->cameras_count; i++) {
		int r = 0;

		if (is_pattern(o->cameras[i]) || find_camera(run, o->cameras[i]) == NULL) {
			r = add_camera(run, o->cameras[i], false);
		}
		if (r < 0) {
			log_error("--camera %s: %s", o->cameras[i], strerror(-r));
			return r;
		}
	}
	return 0;
}

int run_cameras_init(struct run *run, uint64_t now_us)
{
	int r;

	run->settle_us = now_us + SETTLE_US;
	if (run->options->cameras_count > 0) {
		return given_cameras(run);
	}
	r = monitor_create(on_changed, run, &run->monitor);
	if (r == 0) {
		r = monitor_enumerate(run->monitor);
	}
	if (r < 0) {
		/* A container, mostly: then there is nothing to find either. */
		log_warning("cannot look for cameras (%s); name them with --camera", strerror(-r));
		run_cameras_finish(run);
	}
	return 0;
}

void run_cameras_finish(struct run *run)
{
	monitor_destroy(run->monitor);
	run->monitor = NULL;
}

void run_cameras_dispatch(struct run *run)
{
	int r = monitor_dispatch(run->monitor);

	/* Events were lost: look at what is there. */
	if (r == -ENOBUFS) {
		r = monitor_enumerate(run->monitor);
	}
	if (r < 0) {
		log_error("cameras that come or go are not noticed any more: %s", strerror(-r));
		run_cameras_finish(run);
	}
}

static void start_test_picture(struct run *run)
{
	bool some = false;

	for (unsigned int i = RUN_CAMERAS; i < run->count; i++) {
		some = some || run->children[i].wanted;
	}
	if (add_camera(run, PATTERN, false) == 0) {
		log_info("no camera %s: showing a built-in test picture. Plug a camera in, or name "
			 "one: "
			 "--camera /dev/video0",
			some ? "could be used" : "found");
	}
}

bool run_cameras_settled(struct run *run, uint64_t now_us)
{
	unsigned int waiting = 0;
	unsigned int ready = 0;

	for (unsigned int i = RUN_CAMERAS; i < run->count; i++) {
		const struct child *c = &run->children[i];

		waiting += c->wanted && !c->settled;
		ready += c->ready;
	}
	if (waiting > 0 && now_us < run->settle_us) {
		return false;
	}
	if (ready == 0 && run->options->cameras_count == 0 && run->patterns == 0) {
		start_test_picture(run);
		run->settle_us = now_us + SETTLE_US;
		return false;
	}
	return true;
}

void run_camera_ended(struct run *run, struct child *c, int code)
{
	if (c->discovered && code == EXIT_NO_CAMERA) {
		c->wanted = false;
		return;
	}
	/* It did not understand what it was asked for, and will not next time. */
	if (code == EXIT_USAGE) {
		c->wanted = false;
		if (!run->announced) {
			run->ending = true;
			run->exit_code = EXIT_USAGE;
		}
	}
}
