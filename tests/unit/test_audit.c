#include "audit_entry.h"
#include "store_fixture.h"
#include <errno.h>

static const struct audit_opening opening = {.display = {1},
	.camera = {2},
	.session = {3},
	.stream = 4,
	.display_name = "Kitchen",
	.camera_name = "Door"};

static int set_up(void **state)
{
	static struct store_fixture f;

	store_fixture_init(&f);
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	store_fixture_finish(*state);
	return 0;
}

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

/* Sets the times of what is on record, and makes the chain anew: what a real one would be. */
static void set_times(struct store *s, const int64_t *times)
{
	struct store_query q;
	struct audit_entry e;
	uint8_t chain[DIGEST_BYTES];
	int64_t sequence = 0;

	assert_int_equal(sqlite3_exec(s->db,
				 "CREATE TABLE old AS SELECT * FROM audit;"
				 "DELETE FROM audit; DELETE FROM sqlite_sequence;",
				 NULL, NULL, NULL),
		SQLITE_OK);
	q = store_query_init(s, "SELECT " AUDIT_COLUMNS " FROM old ORDER BY sequence");
	while (store_step(&q) == 1) {
		assert_int_equal(audit_entry_read(&q, &e), 0);
		assert_int_equal(audit_chain_end(s, &sequence, chain), 0);
		e.time_s = *times++;
		assert_int_equal(audit_entry_digest(&e, chain, e.chain), 0);
		assert_int_equal(audit_entry_write(s, &e), 0);
	}
	store_query_finish(&q);
	assert_int_equal(sqlite3_exec(s->db, "DROP TABLE old", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(audit_verify(s), 0);
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

/* ---- who could have seen it ---- */

static const uint8_t door[CAMERA_ID_BYTES] = {2};

static void note(struct store *s, enum audit_kind kind, uint8_t display, const char *name)
{
	struct audit_event e = {.kind = kind};

	e.display[0] = display;
	memcpy(e.camera, door, sizeof(door));
	snprintf(e.display_name, sizeof(e.display_name), "%s", name);
	assert_int_equal(audit_note(s, &e), 0);
}

static int64_t watch(struct store *s, uint8_t display, const char *name)
{
	struct audit_opening o = {.camera = {2}};
	int64_t viewing = 0;

	o.display[0] = display;
	snprintf(o.display_name, sizeof(o.display_name), "%s", name);
	assert_int_equal(audit_open(s, &o, &viewing), 0);
	return viewing;
}

static void leave(struct store *s, int64_t viewing, struct audit_counts counts)
{
	const struct audit_closing c = {.viewing = viewing, .reason = AUDIT_LEFT, .counts = counts};

	assert_int_equal(audit_close(s, &c, 1), 0);
}

/* "Name" could; * saw, ! on a poor link; what they do with one another. */
static void expect_exposed(struct store *s, int64_t since_s, int64_t until_s, const char *expected)
{
	struct audit_exposed *list;
	char text[256] = "";
	size_t count, used = 0;

	assert_int_equal(audit_exposure(s, door, since_s, until_s, &list, &count), 0);
	for (size_t i = 0; i < count; i++) {
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s%s%s",
			i > 0 ? " " : "", list[i].name, list[i].saw ? "*" : "",
			list[i].poor ? "!" : "");
	}
	free(list);
	assert_string_equal(text, expected);
}

static void a_grant_counts_for_as_long_as_it_was_held(void **state)
{
	/* A: 100..300, again 700..; B: before the record ..400; C: 500..600 */
	static const int64_t times[] = {100, 300, 400, 500, 600, 700};
	struct store *s = &((struct store_fixture *)*state)->store;

	note(s, AUDIT_GRANTED, 1, "A");
	note(s, AUDIT_TAKEN, 1, "A");
	note(s, AUDIT_TAKEN, 2, "B");
	note(s, AUDIT_GRANTED, 3, "C");
	note(s, AUDIT_TAKEN, 3, "C");
	note(s, AUDIT_GRANTED, 1, "A");
	set_times(s, times);
	expect_exposed(s, 0, 50, "B");
	expect_exposed(s, 150, 200, "A B"); /* given before, taken after */
	expect_exposed(s, 250, 350, "A B"); /* taken inside */
	expect_exposed(s, 310, 390, "B");
	expect_exposed(s, 410, 490, "");
	expect_exposed(s, 450, 550, "C"); /* given inside */
	expect_exposed(s, 0, 1000, "A B C");
	expect_exposed(s, 610, 690, "");
	expect_exposed(s, 800, 900, "A"); /* still held */
}

static void a_grant_of_the_store_counts_from_when_it_was_given(void **state)
{
	struct store *s = &((struct store_fixture *)*state)->store;
	struct audit_exposed *list;
	struct store_display d;
	struct store_camera c;
	size_t count;

	store_fixture_display(s, 7, "Kitchen", &d);
	store_fixture_camera(s, 8, "usb:1", "Door", &c);
	assert_int_equal(store_grant_add(s, d.id, c.id), 0);
	/* As an older version left it: nothing on record. */
	assert_int_equal(sqlite3_exec(s->db, "DELETE FROM audit; UPDATE grants SET granted_s = 500",
				 NULL, NULL, NULL),
		SQLITE_OK);
	assert_int_equal(audit_exposure(s, c.id, 0, 499, &list, &count), 0);
	assert_int_equal(count, 0);
	free(list);
	assert_int_equal(audit_exposure(s, c.id, 0, 500, &list, &count), 0);
	assert_int_equal(count, 1);
	assert_string_equal(list[0].name, "Kitchen");
	assert_false(list[0].saw);
	free(list);
}

static void who_saw_and_how_well_is_told_of_overlapping_viewings(void **state)
{
	static const int64_t times[] = {100, 110, 120, 200, 210, 220, 300};
	struct store *s = &((struct store_fixture *)*state)->store;
	int64_t a = watch(s, 1, "A"), b = watch(s, 2, "B"), c = watch(s, 3, "C");

	leave(s, a, (struct audit_counts){.sent = 100, .drawn = 98, .late = 2, .attested = true});
	leave(s, b, (struct audit_counts){.sent = 90, .drawn = 80, .dropped = 20});
	leave(s, c, (struct audit_counts){.sent = 5, .attested = true});
	watch(s, 4, "D");
	set_times(s, times);
	expect_exposed(s, 0, 99, "");
	expect_exposed(s, 0, 105, "A*");
	expect_exposed(s, 130, 140, "A* B*! C"); /* began before, ended after */
	expect_exposed(s, 205, 300, "B*! C D*");
	expect_exposed(s, 400, 500, "D*"); /* goes on */
}

/* They may be of before its first picture. */
static void counts_that_somebody_died_with_are_no_sign_that_nothing_was_seen(void **state)
{
	static const int64_t times[] = {100, 110, 120, 130, 200, 210, 220, 230};
	static const enum audit_reason reasons[] = {
		AUDIT_WEB_GONE, AUDIT_STOPPED, AUDIT_WEB_GONE, AUDIT_LEFT};
	struct store *s = &((struct store_fixture *)*state)->store;
	struct audit_closing closings[4] = {{0}};

	for (uint8_t i = 0; i < 4; i++) {
		closings[i].viewing = watch(s, i + 1, (const char[]){(char)('A' + i), '\0'});
		closings[i].reason = reasons[i];
	}
	closings[2].counts.attested = true; /* it signed that it drew nothing */
	assert_int_equal(audit_close(s, closings, 4), 0);
	set_times(s, times);
	expect_exposed(s, 0, 300, "A* B* C D");
}

static void a_poor_link_is_one_that_is_late_or_loses_a_tenth(void **state)
{
	(void)state;
	assert_false(audit_counts_poor(&(struct audit_counts){.drawn = 90, .dropped = 10}));
	assert_true(audit_counts_poor(&(struct audit_counts){.drawn = 89, .dropped = 11}));
	assert_true(audit_counts_poor(&(struct audit_counts){.drawn = 89, .late = 11}));
	assert_false(audit_counts_poor(&(struct audit_counts){.worst_age_ms = 2000}));
	assert_true(audit_counts_poor(&(struct audit_counts){.worst_age_ms = 2001}));
	assert_false(audit_counts_poor(&(struct audit_counts){0}));
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
		TEST(a_grant_counts_for_as_long_as_it_was_held),
		TEST(a_grant_of_the_store_counts_from_when_it_was_given),
		TEST(who_saw_and_how_well_is_told_of_overlapping_viewings),
		TEST(counts_that_somebody_died_with_are_no_sign_that_nothing_was_seen),
		TEST(a_poor_link_is_one_that_is_late_or_loses_a_tenth),
		TEST(every_grant_and_pairing_is_on_record_with_whose_word_it_was),
		TEST(a_suspension_is_on_record_with_its_reason),
	};

	return cmocka_run_group_tests_name("audit", tests, NULL, NULL);
}
