/* The web role, the keeper or a camera has no descriptor left: who is there goes on, who comes
 * waits, and the process does not run in circles meanwhile. */
#include "raw.h"
#include "viewer.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { NEWCOMERS = 3, PICTURES = 30, LOWEST = 4 };

static struct client_loop *loop;
static struct hub hub;
static struct viewer viewer;

static int set_up(void **state)
{
	(void)state;
	loop = client_loop_create();
	hub_init(&hub, loop);
	hub_start(&hub, (const char *[]){"--camera", "pattern:320x192@15", NULL});
	hub_name_camera(&hub, "320x192", "Door");
	viewer_pair(&viewer, &hub, "Door", "There already");
	viewer_await(&viewer, "Door", 2);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	viewer_finish(&viewer);
	hub_end(&hub);
	hub_finish(&hub);
	client_loop_destroy(loop);
	return 0;
}

/* The next descriptor that it opens would be this one. */
static unsigned int next_descriptor(pid_t pid)
{
	char path[64];
	struct stat st;
	for (unsigned int fd = 0;; fd++) {
		(void)snprintf(path, sizeof(path), "/proc/%d/fd/%u", (int)pid, fd);
		if (lstat(path, &st) < 0) {
			return fd;
		}
	}
}

/* Takes all descriptors from it that it does not have yet; returns what it was allowed. */
static struct rlimit exhaust(pid_t pid)
{
	struct rlimit before;
	assert_int_equal(prlimit(pid, RLIMIT_NOFILE, NULL, &before), 0);
	struct rlimit none = {.rlim_cur = next_descriptor(pid), .rlim_max = before.rlim_max};
	assert_int_equal(prlimit(pid, RLIMIT_NOFILE, &none, NULL), 0);
	return before;
}

static void restore(pid_t pid, const struct rlimit *limit)
{
	assert_int_equal(prlimit(pid, RLIMIT_NOFILE, limit, NULL), 0);
}

/* Processor time so far, in seconds. */
static double processor_s(pid_t pid)
{
	char path[64];
	unsigned long user = 0, system = 0;
	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	FILE *f = fopen(path, "re");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%*d %*s %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
				 &user, &system),
		2);
	(void)fclose(f);
	return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

/* Who is there already sees on, and the process is mostly asleep: in circles it would take all the
 * time there is. */
static void goes_on_quietly(pid_t pid)
{
	double used_s = processor_s(pid);
	uint64_t from_us = client_now_us();
	viewer_await(&viewer, "Door", PICTURES);
	double took_s = (double)(client_now_us() - from_us) / 1e6;
	used_s = processor_s(pid) - used_s;
	if (used_s > took_s / 3) {
		fail_msg("%.2f s of processor time in %.2f s", used_s, took_s);
	}
	assert_int_equal(viewer.closes, 0);
}

static void without_descriptors_the_web_role_serves_on_and_newcomers_wait(void **state)
{
	(void)state;
	static struct raw newcomers[NEWCOMERS];
	pid_t web = hub_role(&hub, "web", 0);
	struct rlimit before = exhaust(web);
	for (size_t i = 0; i < NEWCOMERS; i++) {
		raw_connect(&newcomers[i], &hub, NULL);
	}
	goes_on_quietly(web);
	for (size_t i = 0; i < NEWCOMERS; i++) {
		assert_int_equal(newcomers[i].messages, 0);
	}
	restore(web, &before);
	for (size_t i = 0; i < NEWCOMERS; i++) {
		WAIT_FOR(loop, newcomers[i].messages > 0 || newcomers[i].closed, HUB_PATIENCE_MS);
		assert_false(newcomers[i].closed);
		raw_finish(&newcomers[i]);
	}
	assert_true(hub_log_has(&hub, "no descriptor is left"));
	assert_int_equal(hub_role(&hub, "web", 0), web);
}

static void without_descriptors_the_keeper_keeps_on_and_commands_wait(void **state)
{
	(void)state;
	char output[PATH_MAX];
	int status = -1;
	pid_t keeper = hub_role(&hub, "keeper", 0);
	struct rlimit before = exhaust(keeper);
	(void)snprintf(output, sizeof(output), "%s/waiting", hub.dir);
	pid_t command = hub_spawn_command(
		&hub, (const char *[]){"status", "--state", hub.state, NULL}, output, 0);
	goes_on_quietly(keeper);
	assert_int_equal(waitpid(command, &status, WNOHANG), 0);
	/* A viewing needs no descriptor of the keeper: its login and key go by the sockets there
	 * are. */
	viewer_disconnect(&viewer);
	viewer_connect(&viewer, &hub, NULL, NULL, true);
	WAIT_FOR(loop, viewer.welcomed, HUB_PATIENCE_MS);
	viewer_await(&viewer, "Door", 2);
	restore(keeper, &before);
	WAIT_FOR(loop, waitpid(command, &status, WNOHANG) == command, HUB_PATIENCE_MS);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_true(hub_log_has(&hub, "no process can come in at the admin socket for now"));
	assert_int_equal(hub_role(&hub, "keeper", 0), keeper);
	assert_int_equal(hub_status_sum(&hub, "anomalies"), 0);
}

/* It needs one for each new web role. */
static void without_descriptors_a_camera_serves_on_and_a_new_web_role_is_served_too(void **state)
{
	(void)state;
	pid_t camera = hub_role(&hub, "camera", 0);
	struct rlimit before = exhaust(camera);
	goes_on_quietly(camera);
	viewer_disconnect(&viewer);
	/* The one that the old web role had, it cannot have again. */
	before.rlim_cur = LOWEST;
	restore(camera, &before);
	hub_kill_role(&hub, "web");
	viewer_connect(&viewer, &hub, NULL, NULL, false);
	viewer_await(&viewer, "Door", 2);
	assert_true(hub_log_has(&hub, "cannot be added: Too many open files"));
	assert_int_equal(hub_status_sum(&hub, "anomalies"), 0);
}

#define TEST(f) cmocka_unit_test(f)

int main(void)
{
	if (secure_heap_init() < 0) {
		return 1;
	}
	if (geteuid() != 0) {
		/* A role is not dumpable: who is not root may not change its limits. */
		(void)printf("1..0 # SKIP descriptors: needs root\n"
			     "ok 1 - descriptors # SKIP only root may change a role's limits\n");
		return 77;
	}
	const struct CMUnitTest tests[] = {
		TEST(without_descriptors_the_web_role_serves_on_and_newcomers_wait),
		TEST(without_descriptors_the_keeper_keeps_on_and_commands_wait),
		TEST(without_descriptors_a_camera_serves_on_and_a_new_web_role_is_served_too),
	};
	return cmocka_run_group_tests_name("descriptors", tests, set_up, tear_down);
}
