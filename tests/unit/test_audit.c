/* What is put on record, and that nothing of it can be changed or removed unnoticed. */
#include "audit_fixture.h"
#include <errno.h>

static const struct audit_opening opening = {.display = {1},
	.camera = {2},
	.session = {3},
	.stream = 4,
	.display_name = "Kitchen",
	.camera_name = "Door"};

static int64_t ask(struct store *s, const char *sql)
{
	sqlite3_stmt *statement;
	int64_t value;

	assert_int_equal(sqlite3_prepare_v2(s->db, sql, -1, &statement, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	value = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return value;
}

static int64_t open_one(struct store *s)
{
	int64_t viewing = 0;

	assert_int_equal(audit_open(s, &opening, &viewing), 0);
	assert_int_not_equal(viewing, 0);
	return viewing;
}

static void a_viewing_has_an_opening_and_a_closing(void **state)
{
	struct store *s = &((struct store_fixture *)*state)->store;
	struct audit_closing closing = {.reason = AUDIT_UNWATCHED,
		.counts = {
			.sent = 10, .drawn = 8, .late = 2, .worst_age_ms = 1200, .attested = true}};

	closing.viewing = open_one(s);
	assert_int_equal(audit_close(s, &closing, 1), 0);
	assert_int_equal(ask(s, "SELECT drawn FROM audit WHERE kind = 2"), 8);
	assert_int_equal(ask(s, "SELECT reason FROM audit WHERE kind = 2"), AUDIT_UNWATCHED);
	assert_int_equal(ask(s, "SELECT viewing FROM audit WHERE kind = 2"), closing.viewing);
	assert_int_equal(audit_count(s), 1);
	assert_int_equal(audit_verify(s), 0);
}

static void a_viewing_is_closed_once(void **state)
{
	struct store *s = &((struct store_fixture *)*state)->store;
	struct audit_closing closings[3] = {{.reason = AUDIT_LEFT}, {.reason = AUDIT_REVOKED},
		{.viewing = 4711, .reason = AUDIT_LEFT}};

	closings[0].viewing = closings[1].viewing = open_one(s);
	assert_int_equal(audit_close(s, closings, 3), 0);
	assert_int_equal(audit_close(s, closings, 1), 0);
	assert_int_equal(ask(s, "SELECT count(*) FROM audit WHERE kind = 2"), 1);
	assert_int_equal(ask(s, "SELECT reason FROM audit WHERE kind = 2"), AUDIT_LEFT);
}

static void what_a_crash_left_open_ended_unseen(void **state)
{
	struct store_fixture *f = *state;
	struct audit_closing closing = {.reason = AUDIT_LEFT};
	unsigned int count = 0;

	closing.viewing = open_one(&f->store);
	open_one(&f->store);
	open_one(&f->store);
	assert_int_equal(audit_close(&f->store, &closing, 1), 0);
	store_finish(&f->store);
	store_fixture_open(f);
	assert_int_equal(audit_close_unseen(&f->store, &count), 0);
	assert_int_equal(count, 2);
	assert_int_equal(audit_close_unseen(&f->store, &count), 0);
	assert_int_equal(count, 0);
	assert_int_equal(
		ask(&f->store, "SELECT count(*) FROM audit WHERE kind = 2 AND reason = 10"), 2);
	assert_int_equal(AUDIT_UNSEEN, 10);
	assert_int_equal(audit_verify(&f->store), 0);
}

static void an_entry_cannot_be_changed(void **state)
{
	struct store *s = &((struct store_fixture *)*state)->store;

	open_one(s);
	assert_int_not_equal(
		sqlite3_exec(s->db, "UPDATE audit SET camera_name = 'x'", NULL, NULL, NULL),
		SQLITE_OK);
	assert_int_equal(audit_verify(s), 0);
}

static void an_edited_or_removed_entry_breaks_the_chain(void **state)
{
	struct store *s = &((struct store_fixture *)*state)->store;
	static const char *const crimes[] = {
		"DROP TRIGGER audit_append_only; UPDATE audit SET drawn = 0 WHERE sequence = 4",
		"UPDATE audit SET drawn = 8 WHERE sequence = 4; UPDATE audit SET display_name = 'x'"
		" WHERE sequence = 1",
		"UPDATE audit SET display_name = 'Kitchen' WHERE sequence = 1;"
		" DELETE FROM audit WHERE sequence = 2",
	};
	struct audit_closing closing = {.reason = AUDIT_LEFT, .counts = {.drawn = 8}};

	closing.viewing = open_one(s);
	open_one(s);
	open_one(s);
	assert_int_equal(audit_close(s, &closing, 1), 0);
	assert_int_equal(audit_verify(s), 0);
	for (size_t i = 0; i < sizeof(crimes) / sizeof(crimes[0]); i++) {
		assert_int_equal(sqlite3_exec(s->db, crimes[i], NULL, NULL, NULL), SQLITE_OK);
		assert_int_equal(audit_verify(s), -EBADMSG);
	}
}

static void a_removed_beginning_breaks_the_chain(void **state)
{
	struct store *s = &((struct store_fixture *)*state)->store;

	open_one(s);
	open_one(s);
	assert_int_equal(
		sqlite3_exec(s->db, "DELETE FROM audit WHERE sequence = 1", NULL, NULL, NULL),
		SQLITE_OK);
	assert_int_equal(audit_verify(s), -EBADMSG);
}

static void the_oldest_go_and_the_chain_still_holds(void **state)
{
	struct store *s = &((struct store_fixture *)*state)->store;

	/* As if there had been almost too many already. */
	open_one(s);
	assert_int_equal(
		sqlite3_exec(s->db, "DELETE FROM audit; UPDATE sqlite_sequence SET seq = 0", NULL,
			NULL, NULL),
		SQLITE_OK);
	assert_int_equal(sqlite3_exec(s->db, "BEGIN", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(s->db,
			"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
			"  WHERE i < 100998)"
			" INSERT INTO audit SELECT i, 2, 0, 0, zeroblob(32), '', zeroblob(16),"
			"  '', zeroblob(16), 0, 0, 0, 0, 0, 0, 0, 0, 0, zeroblob(32),"
			"  1, 0, 0, '', '' FROM n",
			NULL, NULL, NULL),
		SQLITE_OK);
	assert_int_equal(sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	open_one(s);
	open_one(s);
	assert_int_equal(ask(s, "SELECT count(*) FROM audit"), AUDIT_ENTRIES_MAX);
	assert_int_equal(ask(s, "SELECT min(sequence) FROM audit"), 1001);
	assert_int_equal(
		sqlite3_exec(s->db, "DELETE FROM audit WHERE sequence < 100999", NULL, NULL, NULL),
		SQLITE_OK);
	assert_int_equal(audit_verify(s), 0);
}

static void a_full_disk_opens_nothing(void **state)
{
	struct store *s = &((struct store_fixture *)*state)->store;
	int64_t viewing = 4711, before;

	store_fixture_fill(s);
	before = audit_count(s);
	assert_int_equal(audit_open(s, &opening, &viewing), -ENOSPC);
	assert_int_equal(viewing, 4711);
	assert_int_equal(audit_count(s), before);
}

static void a_removed_end_breaks_the_chain(void **state)
{
	struct store *s = &((struct store_fixture *)*state)->store;

	open_one(s);
	open_one(s);
	assert_int_equal(
		sqlite3_exec(s->db, "DELETE FROM audit WHERE sequence = 2", NULL, NULL, NULL),
		SQLITE_OK);
	assert_int_equal(audit_verify(s), -EBADMSG);
	assert_int_equal(sqlite3_exec(s->db, "DELETE FROM audit", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(audit_verify(s), -EBADMSG);
}

static void what_an_older_entry_cannot_hold_breaks_the_chain(void **state)
{
	struct store *s = &((struct store_fixture *)*state)->store;

	open_one(s);
	assert_int_equal(
		sqlite3_exec(s->db, "DROP TRIGGER audit_append_only; UPDATE audit SET note = 'x'",
			NULL, NULL, NULL),
		SQLITE_OK);
	assert_int_equal(audit_verify(s), -EBADMSG);
	assert_int_equal(
		sqlite3_exec(s->db, "UPDATE audit SET note = '', dropped = 1", NULL, NULL, NULL),
		SQLITE_OK);
	assert_int_equal(audit_verify(s), -EBADMSG);
	assert_int_equal(
		sqlite3_exec(s->db, "UPDATE audit SET dropped = 0", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(audit_verify(s), 0);
}

static void what_is_too_old_goes_and_the_chain_still_holds(void **state)
{
	static const int64_t times[] = {1000, 2000, 3000, 4000};
	struct store *s = &((struct store_fixture *)*state)->store;
	struct audit_closing closing = {.reason = AUDIT_LEFT};
	struct audit_check c = {0};
	unsigned int removed = 0;

	closing.viewing = open_one(s);
	assert_int_equal(audit_close(s, &closing, 1), 0);
	closing.viewing = open_one(s);
	assert_int_equal(audit_close(s, &closing, 1), 0);
	set_times(s, times);
	assert_int_equal(audit_prune(s, 5000, 4500, &removed), 0);
	assert_int_equal(removed, 0);
	assert_int_equal(audit_prune(s, 5000, 2500, &removed), 0);
	assert_int_equal(removed, 2);
	assert_int_equal(audit_verify_step(s, &c), 0);
	assert_true(c.done);
	assert_int_equal(c.first, 3);
	assert_int_equal(c.removed, 2);
	assert_int_equal(audit_prune(s, 9000, 10, &removed), 0);
	assert_int_equal(removed, 2);
	assert_int_equal(audit_verify(s), 0);
	assert_int_equal(open_one(s), 5);
	assert_int_equal(audit_verify(s), 0);
}

static void a_viewing_that_goes_on_is_not_too_old(void **state)
{
	static const int64_t times[] = {1000, 2000, 3000};
	struct store *s = &((struct store_fixture *)*state)->store;
	struct audit_closing closing = {.reason = AUDIT_LEFT};
	unsigned int removed = 9;

	closing.viewing = open_one(s);
	open_one(s);
	assert_int_equal(audit_close(s, &closing, 1), 0);
	set_times(s, times);
	assert_int_equal(audit_prune(s, 100000, 10, &removed), 0);
	assert_int_equal(removed, 1);
}

struct told {
	char text[512];
};

static int tell(void *data, const struct audit_item *i)
{
	struct told *told = data;
	size_t used = strlen(told->text);

	snprintf(told->text + used, sizeof(told->text) - used, "%s%s %s %s by %s",
		used > 0 ? "; " : "", audit_kind_text(i->kind), i->o.display_name, i->o.camera_name,
		i->actor);
	return 0;
}

static void every_grant_and_pairing_is_on_record_with_whose_word_it_was(void **state)
{
	const struct audit_filter all = {.since_s = INT64_MIN, .until_s = INT64_MAX};
	struct store *s = &((struct store_fixture *)*state)->store;
	struct told told = {""};
	struct store_display d;
	struct store_camera c;

	store_act_for(s, "Owner");
	store_fixture_display(s, 7, "Kitchen", &d);
	store_fixture_camera(s, 8, "usb:1", "Door", &c);
	assert_int_equal(store_grant_add(s, d.id, c.id), 0);
	assert_int_equal(store_grant_add(s, d.id, c.id), 0); /* had it already: nothing new */
	store_act_for(s, "the command line");
	assert_int_equal(store_grant_remove(s, d.id, c.id), 0);
	assert_int_equal(store_grant_remove(s, d.id, c.id), -ENOENT);
	store_act_for(s, NULL);
	assert_int_equal(store_grant_add(s, d.id, c.id), 0);
	assert_int_equal(store_display_remove(s, d.id), 0);
	assert_int_equal(audit_each(s, &all, tell, &told), 0);
	assert_string_equal(told.text,
		"paired Kitchen  by Owner; granted Kitchen Door by Owner; "
		"revoked Kitchen Door by the command line; granted Kitchen Door by camgate; "
		"revoked Kitchen Door by camgate; unpaired Kitchen  by camgate");
	assert_int_equal(audit_verify(s), 0);
}

static int expect_reason(void *data, const struct audit_item *i)
{
	if (i->kind == AUDIT_SUSPENDED) {
		assert_string_equal(i->note, (const char *)data);
	}
	return 0;
}

static void a_suspension_is_on_record_with_its_reason(void **state)
{
	const struct audit_filter all = {.since_s = INT64_MIN, .until_s = INT64_MAX};
	struct store *s = &((struct store_fixture *)*state)->store;
	struct told told = {""};
	struct store_display d;
	struct store_camera c;

	store_fixture_display(s, 7, "Kitchen", &d);
	store_fixture_camera(s, 8, "usb:1", "Door", &c);
	store_act_for(s, "the command line");
	assert_int_equal(store_suspend(s, SUSPENDED_CAMERA, c.id, "why"), 0);
	assert_int_equal(store_suspend(s, SUSPENDED_CAMERA, c.id, "why"), -EALREADY);
	assert_int_equal(store_suspend(s, SUSPENDED_DISPLAY, d.id, "why"), 0);
	assert_int_equal(store_suspend(s, SUSPENDED_KIOSKS, NULL, "why"), 0);
	assert_int_equal(store_resume(s, SUSPENDED_KIOSKS, NULL), 0);
	assert_int_equal(store_resume(s, SUSPENDED_KIOSKS, NULL), -ENOENT);
	assert_int_equal(audit_each(s, &all, tell, &told), 0);
	assert_string_equal(told.text,
		"paired Kitchen  by camgate; suspended  Door by the command line; "
		"suspended Kitchen  by the command line; suspended kiosk  by the command line; "
		"resumed kiosk  by the command line");
	assert_int_equal(audit_each(s, &all, expect_reason, "why"), 0);
	assert_int_equal(audit_verify(s), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_viewing_has_an_opening_and_a_closing),
		TEST(a_viewing_is_closed_once),
		TEST(what_a_crash_left_open_ended_unseen),
		TEST(an_entry_cannot_be_changed),
		TEST(an_edited_or_removed_entry_breaks_the_chain),
		TEST(a_removed_beginning_breaks_the_chain),
		TEST(the_oldest_go_and_the_chain_still_holds),
		TEST(a_full_disk_opens_nothing),
		TEST(a_removed_end_breaks_the_chain),
		TEST(what_an_older_entry_cannot_hold_breaks_the_chain),
		TEST(what_is_too_old_goes_and_the_chain_still_holds),
		TEST(a_viewing_that_goes_on_is_not_too_old),
		TEST(every_grant_and_pairing_is_on_record_with_whose_word_it_was),
		TEST(a_suspension_is_on_record_with_its_reason),
	};

	return cmocka_run_group_tests_name("audit", tests, NULL, NULL);
}
