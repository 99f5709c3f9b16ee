/* The owner's commands, as JSON in and out: what is told, links and names. */
#include "admin_fixture.h"

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
	};

	return cmocka_run_group_tests_name("admin", tests, NULL, NULL);
}
