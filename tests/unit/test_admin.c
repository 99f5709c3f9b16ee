/* The owner's commands, as JSON in and out. */
#include "admin_server.h"
#include "keeper_fixture.h"

enum { WEB = 1, CAMERA = 2, OTHER_CAMERA = 3, OWNER = 50 };

static struct admin_server admin;
static struct authority authority;
static struct address_list hosts;
static struct display display;
static uint8_t camera[CAMERA_ID_BYTES], other_camera[CAMERA_ID_BYTES];
static json_t *answer;
static unsigned int answers;
static bool stopped;

static void take_answer(void *data, uint64_t peer, const char *text, size_t size)
{
	(void)data;
	assert_int_equal(peer, OWNER);
	json_decref(answer);
	answer = json_loadb(text, size, 0, NULL);
	assert_non_null(answer);
	answers++;
}

static void on_revoked(void *data, uint64_t operation, uint64_t cut_us)
{
	(void)data;
	admin_server_revoked(&admin, operation, cut_us);
}

static void note_stop(void *data)
{
	(void)data;
	stopped = true;
}

static int set_up(void **state)
{
	static const struct registry_output output = {
		NULL, fake_now, fake_random, fake_send, fake_drop, on_revoked};

	fixture_set_up(state);
	registry_destroy(fixture.registry);
	fixture.registry =
		registry_create(&output, &fixture.files.store, &fixture.pairing, &fixture.hub);
	admin = (struct admin_server){
		.output = {NULL, fake_now, fake_random, take_answer, note_stop},
		.registry = fixture.registry,
		.store = &fixture.files.store,
		.pairing = &fixture.pairing,
		.authority = &authority,
		.state_dir = fixture.files.dir,
		.hosts = &hosts,
		.sandbox = "seccomp",
		.started_us = fixture.now_us,
	};
	memset(authority.fingerprint, 0xfe, sizeof(authority.fingerprint));
	answers = 0;
	stopped = false;
	display_init(&display);
	web_join(WEB);
	camera_join(CAMERA, "usb:1", "Door", camera);
	camera_join(OTHER_CAMERA, "usb:2", "Door yard", other_camera);
	display_view(&display, 10, "Kitchen", CAMERA, camera);
	sent_forget();
	return 0;
}

static int tear_down(void **state)
{
	json_decref(answer);
	answer = NULL;
	display_finish(&display);
	return fixture_tear_down(state);
}

static void ask(const char *request)
{
	unsigned int before = answers;

	admin_server_hear(&admin, OWNER, true, request, strlen(request));
	assert_int_equal(answers, before + 1);
}

static void expect_error(const char *request, const char *word)
{
	const char *error;

	ask(request);
	assert_true(json_is_false(json_object_get(answer, "ok")));
	error = json_string_value(json_object_get(answer, "error"));
	if (error == NULL || strstr(error, word) == NULL) {
		fail_msg("\"%s\" does not say \"%s\"", error != NULL ? error : "(nothing)", word);
	}
}

static void expect_ok(const char *request)
{
	ask(request);
	if (!json_is_true(json_object_get(answer, "ok"))) {
		fail_msg("%s", json_string_value(json_object_get(answer, "error")));
	}
}

static const char *text_of(const char *list, size_t at, const char *key)
{
	return json_string_value(
		json_object_get(json_array_get(json_object_get(answer, list), at), key));
}

static void what_is_no_request_is_refused(void **state)
{
	static const char *const bad[] = {"", "x", "[]", "{}", "{\"command\":7}",
		"{\"command\":\"cameras\"", "{\"command\":\"cameras\"} x",
		"{\"command\":\"name\",\"command\":\"cameras\"}"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		expect_error(bad[i], "JSON");
	}
	expect_error("{\"command\":\"format\"}", "no such command");
	expect_error("{\"command\":\"camera\"}", "no such command");
}

static void a_request_that_is_too_long_is_refused(void **state)
{
	static char request[ADMIN_REQUEST_MAX_BYTES + 2];

	(void)state;
	memset(request, ' ', sizeof(request) - 1);
	memcpy(request, "{\"command\":\"status\"}", 20);
	expect_error(request, "JSON");
}

static void cameras_say_what_they_are_and_to_whom_they_are_shown(void **state)
{
	(void)state;
	expect_ok("{\"command\":\"cameras\"}");
	assert_int_equal(json_array_size(json_object_get(answer, "cameras")), 2);
	assert_string_equal(text_of("cameras", 0, "name"), "Door");
	assert_string_equal(text_of("cameras", 0, "state"), "ready");
	assert_string_equal(text_of("cameras", 0, "identity"), "serial");
	assert_string_equal(text_of("cameras", 1, "name"), "Door yard");
	const json_t *first = json_array_get(json_object_get(answer, "cameras"), 0);
	assert_int_equal(json_integer_value(json_object_get(first, "watchers")), 1);
	assert_string_equal(
		json_string_value(json_array_get(json_object_get(first, "shared_with"), 0)),
		"Kitchen");
	registry_peer_gone(fixture.registry, CAMERA);
	expect_ok("{\"command\":\"cameras\"}");
	assert_string_equal(text_of("cameras", 0, "state"), "offline");
}

static void what_a_device_says_in_another_encoding_hides_no_camera(void **state)
{
	struct ipc_camera_status status = {.activity = CAMERA_FAILING, .detail = "Ger\xe4t \x80"};

	(void)state;
	registry_camera_status(fixture.registry, CAMERA, &status);
	expect_ok("{\"command\":\"cameras\"}");
	assert_string_equal(text_of("cameras", 0, "detail"), "Ger?t ?");
}

static void displays_say_what_they_may_see_and_do_see(void **state)
{
	(void)state;
	assert_int_equal(registry_grant(fixture.registry, display.id, other_camera), 0);
	expect_ok("{\"command\":\"displays\"}");
	const json_t *first = json_array_get(json_object_get(answer, "displays"), 0);
	assert_true(json_is_true(json_object_get(first, "online")));
	assert_true(json_is_false(json_object_get(first, "owner")));
	assert_int_equal(json_array_size(json_object_get(first, "cameras")), 2);
	assert_int_equal(json_array_size(json_object_get(first, "watching")), 1);
	assert_string_equal(
		json_string_value(json_array_get(json_object_get(first, "watching"), 0)), "Door");
}

static void status_counts(void **state)
{
	(void)state;
	fixture.now_us += 61000000;
	display_report(&display, 1, ANOMALY_UNSEAL);
	expect_ok("{\"command\":\"status\"}");
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(answer, "anomalies"), "unseal")),
		1);
	assert_int_equal(json_integer_value(json_object_get(answer, "viewings")), 1);
	assert_int_equal(json_integer_value(json_object_get(answer, "uptime_s")), 61);
	assert_true(json_is_false(json_object_get(answer, "owner")));
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(answer, "web"), "port")), 8443);
}

static void what_the_web_role_refused_is_added_up(void **state)
{
	struct ipc_refusals m = {{0}};

	(void)state;
	m.counts[WEB_REFUSED_ORIGIN] = 2;
	m.counts[WEB_HELD_BACK] = 1;
	registry_web_refusals(fixture.registry, WEB, &m);
	registry_web_refusals(fixture.registry, WEB, &m);
	registry_web_refusals(fixture.registry, 99, &m);
	expect_ok("{\"command\":\"status\"}");
	const json_t *by_reason = json_object_get(json_object_get(answer, "web"), "refused");
	assert_int_equal(json_integer_value(json_object_get(by_reason, "page of another site")), 4);
	assert_int_equal(json_integer_value(json_object_get(
				 json_object_get(answer, "anomalies"), "held_back")),
		2);
}

static void a_link_reads_back_with_what_was_asked(void **state)
{
	struct wire_link link;

	(void)state;
	expect_ok("{\"command\":\"pair\",\"name\":\"Tablet\",\"cameras\":[\"Door\"],\"owner\":true,"
		  "\"minutes\":2}");
	assert_int_equal(
		wire_parse_link(json_string_value(json_object_get(answer, "link")), &link), 0);
	assert_true(link.owner);
	assert_memory_equal(link.fingerprint, authority.fingerprint, sizeof(link.fingerprint));
	assert_int_equal(json_integer_value(json_object_get(answer, "expires_s")), 120);
	const struct pairing_offer *offer = &fixture.pairing.links[0].offer;
	assert_string_equal(offer->name, "Tablet");
	assert_int_equal(offer->cameras_count, 1);
	assert_memory_equal(offer->cameras[0], camera, sizeof(camera));
}

static void all_means_those_present_now(void **state)
{
	(void)state;
	camera_hello(9, IDENTITY_RUN, "", "Twin");
	registry_peer_gone(fixture.registry, OTHER_CAMERA);
	expect_ok("{\"command\":\"pair\",\"cameras\":\"all\"}");
	assert_int_equal(fixture.pairing.links[0].offer.cameras_count, 1);
	assert_memory_equal(fixture.pairing.links[0].offer.cameras[0], camera, sizeof(camera));
	expect_ok("{\"command\":\"pair\",\"cameras\":\"none\"}");
	assert_int_equal(fixture.pairing.links[1].offer.cameras_count, 0);
}

static void bad_links_are_refused(void **state)
{
	(void)state;
	expect_error("{\"command\":\"pair\",\"cameras\":[\"Doo\"]}", "no camera \"Doo\"");
	expect_error("{\"command\":\"pair\",\"cameras\":[\"\"]}", "no camera");
	expect_error("{\"command\":\"pair\",\"cameras\":[7]}", "no camera");
	expect_error("{\"command\":\"pair\",\"cameras\":\"some\"}", "\"all\", \"none\"");
	expect_error("{\"command\":\"pair\",\"name\":\"\"}", "may not be empty");
	expect_error("{\"command\":\"pair\",\"name\":7}", "may not be empty");
	expect_error("{\"command\":\"pair\",\"name\":\"Kitchen\"}", "already");
	expect_error("{\"command\":\"pair\",\"minutes\":0}", "minutes");
	expect_error("{\"command\":\"pair\",\"minutes\":-5}", "minutes");
	expect_error("{\"command\":\"pair\",\"minutes\":1441}", "minutes");
	assert_int_equal(fixture.pairing.made, 0);
	expect_ok("{\"command\":\"pair\",\"name\":\"Kitchen 2\"}");
	registry_peer_gone(fixture.registry, WEB);
	expect_error("{\"command\":\"pair\"}", "web role");
}

static void bad_names_are_refused(void **state)
{
	(void)state;
	expect_error(
		"{\"command\":\"name\",\"camera\":\"Door\",\"name\":\"\"}", "may not be empty");
	expect_error("{\"command\":\"name\",\"camera\":\"Door\"}", "may not be empty");
	expect_error(
		"{\"command\":\"name\",\"camera\":\"Door\",\"name\":\"12345678901234567890123456789"
		"012345678901234567890123456789012345\"}",
		"too long");
	expect_error("{\"command\":\"name\",\"camera\":\"Door\",\"name\":\"a\\nb\"}", "control");
	expect_error("{\"command\":\"name\",\"camera\":\"Door\",\"name\":\" a\"}", "space");
	expect_error(
		"{\"command\":\"name\",\"camera\":\"Door\",\"name\":\"Door yard\"}", "already");
	expect_error("{\"command\":\"name\",\"camera\":\"Doo\",\"name\":\"x\"}", "no camera");
}

static void a_new_name_is_told_to_those_who_may_see_it(void **state)
{
	struct wire_camera told;

	(void)state;
	expect_ok("{\"command\":\"name\",\"camera\":\"Door\",\"name\":\"Door y\"}");
	display_expect_camera(&display, CAMERA_READY, &told);
	assert_string_equal(told.name, "Door y");
	expect_ok("{\"command\":\"name\",\"camera\":\"Door yard\",\"name\":\"Door\"}");
	display_expect_silence(&display);
}

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
		TEST(what_is_no_request_is_refused),
		TEST(a_request_that_is_too_long_is_refused),
		TEST(cameras_say_what_they_are_and_to_whom_they_are_shown),
		TEST(what_a_device_says_in_another_encoding_hides_no_camera),
		TEST(displays_say_what_they_may_see_and_do_see),
		TEST(status_counts),
		TEST(what_the_web_role_refused_is_added_up),
		TEST(a_link_reads_back_with_what_was_asked),
		TEST(all_means_those_present_now),
		TEST(bad_links_are_refused),
		TEST(bad_names_are_refused),
		TEST(a_new_name_is_told_to_those_who_may_see_it),
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

	return cmocka_run_group_tests_name("admin", tests, NULL, NULL);
}
