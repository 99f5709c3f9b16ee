/*
 * Calls of the real processes fail, and processes are killed, while rights change and displays
 * look. FAULTS_SEED chooses other rates and instants; FAULTS_COUNTS names a file that the number of
 * faults of each role and kind is added to (tests/faults/run.sh). FAULTS_BRIEF: for `make test`.
 */
#include "command.h"
#include "story_check.h"

#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { KILLS_WITHIN_MS = 60, KILL_ROUNDS = 3, LOG_BYTES = 6000, TLS_ENDS_MS = 10000 };

static const char *const roles[INJECT_ROLES] = {"camera", "keeper", "web"};
static const char *const kinds[INJECT_KINDS] = {"allocation", "secure-heap", "mapping",
	"descriptor", "short", "interrupt", "again", "disk", "crypto"};

static struct story story;
static uint64_t seed = 1;
static uint64_t injected[INJECT_ROLES][INJECT_KINDS], killed[INJECT_ROLES];

/* ---- counts ---- */

static void take_counts(void)
{
	for (int role = 0; story.injection != NULL && role < INJECT_ROLES; role++) {
		for (int kind = 0; kind < INJECT_KINDS; kind++) {
			injected[role][kind] +=
				atomic_exchange(&story.injection->injected[role][kind], 0);
		}
	}
}

/* One line for each: ROLE KIND COUNT. */
static int write_counts(FILE *f, const char *before)
{
	for (int role = 0; role < INJECT_ROLES; role++) {
		for (int kind = 0; kind < INJECT_KINDS; kind++) {
			if (injected[role][kind] > 0) {
				fprintf(f, "%s%s %s %" PRIu64 "\n", before, roles[role],
					kinds[kind], injected[role][kind]);
			}
		}
		if (killed[role] > 0) {
			fprintf(f, "%s%s killed %" PRIu64 "\n", before, roles[role], killed[role]);
		}
	}
	return ferror(f) ? -1 : 0;
}

static int keep_counts(void)
{
	const char *path = getenv("FAULTS_COUNTS");
	FILE *f = path == NULL ? NULL : fopen(path, "ae");
	(void)write_counts(stdout, "# ");
	if (f == NULL) {
		return path == NULL ? 0 : -1;
	}
	int r = write_counts(f, "");
	return fclose(f) == 0 ? r : -1;
}

/* ---- rounds ---- */

/* The newest lines of what the hub said, of a test that did not come to its end. */
static void print_log(void)
{
	const char *log = hub_log(&story.hub);
	size_t size = strlen(log);
	const char *line = strchr(size > LOG_BYTES ? log + size - LOG_BYTES : log, '\n');
	while (line != NULL && *++line != '\0') {
		printf("# %.*s\n", (int)strcspn(line, "\n"), line);
		line = strchr(line, '\n');
	}
}

static int tear_down(void **state)
{
	(void)state;
	take_counts();
	if (story.loop != NULL) {
		print_log();
	}
	story_drop(&story);
	return 0;
}

/* Of each `of` calls of this kind the first `fail` fail. */
struct rate {
	enum injection_kind kind;
	uint32_t fail, of;
	bool starts; /* and also while it starts */
};

/* What any call may do at any time: nobody notices. */
static bool is_harmless(enum injection_kind kind)
{
	return kind == INJECT_SHORT || kind == INJECT_INTERRUPT;
}

/* Other calls with every seed. */
static void set_rate(enum injection_role role, const struct rate *rate, const char *when)
{
	uint32_t of = rate->of + (uint32_t)story_chance(&story, rate->of / 4 + 1);
	print_message("# %s, %s: %s, %u of %u fail\n", roles[role], when, kinds[rate->kind],
		rate->fail, of);
	story_rate(&story, role, rate->kind, rate->fail, of);
}

static void end_round(void)
{
	story_recover(&story);
	take_counts();
	print_message("#   commands done %u, refused %u, unanswered %u\n", story.commands[0],
		story.commands[1], story.commands[2]);
	memset(story.commands, 0, sizeof(story.commands));
	story.no_memory = false;
}

/* In a hub of its own: who died often is started again later and later. */
static void start_under(enum injection_role role, const struct rate *rate)
{
	story_begin(&story, seed + rate->of);
	pid_t before = hub_role(&story.hub, roles[role], 0);
	set_rate(role, rate, "starting");
	assert_int_equal(kill(before, SIGKILL), 0);
	story_part(&story);
	end_round();
	story_end(&story);
}

/* What shows most in the least time, and never takes a library along that had no memory. */
static bool is_chosen(const struct rate *rate)
{
	static const bool brief[INJECT_KINDS] = {[INJECT_SECURE] = true,
		[INJECT_DESCRIPTOR] = true,
		[INJECT_SHORT] = true,
		[INJECT_INTERRUPT] = true,
		[INJECT_DISK] = true,
		[INJECT_CRYPTO] = true};
	return getenv("FAULTS_BRIEF") == NULL || brief[rate->kind];
}

static void rounds_under(enum injection_role role, const struct rate *rates, size_t count)
{
	story_begin(&story, seed);
	for (size_t i = 0; i < count; i++) {
		if (!is_chosen(&rates[i])) {
			continue;
		}
		set_rate(role, &rates[i], "running");
		story_round(&story, NULL, 0);
		if (is_harmless(rates[i].kind)) {
			assert_int_equal(story.commands[COMMAND_DONE], 5);
		}
		end_round();
	}
	story_end(&story);
	for (size_t i = 0; i < count; i++) {
		if (rates[i].starts && getenv("FAULTS_BRIEF") == NULL) {
			start_under(role, &rates[i]);
		}
	}
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void a_camera_whose_calls_fail_shows_nothing_wrong_and_comes_back(void **state)
{
	static const struct rate rates[] = {
		{INJECT_ALLOCATION, 1, 2, false},
		{INJECT_ALLOCATION, 1, 11, false},
		{INJECT_ALLOCATION, 1, 97, true},
		{INJECT_ALLOCATION, 1, 997, true},
		{INJECT_SECURE, 1, 3, true},
		{INJECT_MAPPING, 1, 5, true},
		{INJECT_DESCRIPTOR, 1, 4, true},
		{INJECT_AGAIN, 1, 5, true},
		{INJECT_DISK, 1, 3, true},
		{INJECT_CRYPTO, 1, 40, true},
		{INJECT_SHORT, 1, 1, true},
		{INJECT_INTERRUPT, 255, 256, true},
	};
	(void)state;
	rounds_under(INJECT_CAMERA, rates, COUNT(rates));
}

static void a_keeper_whose_calls_fail_tells_no_untruth_and_comes_back(void **state)
{
	static const struct rate rates[] = {
		{INJECT_ALLOCATION, 1, 61, false},
		{INJECT_ALLOCATION, 1, 499, false},
		{INJECT_ALLOCATION, 1, 1999, true},
		{INJECT_SECURE, 1, 3, true},
		{INJECT_MAPPING, 1, 3, true},
		{INJECT_DESCRIPTOR, 1, 5, true},
		{INJECT_AGAIN, 1, 7, true},
		{INJECT_DISK, 1, 3, false},
		{INJECT_DISK, 1, 11, true},
		{INJECT_CRYPTO, 1, 5, true},
		{INJECT_SHORT, 1, 1, true},
		{INJECT_INTERRUPT, 255, 256, true},
	};
	(void)state;
	rounds_under(INJECT_KEEPER, rates, COUNT(rates));
}

static void a_web_role_whose_calls_fail_sends_nothing_wrong_and_comes_back(void **state)
{
	static const struct rate rates[] = {
		{INJECT_ALLOCATION, 1, 61, false},
		{INJECT_ALLOCATION, 1, 499, false},
		{INJECT_ALLOCATION, 1, 1999, true},
		{INJECT_SECURE, 1, 3, true},
		{INJECT_MAPPING, 1, 3, true},
		{INJECT_DESCRIPTOR, 1, 4, true},
		{INJECT_AGAIN, 1, 5, true},
		{INJECT_CRYPTO, 1, 60, true},
		{INJECT_SHORT, 1, 1, true},
		{INJECT_INTERRUPT, 127, 128, true},
	};
	(void)state;
	rounds_under(INJECT_WEB, rates, COUNT(rates));
}

/* ---- a fault that is felt ---- */

static void no_role_goes_on_without_memory_and_all_are_back_when_there_is_some(void **state)
{
	(void)state;
	story_begin(&story, seed);
	for (int role = 0; role < INJECT_ROLES; role++) {
		story_rate(&story, (enum injection_role)role, INJECT_ALLOCATION, 1, 1);
		/* Something that needs it: a display that comes, and what it asks for. */
		client_close(story.both.client);
		client_close(story.one.client);
		story_round(&story, NULL, 0);
		take_counts();
		assert_true(injected[role][INJECT_ALLOCATION] > 0);
		story_recover(&story);
	}
	story_end(&story);
}

/* As when OpenSSL had no memory once: it may never work again in that process. */
static void a_web_role_whose_tls_fails_ends_and_another_one_starts(void **state)
{
	(void)state;
	story_begin(&story, seed);
	story_rate(&story, INJECT_WEB, INJECT_CRYPTO, 1, 1);
	client_close(story.both.client);
	WAIT_FOR(story.loop, strstr(hub_log(&story.hub), "TLS does not work any more") != NULL,
		TLS_ENDS_MS);
	story_recover(&story);
	story_end(&story);
}

static void a_keeper_that_cannot_write_refuses_and_changes_nothing(void **state)
{
	(void)state;
	story_begin(&story, seed);
	story_rate(&story, INJECT_KEEPER, INJECT_DISK, 1, 1);
	assert_int_equal(command_run(&story.hub, NULL,
				 (const char *[]){"revoke", STORY_BOTH, STORY_NAME, NULL}),
		COMMAND_REFUSED);
	check_rights(&story, true);
	story_recover(&story);
	story_end(&story);
}

/* ---- killed ---- */

static void roles_killed_at_any_moment_leave_no_half_change(void **state)
{
	(void)state;
	story_begin(&story, seed);
	for (int role = 0; role < INJECT_ROLES; role++) {
		for (int i = 0; i < (getenv("FAULTS_BRIEF") == NULL ? KILL_ROUNDS : 1); i++) {
			story_round(&story, roles[role], KILLS_WITHIN_MS);
			killed[role] += story.kills;
			story.kills = 0;
			story_recover(&story);
		}
	}
	story_end(&story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
			a_camera_whose_calls_fail_shows_nothing_wrong_and_comes_back, tear_down),
		cmocka_unit_test_teardown(
			a_keeper_whose_calls_fail_tells_no_untruth_and_comes_back, tear_down),
		cmocka_unit_test_teardown(
			a_web_role_whose_calls_fail_sends_nothing_wrong_and_comes_back, tear_down),
		cmocka_unit_test_teardown(
			no_role_goes_on_without_memory_and_all_are_back_when_there_is_some,
			tear_down),
		cmocka_unit_test_teardown(
			a_web_role_whose_tls_fails_ends_and_another_one_starts, tear_down),
		cmocka_unit_test_teardown(
			a_keeper_that_cannot_write_refuses_and_changes_nothing, tear_down),
		cmocka_unit_test_teardown(
			roles_killed_at_any_moment_leave_no_half_change, tear_down),
	};
	const char *given = getenv("FAULTS_SEED");
	if (secure_heap_init() < 0) {
		return 1;
	}
	seed = given != NULL ? strtoull(given, NULL, 10) : seed;
	print_message("# seed %" PRIu64 "\n", seed);
	const char *only = getenv("FAULTS_ONLY");
	if (only != NULL) {
		cmocka_set_test_filter(only);
	}
	int failed = cmocka_run_group_tests_name("faults", tests, NULL, NULL);
	return keep_counts() < 0 ? 1 : failed;
}
