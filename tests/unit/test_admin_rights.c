/* The owner's commands that give and take: grants, cameras that are confirmed or ignored, revokes,
 * suspensions, and the end. */
#include "admin_fixture.h"

static void a_grant_needs_both(void **state)
{
	struct wire_camera told;

	(void)state;
	expect_error("{\"command\":\"grant\",\"display\":\"Kitch\",\"camera\":\"Door\"}",
		"no display \"Kitch\"");
	expect_error(
		"{\"command\":\"grant\",\"display\":\"Kitchen\",\"camera\":\"\"}", "no camera");
	expect_error("{\"command\":\"grant\",\"display\":\"Kitchen\"}", "no camera");
	expect_error("{\"command\":\"grant\"}", "no display");
	expect_ok("{\"command\":\"grant\",\"display\":\"Kitchen\",\"camera\":\"Door yard\"}");
	display_expect_camera(&display, CAMERA_READY, &told);
	assert_string_equal(told.name, "Door yard");
}

static void a_camera_that_cannot_be_told_apart_has_to_be_confirmed(void **state)
{
	(void)state;
	camera_hello(9, IDENTITY_RUN, "", "Twin");
	expect_ok("{\"command\":\"cameras\"}");
	assert_string_equal(text_of("cameras", 2, "standing"), "quarantined");
	assert_non_null(strstr(text_of("cameras", 2, "advice"), "camgate confirm \"Twin\""));
	expect_error("{\"command\":\"grant\",\"display\":\"Kitchen\",\"camera\":\"Twin\"}",
		"camgate confirm \"Twin\"");
	expect_error("{\"command\":\"pair\",\"cameras\":[\"Twin\"]}", "camgate confirm \"Twin\"");
	expect_ok("{\"command\":\"confirm\",\"camera\":\"Twin\"}");
	expect_error("{\"command\":\"confirm\",\"camera\":\"Twin\"}", "confirmed already");
	expect_ok("{\"command\":\"grant\",\"display\":\"Kitchen\",\"camera\":\"Twin\"}");
	expect_ok("{\"command\":\"pair\",\"cameras\":[\"Twin\"]}");
	expect_error("{\"command\":\"confirm\",\"camera\":\"Door\"}", "needs no confirmation");
	expect_error("{\"command\":\"confirm\",\"camera\":\"Doo\"}", "no camera");
	expect_error("{\"command\":\"confirm\"}", "no camera");
}

static void a_camera_that_nobody_decided_about_says_so_and_what_to_do(void **state)
{
	(void)state;
	camera_hello(9, IDENTITY_SERIAL, "usb:9", "New");
	expect_ok("{\"command\":\"cameras\"}");
	assert_string_equal(text_of("cameras", 2, "name"), "New");
	assert_non_null(strstr(text_of("cameras", 2, "advice"), "camgate grant DISPLAY \"New\""));
	assert_non_null(strstr(text_of("cameras", 2, "advice"), "owner displays ask"));
	expect_ok("{\"command\":\"grant\",\"display\":\"Kitchen\",\"camera\":\"New\"}");
	expect_ok("{\"command\":\"cameras\"}");
	assert_null(strstr(text_of("cameras", 2, "advice"), "owner displays ask"));
}

static void an_ignored_camera_says_how_to_have_it_back(void **state)
{
	(void)state;
	expect_ok("{\"command\":\"ignore\",\"camera\":\"Door\"}");
	expect_error("{\"command\":\"ignore\",\"camera\":\"Door\"}", "ignored already");
	expect_ok("{\"command\":\"cameras\"}");
	assert_string_equal(text_of("cameras", 0, "state"), "ignored");
	assert_string_equal(text_of("cameras", 0, "known_as"), "usb:1");
	assert_non_null(strstr(text_of("cameras", 0, "advice"), "camgate confirm \"Door\""));
	expect_error("{\"command\":\"grant\",\"display\":\"Kitchen\",\"camera\":\"Door\"}",
		"is ignored");
	expect_ok("{\"command\":\"confirm\",\"camera\":\"Door\"}");
	expect_ok("{\"command\":\"cameras\"}");
	assert_string_equal(text_of("cameras", 0, "state"), "offline");
	expect_error("{\"command\":\"ignore\",\"camera\":\"\"}", "no camera");
}

static void twins_that_only_their_ports_tell_apart_are_pointed_out(void **state)
{
	(void)state;
	camera_hello_of(8, IDENTITY_PORT, "046d:0825", "port:046d:0825:a", "Xa");
	camera_hello_of(9, IDENTITY_PORT, "046d:0825", "port:046d:0825:b", "Xb");
	struct store_camera c;
	assert_int_equal(store_camera_find(&fixture.files.store, "Xa", &c), 0);
	assert_int_equal(registry_grant(fixture.registry, display.id, c.id), 0);
	expect_ok("{\"command\":\"cameras\"}");
	assert_string_equal(text_of("cameras", 2, "name"), "Xa");
	assert_non_null(strstr(text_of("cameras", 2, "advice"), "do not swap"));
	assert_non_null(strstr(text_of("cameras", 2, "advice"), "Xb"));
}

static void a_revoke_is_answered_when_it_is_done(void **state)
{
	static const char request[] =
		"{\"command\":\"revoke\",\"display\":\"Kitchen\",\"camera\":\"Door\"}";

	(void)state;
	admin_server_hear(&admin, OWNER, true, request, sizeof(request) - 1);
	assert_int_equal(answers, 0);
	fixture_pass_ms(12);
	web_confirm_take(WEB);
	assert_int_equal(answers, 0);
	camera_rotate(CAMERA, IPC_ROTATE, 2);
	assert_int_equal(answers, 1);
	assert_true(json_is_true(json_object_get(answer, "ok")));
	assert_int_equal(json_integer_value(json_object_get(answer, "cut_ms")), 12);
	expect_error(request, "anyway");
}

static void a_revoke_of_a_display_that_is_away_is_answered_at_once(void **state)
{
	(void)state;
	registry_web_closed(fixture.registry, WEB, 10);
	registry_peer_gone(fixture.registry, CAMERA);
	expect_ok("{\"command\":\"revoke\",\"display\":\"Kitchen\",\"camera\":null}");
	expect_error("{\"command\":\"revoke\",\"display\":\"Kitchen\"}", "no display");
	expect_error("{\"command\":\"revoke\",\"display\":\"\"}", "no display");
}

static void who_may_only_look_can_change_nothing(void **state)
{
	static const char *const changes[] = {"pair", "name", "grant", "revoke", "anything new"};
	static const char *const looks[] = {"cameras", "displays", "status"};
	char request[64];

	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		snprintf(request, sizeof(request), "{\"command\":\"%s\"}", changes[i]);
		admin_server_hear(&admin, OWNER, false, request, strlen(request));
		assert_non_null(strstr(
			json_string_value(json_object_get(answer, "error")), "permission denied"));
	}
	for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
		snprintf(request, sizeof(request), "{\"command\":\"%s\"}", looks[i]);
		admin_server_hear(&admin, OWNER, false, request, strlen(request));
		assert_true(json_is_true(json_object_get(answer, "ok")));
	}
}

/* ---- suspensions, and the end ---- */

static void a_suspension_needs_a_reason_and_one_thing_that_is_meant(void **state)
{
	(void)state;
	expect_error("{\"command\":\"suspend\",\"what\":\"Kitchen\"}", "--reason");
	expect_error("{\"command\":\"suspend\",\"what\":\"Kitchen\",\"reason\":\"\"}", "--reason");
	expect_error(
		"{\"command\":\"suspend\",\"what\":\"Kitchen\",\"reason\":\"a\\nb\"}", "one line");
	expect_error("{\"command\":\"suspend\",\"reason\":\"x\"}", "browser, kiosk");
	expect_error("{\"command\":\"suspend\",\"what\":\"Kitch\",\"reason\":\"x\"}",
		"no display and no camera");
	expect_ok("{\"command\":\"name\",\"camera\":\"Door yard\",\"name\":\"Kitchen\"}");
	expect_error("{\"command\":\"suspend\",\"what\":\"Kitchen\",\"reason\":\"x\"}",
		"a display and a camera");
	expect_error("{\"command\":\"resume\",\"what\":\"kiosk\"}", "nothing is suspended");
	assert_nothing_sent(WEB, IPC_CUT);
}

static void a_suspension_is_answered_when_it_is_done_and_told_everywhere(void **state)
{
	static const char request[] =
		"{\"command\":\"suspend\",\"what\":\"browser\",\"reason\":\"a mix-up\"}";
	const json_t *told;

	(void)state;
	admin_server_hear(&admin, OWNER, true, request, strlen(request));
	assert_int_equal(answers, 0);
	web_confirm_cut(WEB);
	camera_rotate(CAMERA, IPC_ROTATE, 2);
	assert_int_equal(answers, 1);
	assert_true(json_is_integer(json_object_get(answer, "cut_ms")));
	expect_ok("{\"command\":\"status\"}");
	assert_string_equal(text_of("suspended", 0, "what"), "browser");
	assert_string_equal(text_of("suspended", 0, "reason"), "a mix-up");
	assert_non_null(text_of("suspended", 0, "since"));
	expect_ok("{\"command\":\"displays\"}");
	assert_string_equal(text_of("displays", 0, "kind"), "browser");
	told = json_object_get(json_array_get(json_object_get(answer, "displays"), 0), "suspended");
	assert_string_equal(json_string_value(json_object_get(told, "reason")), "a mix-up");
	expect_error("{\"command\":\"pair\"}", "every browser is suspended (a mix-up)");
	expect_ok("{\"command\":\"pair\",\"kind\":\"kiosk\"}");
	expect_error("{\"command\":\"pair\",\"kind\":\"toaster\"}", "a kiosk or an integration");
	expect_ok("{\"command\":\"resume\",\"what\":\"browser\"}");
	expect_ok("{\"command\":\"displays\"}");
	assert_true(json_is_null(json_object_get(
		json_array_get(json_object_get(answer, "displays"), 0), "suspended")));
}

static void everybody_is_cut_off_before_the_hub_forgets(void **state)
{
	static const char request[] = "{\"command\":\"forget\"}";

	(void)state;
	admin_server_hear(&admin, OWNER, true, request, strlen(request));
	assert_false(stopped);
	web_confirm_cut(WEB);
	assert_false(stopped);
	camera_rotate(CAMERA, IPC_ROTATE, 2);
	assert_true(stopped);
	assert_int_equal(answers, 0);
	admin_server_end(&admin);
	assert_int_equal(answers, 1);
	assert_true(json_is_true(json_object_get(answer, "ok")));
	assert_true(json_array_size(json_object_get(answer, "deleted")) > 0);
	admin_server_end(&admin);
	assert_int_equal(answers, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_grant_needs_both),
		TEST(a_camera_that_cannot_be_told_apart_has_to_be_confirmed),
		TEST(a_camera_that_nobody_decided_about_says_so_and_what_to_do),
		TEST(an_ignored_camera_says_how_to_have_it_back),
		TEST(twins_that_only_their_ports_tell_apart_are_pointed_out),
		TEST(a_revoke_is_answered_when_it_is_done),
		TEST(a_revoke_of_a_display_that_is_away_is_answered_at_once),
		TEST(who_may_only_look_can_change_nothing),
		TEST(a_suspension_needs_a_reason_and_one_thing_that_is_meant),
		TEST(a_suspension_is_answered_when_it_is_done_and_told_everywhere),
		TEST(everybody_is_cut_off_before_the_hub_forgets),
	};

	return cmocka_run_group_tests_name("admin rights", tests, NULL, NULL);
}
