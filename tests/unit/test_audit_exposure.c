/* Who could have seen a camera in some time, who did, and how well: read from the record. */
#include "audit_fixture.h"

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

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_grant_counts_for_as_long_as_it_was_held),
		TEST(a_grant_of_the_store_counts_from_when_it_was_given),
		TEST(who_saw_and_how_well_is_told_of_overlapping_viewings),
		TEST(counts_that_somebody_died_with_are_no_sign_that_nothing_was_seen),
		TEST(a_poor_link_is_one_that_is_late_or_loses_a_tenth),
	};

	return cmocka_run_group_tests_name("audit exposure", tests, NULL, NULL);
}
