/* Starting when something is in the way: a clear error, and nothing lost. */
#include "viewer.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct client_loop *loop;
static struct hub hub;

static const char *const arguments[] = {"--camera", "pattern:320x192@15", NULL};

static int set_up(void **state)
{
	(void)state;
	hub_init(&hub, loop);
	return 0;
}

static int tear_down(void **state)
{
	(void)viewer_drop_all(state);
	hub_finish(&hub);
	return 0;
}

static void database_path(char *out, size_t size)
{
	(void)snprintf(out, size, "%s/camgate.db", hub.state);
}

static void start_and_stop(void)
{
	hub_start(&hub, arguments);
	hub_end(&hub);
}

static void fails_naming(const char *text)
{
	assert_int_equal(hub_start_and_fail(&hub, arguments), 1);
	if (!hub_log_has(&hub, text)) {
		fail_msg("'%s' is not in what it said:\n%s", text, hub_log(&hub));
	}
}

static void a_state_directory_that_cannot_be_made_is_named(void **state)
{
	(void)state;
	char blocker[128];
	(void)snprintf(blocker, sizeof(blocker), "%s/file", hub.dir);
	FILE *f = fopen(blocker, "we");
	assert_non_null(f);
	(void)fclose(f);
	(void)snprintf(hub.state, sizeof(hub.state), "%s/state", blocker);
	fails_naming(hub.state);
}

static void a_damaged_database_is_named_and_left_as_it_is(void **state)
{
	(void)state;
	char path[PATH_MAX + 16], text[5] = "";
	start_and_stop();
	database_path(path, sizeof(path));
	int fd = open(path, O_WRONLY | O_TRUNC);
	assert_true(fd >= 0);
	for (int i = 0; i < 5000; i++) {
		assert_int_equal(write(fd, "junk", 4), 4);
	}
	close(fd);
	fails_naming("camgate.db");
	fd = open(path, O_RDONLY);
	assert_int_equal(read(fd, text, 4), 4);
	assert_string_equal(text, "junk");
	assert_int_equal(lseek(fd, 0, SEEK_END), 20000);
	close(fd);
}

static void a_database_of_a_newer_version_is_named_and_left_as_it_is(void **state)
{
	(void)state;
	char path[PATH_MAX + 16];
	sqlite3 *db;
	start_and_stop();
	database_path(path, sizeof(path));
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	fails_naming("newer");
}

static void a_damaged_identity_is_named_and_left_as_it_is(void **state)
{
	(void)state;
	char path[PATH_MAX + 16], text[5] = "";
	start_and_stop();
	(void)snprintf(path, sizeof(path), "%s/identity.pem", hub.state);
	int fd = open(path, O_WRONLY | O_TRUNC);
	assert_int_equal(write(fd, "junk", 4), 4);
	close(fd);
	fails_naming("identity.pem is damaged");
	fd = open(path, O_RDONLY);
	assert_int_equal(read(fd, text, 5), 4);
	assert_string_equal(text, "junk");
	close(fd);
}

static void a_state_directory_in_use_is_refused_and_its_user_goes_on(void **state)
{
	(void)state;
	struct hub second;
	struct viewer v = {0};
	hub_start(&hub, arguments);
	viewer_pair_owner(&v, &hub, "First");
	hub_init(&second, loop);
	(void)snprintf(second.state, sizeof(second.state), "%s", hub.state);
	assert_int_equal(hub_start_and_fail(&second, arguments), 1);
	assert_true(hub_log_has(&second, hub.state));
	json_t *camera = hub_camera(&hub, "320x192");
	viewer_await(&v, json_string_value(json_object_get(camera, "name")), 3);
	json_decref(camera);
	assert_int_equal(v.closes, 0);
	hub_finish(&second);
	viewer_finish(&v);
	hub_end(&hub);
}

static void a_port_in_use_is_named_with_who_has_it(void **state)
{
	(void)state;
	struct hub second;
	char address[32];
	hub_start(&hub, arguments);
	hub_init(&second, loop);
	(void)snprintf(address, sizeof(address), "127.0.0.1:%u", hub.port);
	assert_int_equal(
		hub_start_and_fail(&second, (const char *[]){"--listen", address, NULL}), 1);
	assert_true(hub_log_has(&second, address));
	/* Run and its web role have it, and this user may see both. */
	char words[48];
	bool named = false;
	for (unsigned int i = 0; i < 2 && !named; i++) {
		pid_t pid = i == 0 ? hub.pid : hub_role(&hub, "web", 0);
		(void)snprintf(words, sizeof(words), "in use by camgate (pid %d): end", (int)pid);
		named = hub_log_has(&second, words);
	}
	if (!named) {
		fail_msg("nobody is named in:\n%s", hub_log(&second));
	}
	hub_finish(&second);
	hub_end(&hub);
}

static void what_cannot_be_an_option_is_wrong_usage(void **state)
{
	(void)state;
	assert_int_equal(
		hub_start_and_fail(&hub, (const char *[]){"--listen", "nowhere", NULL}), 2);
	assert_int_equal(hub_start_and_fail(&hub, (const char *[]){"--rotate", "0", NULL}), 2);
	assert_int_equal(hub_start_and_fail(&hub, (const char *[]){"--nonsense", NULL}), 2);
}

static void commands_without_a_running_hub_say_so(void **state)
{
	(void)state;
	json_t *answer = NULL;
	assert_int_equal(hub_command(&hub, &answer, "status", NULL), 1);
	json_decref(answer);
}

static void the_state_directory_is_for_its_user_alone(void **state)
{
	(void)state;
	struct stat st;
	char path[PATH_MAX + 16];
	start_and_stop();
	assert_int_equal(stat(hub.state, &st), 0);
	assert_int_equal(st.st_mode & 077, 0);
	database_path(path, sizeof(path));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 077, 0);
}

/* Keys that could be written to a swap partition would be no secret. The last test here: what it
 * takes from this process does not come back. */
static void without_locked_memory_there_is_no_keeper(void **state)
{
	(void)state;
	/* Root has no limit as long as it has this. */
	(void)prctl(PR_CAPBSET_DROP, CAP_IPC_LOCK);
	assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){0}), 0);
	fails_naming("no locked memory for keys");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	loop = secure_heap_init() < 0 ? NULL : client_loop_create();
	if (loop == NULL) {
		return 1;
	}
	const struct CMUnitTest tests[] = {
		TEST(a_state_directory_that_cannot_be_made_is_named),
		TEST(a_damaged_database_is_named_and_left_as_it_is),
		TEST(a_database_of_a_newer_version_is_named_and_left_as_it_is),
		TEST(a_damaged_identity_is_named_and_left_as_it_is),
		TEST(a_state_directory_in_use_is_refused_and_its_user_goes_on),
		TEST(a_port_in_use_is_named_with_who_has_it),
		TEST(what_cannot_be_an_option_is_wrong_usage),
		TEST(commands_without_a_running_hub_say_so),
		TEST(the_state_directory_is_for_its_user_alone),
		TEST(without_locked_memory_there_is_no_keeper),
	};
	int failed = cmocka_run_group_tests_name("state", tests, NULL, NULL);
	client_loop_destroy(loop);
	return failed;
}
