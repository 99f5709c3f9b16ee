/* Links and names: what is wrong is refused, what is right works once. */
#include "raw.h"
#include "viewer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct client_loop *loop;
static struct hub hub;
static struct display_keys keys;

static int set_up(void **state)
{
	(void)state;
	loop = client_loop_create();
	hub_init(&hub, loop);
	hub_start(&hub, (const char *[]){"--camera", "pattern:320x192@15", "--camera",
				"pattern:256x192@15", NULL});
	hub_name_camera(&hub, "320x192", "Door");
	hub_name_camera(&hub, "256x192", "Yard");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	hub_end(&hub);
	hub_finish(&hub);
	client_loop_destroy(loop);
	return 0;
}

static int new_keys(void **state)
{
	(void)state;
	return display_keys_generate(&keys);
}

static int drop_keys(void **state)
{
	(void)viewer_drop_all(state);
	display_keys_finish(&keys);
	return 0;
}

static size_t displays_count(void)
{
	json_t *answer = hub_ask(&hub, "displays", NULL);
	size_t n = json_array_size(json_object_get(answer, "displays"));
	json_decref(answer);
	return n;
}

static void try_pair(struct raw *r, const struct wire_link *link, const char *name)
{
	uint8_t message[1024];
	raw_open(r, &hub);
	raw_send(r, message, raw_make_pair(r, &keys, link, name, message, sizeof(message)));
}

static void refused_pair(const struct wire_link *link, const char *name)
{
	struct raw r;
	size_t before = displays_count();
	try_pair(&r, link, name);
	raw_expect_refusal(&r);
	assert_int_equal(displays_count(), before);
}

static void a_link_that_was_never_made_is_refused(void **state)
{
	(void)state;
	struct wire_link link = {0};
	refused_pair(&link, "Guesser");
}

static void a_wrong_secret_is_refused_and_five_spend_the_link(void **state)
{
	(void)state;
	struct wire_link right, wrong;
	hub_make_link(&hub, "Door", NULL, &right);
	wrong = right;
	wrong.secret[0] ^= 1;
	for (int i = 0; i < 5; i++) {
		refused_pair(&wrong, "Guesser");
	}
	refused_pair(&right, "Too late");
}

static void four_wrong_proofs_leave_the_link_to_its_owner(void **state)
{
	(void)state;
	struct wire_link right, wrong;
	struct raw r;
	hub_make_link(&hub, "Door", NULL, &right);
	wrong = right;
	wrong.secret[0] ^= 1;
	for (int i = 0; i < 4; i++) {
		refused_pair(&wrong, "Guesser");
	}
	try_pair(&r, &right, "In time");
	raw_expect_welcome(&r);
	raw_finish(&r);
}

static void a_used_link_is_refused(void **state)
{
	(void)state;
	struct wire_link link;
	struct raw r;
	hub_make_link(&hub, "Door", NULL, &link);
	try_pair(&r, &link, "First");
	raw_expect_welcome(&r);
	raw_finish(&r);
	display_keys_finish(&keys);
	assert_int_equal(display_keys_generate(&keys), 0);
	refused_pair(&link, "Second");
}

static void keys_that_are_paired_cannot_pair_again(void **state)
{
	(void)state;
	struct wire_link link;
	struct raw r;
	hub_make_link(&hub, "Door", NULL, &link);
	try_pair(&r, &link, "Once");
	raw_expect_welcome(&r);
	raw_finish(&r);
	hub_make_link(&hub, "all", NULL, &link);
	refused_pair(&link, "Twice");
}

static void bad_display_names_are_refused(void **state)
{
	(void)state;
	char longest[NAME_MAX_BYTES + 2];
	struct wire_link link;
	memset(longest, 'a', sizeof(longest));
	longest[NAME_MAX_BYTES + 1] = '\0';
	const char *const names[] = {
		"", longest, "new\nline", "\x1b[2J", "\xff\xfe", "\xc2\x9b", " space"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		hub_make_link(&hub, "none", NULL, &link);
		refused_pair(&link, names[i]);
	}
}

static void a_longest_name_and_one_that_is_taken_are_fine(void **state)
{
	(void)state;
	struct viewer a = {0}, b = {0};
	viewer_pair(&a, &hub, "Door", "Twin");
	viewer_pair(&b, &hub, "Yard", "Twin");
	viewer_await(&a, "Door", 2);
	viewer_await(&b, "Yard", 2);
	/* Taking from one of them by its whole name leaves the other alone. */
	json_decref(hub_ask(&hub, "revoke", "Twin", NULL));
	WAIT_FOR(loop, a.closes > 0, HUB_PATIENCE_MS);
	viewer_await(&b, "Yard", 5);
	assert_int_equal(b.closes, 0);
	viewer_finish(&a);
	viewer_finish(&b);
}

static void a_link_gives_the_name_that_was_said_when_it_was_made(void **state)
{
	(void)state;
	struct wire_link link;
	struct raw r;
	hub_make_link(&hub, "none", "Named by owner", &link);
	try_pair(&r, &link, "Named by itself");
	raw_expect_welcome(&r);
	raw_finish(&r);
	json_decref(hub_ask(&hub, "revoke", "Named by owner", NULL));
	assert_int_not_equal(hub_command(&hub, NULL, "revoke", "Named by itself", NULL), 0);
}

static void bad_camera_names_are_refused_and_prefixes_are_not_names(void **state)
{
	(void)state;
	char longest[NAME_MAX_BYTES + 2];
	memset(longest, 'a', sizeof(longest));
	longest[NAME_MAX_BYTES + 1] = '\0';
	const char *const names[] = {"", longest, "a\tb", "Yard"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_not_equal(hub_command(&hub, NULL, "name", "Door", names[i], NULL), 0);
	}
	assert_int_equal(hub_command(&hub, NULL, "name", "Doo", "Gate", NULL), 1);
	assert_int_equal(hub_command(&hub, NULL, "pair", "--cameras", "Doo", NULL), 1);
	json_decref(hub_ask(&hub, "name", "Door", "Yard two", NULL));
	json_decref(hub_ask(&hub, "name", "Yard two", "Door", NULL));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, new_keys, drop_keys)

int main(void)
{
	if (secure_heap_init() < 0) {
		return 1;
	}
	const struct CMUnitTest tests[] = {
		TEST(a_link_that_was_never_made_is_refused),
		TEST(a_wrong_secret_is_refused_and_five_spend_the_link),
		TEST(four_wrong_proofs_leave_the_link_to_its_owner),
		TEST(a_used_link_is_refused),
		TEST(keys_that_are_paired_cannot_pair_again),
		TEST(bad_display_names_are_refused),
		TEST(a_longest_name_and_one_that_is_taken_are_fine),
		TEST(a_link_gives_the_name_that_was_said_when_it_was_made),
		TEST(bad_camera_names_are_refused_and_prefixes_are_not_names),
	};
	return cmocka_run_group_tests_name("links", tests, set_up, tear_down);
}
