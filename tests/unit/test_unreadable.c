/* A store that opens and cannot be read or written any more: nobody is let in, what is taken is
 * taken nevertheless. A table that has another name is one that cannot be read. */
#include "display_fixture.h"

#include "store_sql.h"
#include <errno.h>
#include <stdio.h>

static void execute(struct store *s, const char *sql)
{
	char *problem = NULL;

	if (sqlite3_exec(s->db, sql, NULL, NULL, &problem) != SQLITE_OK) {
		fail_msg("%s: %s", sql, problem);
	}
}

static void hide(const char *table)
{
	char sql[96];

	snprintf(sql, sizeof(sql), "ALTER TABLE %s RENAME TO hidden", table);
	execute(&fixture.files.store, sql);
}

static void a_display_is_refused_while_this_cannot_be_read(const char *table)
{
	struct ipc_message m;
	struct ipc_cut cut;

	hide(table);
	display_enter(&display, WEB, 10, "Kitchen");
	sent_take(WEB, IPC_CUT, &m);
	assert_int_equal(ipc_parse_cut(&m, &cut), 0);
	assert_int_equal(cut.mode, CUT_REFUSE);
	assert_nothing_sent(WEB, IPC_ADMIT);
	assert_nothing_sent(WEB, IPC_TELL);
	assert_int_equal(registry_totals_see(fixture.registry)->refused[REFUSED_STORE], 1);
}

static void who_logs_in_while_the_grants_cannot_be_read_is_refused(void **state)
{
	(void)state;
	a_display_is_refused_while_this_cannot_be_read("grants");
}

static void who_logs_in_while_the_suspensions_cannot_be_read_is_refused(void **state)
{
	(void)state;
	a_display_is_refused_while_this_cannot_be_read("suspensions");
}

static void a_suspended_camera_is_dark_though_nobody_can_be_told(void **state)
{
	(void)state;
	camera_join(CAMERA, "usb:1", "Door", camera);
	display_view(&display, 10, "Kitchen", CAMERA, camera);
	hide("grants");
	assert_int_equal(
		registry_suspend(fixture.registry, SUSPENDED_CAMERA, camera, "covered", 7), 0);
	web_confirm_take(WEB);
	camera_rotate(CAMERA, IPC_ROTATE, 2);
	assert_int_equal(fixture.revoked, 7);
	assert_nothing_sent(CAMERA, IPC_WRAP);
	assert_nothing_sent(WEB, IPC_TELL_KEY);
}

static void who_cannot_be_told_of_a_camera_comes_anew(void **state)
{
	struct ipc_message m;
	struct ipc_cut cut;

	(void)state;
	display_enter(&display, WEB, 10, "Kitchen");
	sent_forget();
	hide("grants");
	camera_join(CAMERA, "usb:1", "Door", camera);
	sent_take(WEB, IPC_CUT, &m);
	assert_int_equal(ipc_parse_cut(&m, &cut), 0);
	assert_int_equal(cut.connection, display.connection);
	assert_int_equal(cut.mode, CUT_BUSY);
}

static void a_camera_is_turned_away_while_cameras_cannot_be_read(void **state)
{
	(void)state;
	hide("cameras");
	camera_hello(CAMERA, IDENTITY_SERIAL, "usb:1", "Door");
	assert_non_null(sent_find(CAMERA, IPC_TURNED_AWAY));
	assert_nothing_sent(CAMERA, IPC_ADOPTED);
	assert_true(was_dropped(CAMERA, false));
}

static void a_camera_that_cannot_be_ignored_goes_on_as_before(void **state)
{
	(void)state;
	camera_join(CAMERA, "usb:1", "Door", camera);
	execute(&fixture.files.store, "CREATE TRIGGER fixed BEFORE UPDATE ON cameras"
				      " BEGIN SELECT RAISE(ABORT, 'fixed'); END");
	assert_true(registry_ignore(fixture.registry, camera) < 0);
	assert_nothing_sent(CAMERA, IPC_TURNED_AWAY);
	assert_false(was_dropped(CAMERA, false));
}

static int note_camera(void *data, const struct store_camera *c)
{
	(void)c;
	++*(unsigned int *)data;
	return 0;
}

static void a_row_that_cannot_be_is_no_camera(void **state)
{
	static const char *const damages[] = {
		"UPDATE cameras SET id = x'01'", "UPDATE cameras SET name = 'a' || char(0)"};
	struct store *s = &fixture.files.store;
	unsigned int count = 0;

	(void)state;
	camera_join(CAMERA, "usb:1", "Door", camera);
	execute(s, "PRAGMA ignore_check_constraints = ON"); /* as a failing disk does */
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		assert_int_equal(store_begin(s), 0);
		execute(s, damages[i]);
		assert_int_equal(store_camera_each(s, note_camera, &count), -EUCLEAN);
		assert_int_equal(count, 0);
		store_rollback(s);
	}
}

static void a_camera_that_could_not_be_forgotten_is_at_the_next_start(void **state)
{
	struct store *s = &fixture.files.store;
	struct ipc_message m;
	struct ipc_adopted adopted;
	struct store_camera record;

	(void)state;
	camera_hello(CAMERA, IDENTITY_RUN, "", "Twin");
	sent_take(CAMERA, IPC_ADOPTED, &m);
	assert_int_equal(ipc_parse_adopted(&m, &adopted), 0);
	execute(s, "CREATE TRIGGER kept BEFORE DELETE ON cameras"
		   " BEGIN SELECT RAISE(ABORT, 'kept'); END");
	registry_peer_gone(fixture.registry, CAMERA);
	assert_int_equal(store_camera_get(s, adopted.camera, &record), 0);
	execute(s, "DROP TRIGGER kept");
	store_finish(s);
	store_fixture_open(&fixture.files);
	assert_int_equal(store_camera_get(s, adopted.camera, &record), -ENOENT);
}

static void a_store_without_its_home_is_refused(void **state)
{
	char problem[STORE_PROBLEM_BYTES] = "";
	struct store s;

	(void)state;
	hide("meta");
	store_finish(&fixture.files.store);
	assert_int_equal(store_init(&s, fixture.files.dir, problem), -EIO);
	assert_non_null(strstr(problem, "cannot use the database"));
	assert_int_equal(s.lock_fd, -1);
}

static void a_store_that_no_keeper_opened_yet_can_be_looked_at(void **state)
{
	char problem[STORE_PROBLEM_BYTES] = "", path[512];

	(void)state;
	/* A copy from elsewhere has no lock. */
	store_finish(&fixture.files.store);
	snprintf(path, sizeof(path), "%s/lock", fixture.files.dir);
	assert_int_equal(remove(path), 0);
	assert_int_equal(store_inspect(fixture.files.dir, problem), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_logs_in_while_the_grants_cannot_be_read_is_refused),
		TEST(who_logs_in_while_the_suspensions_cannot_be_read_is_refused),
		TEST(a_suspended_camera_is_dark_though_nobody_can_be_told),
		TEST(who_cannot_be_told_of_a_camera_comes_anew),
		TEST(a_camera_is_turned_away_while_cameras_cannot_be_read),
		TEST(a_camera_that_cannot_be_ignored_goes_on_as_before),
		TEST(a_row_that_cannot_be_is_no_camera),
		TEST(a_camera_that_could_not_be_forgotten_is_at_the_next_start),
		TEST(a_store_without_its_home_is_refused),
		TEST(a_store_that_no_keeper_opened_yet_can_be_looked_at),
	};

	return cmocka_run_group_tests_name("unreadable", tests, NULL, NULL);
}
