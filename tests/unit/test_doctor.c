/* What `camgate doctor` makes of what it finds. */
#include "doctor.h"
#include "authority_certificate.h"
#include "store_fixture.h"
#include "store_sql.h"
#include <errno.h>

static struct doctor doctor;

static int set_up(void **state)
{
	(void)state;
	doctor = (struct doctor){0};
	return 0;
}

/* The one line that was said, and its verdict. */
static void expect(enum doctor_verdict verdict, const char *words)
{
	const struct doctor_line *line = &doctor.lines[doctor.count - 1];

	assert_true(doctor.count > 0);
	if (line->verdict != verdict || strstr(line->text, words) == NULL) {
		fail_msg("\"%s\" (%d) is not \"%s\" (%d)", line->text, (int)line->verdict, words,
			(int)verdict);
	}
	/* ok, or what to do; a note may have nothing to do. */
	assert_int_equal(
		line->verdict == DOCTOR_OK, line->verdict == DOCTOR_OK && line->todo[0] == 0);
	if (line->verdict == DOCTOR_WRONG) {
		assert_true(line->todo[0] != 0);
		assert_true(doctor.wrong);
	}
}

static json_t *camera(
	const char *state, const char *activity, const char *detail, const char *advice)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "name", "Door", "state", state,
		"activity", activity, "detail", detail, "advice", advice, "source", "/dev/video0",
		"mode", "MJPG 1280x720 at 30 fps");
}

static void expect_camera(json_t *c, enum doctor_verdict verdict, const char *words)
{
	doctor_judge_camera(&doctor, c);
	json_decref(c);
	expect(verdict, words);
}

static void a_camera_that_works_is_ok_with_its_mode_and_why(void **state)
{
	(void)state;
	expect_camera(camera("ready", "idle", "", ""), DOCTOR_OK, "MJPG 1280x720 at 30 fps");
	expect_camera(camera("ready", "streaming", "the bus is full", ""), DOCTOR_OK,
		"because the bus is full");
	assert_false(doctor.wrong);
}

static void a_camera_that_fails_or_freezes_is_wrong(void **state)
{
	(void)state;
	expect_camera(camera("ready", "failing", "no pictures", "unplug it"), DOCTOR_WRONG,
		"failing: no pictures");
	doctor.wrong = false;
	expect_camera(camera("ready", "frozen", "", "unplug it"), DOCTOR_WRONG, "frozen");
}

static void a_camera_that_is_away_unshown_or_ignored_is_no_fault(void **state)
{
	(void)state;
	expect_camera(camera("offline", "idle", "", "plug it in"), DOCTOR_NOTE, "not here");
	expect_camera(camera("ready", "idle", "", "camgate grant"), DOCTOR_NOTE, "/dev/video0");
	expect_camera(camera("ignored", "idle", "", "camgate confirm"), DOCTOR_OK, "as you said");
	assert_false(doctor.wrong);
}

static void a_sandbox_says_what_it_lacks(void **state)
{
	(void)state;
	doctor_judge_sandbox(&doctor, "web", "seccomp, landlock 7, no core dumps");
	expect(DOCTOR_OK, "web");
	doctor_judge_sandbox(&doctor, "web", "seccomp; not had: landlock");
	expect(DOCTOR_NOTE, "landlock");
	doctor_judge_sandbox(&doctor, "web", "");
	expect(DOCTOR_NOTE, "did not say");
	doctor_judge_sandbox(&doctor, "web", "no core dumps; not had: seccomp");
	expect(DOCTOR_WRONG, "not confined");
	doctor.wrong = false;
	doctor_judge_sandbox(&doctor, "web", "no core dumps");
	expect(DOCTOR_WRONG, "not confined");
}

static void a_clock_that_was_never_set_is_wrong(void **state)
{
	(void)state;
	doctor_judge_clock(&doctor, AUTHORITY_CLOCK_FLOOR_S, true);
	expect(DOCTOR_OK, "2025-06-01 00:00 UTC");
	doctor_judge_clock(&doctor, AUTHORITY_CLOCK_FLOOR_S, false);
	expect(DOCTOR_NOTE, "no time server");
	assert_false(doctor.wrong);
	doctor_judge_clock(&doctor, AUTHORITY_CLOCK_FLOOR_S - 1, true);
	expect(DOCTOR_WRONG, "never set");
}

static void space_runs_out_in_two_steps(void **state)
{
	(void)state;
	doctor_judge_space(&doctor, "/x", UINT64_C(100) << 20);
	expect(DOCTOR_OK, "100 MiB are free at /x");
	doctor_judge_space(&doctor, "/x", (UINT64_C(100) << 20) - 1);
	expect(DOCTOR_NOTE, "99 MiB");
	doctor_judge_space(&doctor, "/x", (UINT64_C(16) << 20) - 1);
	expect(DOCTOR_WRONG, "15 MiB");
}

static void too_little_locked_memory_is_told(void **state)
{
	(void)state;
	doctor_judge_memory(&doctor, UINT64_MAX);
	expect(DOCTOR_OK, "any amount");
	doctor_judge_memory(&doctor, 8 << 20);
	expect(DOCTOR_OK, "8192 KiB");
	doctor_judge_memory(&doctor, 64 << 10 << 2);
	expect(DOCTOR_NOTE, "swapped out");
	doctor_judge_memory(&doctor, 64 << 10);
	expect(DOCTOR_WRONG, "nothing starts");
}

static void a_hub_that_only_itself_can_reach_is_wrong(void **state)
{
	struct address_list hosts = {.count = 2, .text = {"192.0.2.7", "2001:db8::7"}};

	(void)state;
	doctor_judge_addresses(&doctor, &hosts, 8443);
	assert_int_equal(doctor.count, 2);
	assert_string_equal(doctor.lines[0].text, "https://192.0.2.7:8443/");
	assert_string_equal(doctor.lines[1].text, "https://[2001:db8::7]:8443/");
	assert_false(doctor.wrong);
	hosts = (struct address_list){.count = 3, .text = {"localhost", "127.0.0.1", "::1"}};
	doctor_judge_addresses(&doctor, &hosts, 8443);
	expect(DOCTOR_WRONG, "this machine alone");
}

/* ---- certificate ---- */

static X509 *make_certificate(int64_t now_s)
{
	const struct address_list names = {.count = 1, .text = {"hub.local"}};
	const struct address_list addresses = {.count = 1, .text = {"192.168.1.5"}};
	struct key_pair ca, leaf;
	X509 *authority, *made;

	assert_int_equal(key_pair_generate(&ca), 0);
	assert_int_equal(key_pair_generate(&leaf), 0);
	authority = certificate_make_ca(&ca, &names, now_s);
	made = certificate_make_leaf(&leaf, &ca, authority, &names, &addresses, now_s);
	assert_non_null(made);
	X509_free(authority);
	key_pair_finish(&ca);
	key_pair_finish(&leaf);
	return made;
}

static void a_configured_port_that_is_not_listened_on_is_told(void **state)
{
	(void)state;
	doctor_judge_listen(&doctor, "", "[::]:8443");
	doctor_judge_listen(&doctor, "0.0.0.0:8443", "[::]:8443");
	assert_int_equal(doctor.count, 0);
	doctor_judge_listen(&doctor, "[::]:443", "[::]:8443");
	expect(DOCTOR_NOTE, "listen = [::]:443");
	assert_non_null(strstr(doctor.lines[0].todo,
		"sudo systemctl daemon-reload && sudo systemctl restart camgate-web.socket"));
}

static void a_certificate_is_judged_by_its_days_and_names(void **state)
{
	const int64_t now_s = AUTHORITY_CLOCK_FLOOR_S, day_s = 24 * 60 * 60;
	struct address_list hosts = {.count = 2, .text = {"hub.local", "192.168.1.5"}};
	X509 *c = make_certificate(now_s);

	(void)state;
	doctor_judge_certificate(&doctor, c, &hosts, now_s);
	assert_int_equal(doctor.count, 2);
	assert_non_null(strstr(doctor.lines[0].text, "more days"));
	expect(DOCTOR_OK, "names all");
	assert_false(doctor.wrong);
	hosts = (struct address_list){
		.count = 3, .text = {"hub.local", "192.168.1.6", "other.local"}};
	doctor_judge_certificate(&doctor, c, &hosts, now_s);
	expect(DOCTOR_WRONG, "does not name 192.168.1.6, other.local:");
	hosts = (struct address_list){.count = 2, .text = {"hub.local", "8.8.4.4"}};
	doctor_judge_certificate(&doctor, c, &hosts, now_s);
	expect(DOCTOR_NOTE, "8.8.4.4");
	hosts.count = 1;
	doctor.count = 0;
	doctor_judge_certificate(&doctor, c, &hosts, now_s + (AUTHORITY_LEAF_DAYS + 1) * day_s);
	assert_string_equal(doctor.lines[0].text, "it has ended");
	doctor_judge_certificate(
		&doctor, c, &hosts, now_s - (AUTHORITY_BACKDATED_DAYS + 1) * day_s);
	assert_string_equal(doctor.lines[2].text, "it is not valid yet");
	X509_free(c);
}

/* ---- store ---- */

static void a_store_is_looked_at_without_being_changed(void **state)
{
	char problem[STORE_PROBLEM_BYTES] = "";
	struct store_fixture f;

	(void)state;
	directory_make(f.dir);
	assert_int_equal(store_inspect(f.dir, problem), -ENOENT);
	store_fixture_open(&f);
	assert_int_equal(store_inspect(f.dir, problem), -EBUSY);
	assert_int_equal(store_exec(&f.store, "PRAGMA user_version = 1"), 0);
	store_finish(&f.store);
	assert_int_equal(store_inspect(f.dir, problem), 0);
	assert_int_equal(store_inspect(f.dir, problem), 0);
	directory_remove(f.dir);
}

static void a_store_whose_keeper_was_cut_off_is_left_for_the_next(void **state)
{
	char problem[STORE_PROBLEM_BYTES] = "", path[512];
	struct store_fixture f;
	FILE *file;

	(void)state;
	store_fixture_init(&f);
	store_finish(&f.store);
	snprintf(path, sizeof(path), "%s/camgate.db-wal", f.dir);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs("x", file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(store_inspect(f.dir, problem), -EAGAIN);
	directory_remove(f.dir);
}

static void a_store_that_cannot_be_used_is_told(void **state)
{
	static const char junk[4096] = "xxxxxxxxxxxxxxxx";
	char problem[STORE_PROBLEM_BYTES] = "", path[512];
	struct store_fixture f;
	FILE *file;

	(void)state;
	store_fixture_init(&f);
	assert_int_equal(store_exec(&f.store, "PRAGMA user_version = 99"), 0);
	store_finish(&f.store);
	assert_int_equal(store_inspect(f.dir, problem), -ENOTSUP);
	assert_non_null(strstr(problem, "newer camgate"));
	snprintf(path, sizeof(path), "%s/camgate.db", f.dir);
	file = fopen(path, "r+");
	assert_non_null(file);
	assert_int_equal(fwrite(junk, 1, sizeof(junk), file), sizeof(junk));
	assert_int_equal(fclose(file), 0);
	assert_int_equal(store_inspect(f.dir, problem), -EUCLEAN);
	assert_non_null(strstr(problem, "damaged"));
	directory_remove(f.dir);
}

/* ---- the whole ---- */

static void json_says_the_same_as_the_lines(void **state)
{
	json_t *object, *line;

	(void)state;
	doctor_say(&doctor, "clock", DOCTOR_OK, NULL, "right");
	doctor_say(&doctor, "space", DOCTOR_WRONG, "make room", "none \xff");
	object = doctor_json(&doctor);
	assert_true(json_is_false(json_object_get(object, "ok")));
	line = json_array_get(json_object_get(object, "lines"), 1);
	assert_string_equal(json_string_value(json_object_get(line, "subject")), "space");
	assert_string_equal(json_string_value(json_object_get(line, "state")), "wrong");
	assert_string_equal(json_string_value(json_object_get(line, "text")), "none ?");
	assert_string_equal(json_string_value(json_object_get(line, "to_do")), "make room");
	json_decref(object);
}

static void what_devices_say_does_not_steer_the_terminal(void **state)
{
	char out[1024] = "";
	FILE *file = fmemopen(out, sizeof(out), "w");

	(void)state;
	doctor_say(&doctor, "cameras", DOCTOR_OK, NULL, "a\x1b[2Jb\nc");
	doctor_print(&doctor, file);
	assert_int_equal(fclose(file), 0);
	assert_non_null(strstr(out, "a?[2Jb?c\n"));
	assert_non_null(strstr(out, "Nothing is wrong."));
}

static void more_lines_than_fit_lose_no_fault(void **state)
{
	(void)state;
	for (int i = 0; i < DOCTOR_LINES_MAX + 5; i++) {
		doctor_say(&doctor, "x", DOCTOR_OK, NULL, "fine");
	}
	assert_false(doctor.wrong);
	doctor_say(&doctor, "x", DOCTOR_WRONG, "this", "bad");
	assert_true(doctor.wrong);
	assert_int_equal(doctor.count, DOCTOR_LINES_MAX);
}

static void a_broken_configuration_is_told_with_its_line(void **state)
{
	char dir[64], path[512];
	FILE *file;

	(void)state;
	directory_make(dir);
	snprintf(path, sizeof(path), "%s/camgate.conf", dir);
	doctor_config(&doctor, path);
	expect(DOCTOR_OK, "everything as it comes");
	file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file, "[hub]\nlisten = nowhere:at:all\n");
	assert_int_equal(fclose(file), 0);
	doctor_config(&doctor, path);
	expect(DOCTOR_WRONG, "camgate.conf:2:");
	directory_remove(dir);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_camera_that_works_is_ok_with_its_mode_and_why),
		TEST(a_camera_that_fails_or_freezes_is_wrong),
		TEST(a_camera_that_is_away_unshown_or_ignored_is_no_fault),
		TEST(a_sandbox_says_what_it_lacks),
		TEST(a_clock_that_was_never_set_is_wrong),
		TEST(space_runs_out_in_two_steps),
		TEST(too_little_locked_memory_is_told),
		TEST(a_hub_that_only_itself_can_reach_is_wrong),
		TEST(a_configured_port_that_is_not_listened_on_is_told),
		TEST(a_certificate_is_judged_by_its_days_and_names),
		TEST(a_store_is_looked_at_without_being_changed),
		TEST(a_store_whose_keeper_was_cut_off_is_left_for_the_next),
		TEST(a_store_that_cannot_be_used_is_told),
		TEST(json_says_the_same_as_the_lines),
		TEST(what_devices_say_does_not_steer_the_terminal),
		TEST(more_lines_than_fit_lose_no_fault),
		TEST(a_broken_configuration_is_told_with_its_line),
	};

	return cmocka_run_group_tests_name("doctor", tests, NULL, NULL);
}
