/* What is in whose memory: pieces of pictures that a display opened are looked for in all of the
 * hub's processes, which stand still meanwhile. And what sessions leave behind when they are over.
 */
#include "viewer.h"
#include "tests/oracles/leak.h"
#include "tests/oracles/memory.h"
#include "tests/oracles/tally.h"

#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

enum { SESSIONS = 12, DEATHS = 2 };

static struct client_loop *loop;
static struct hub hub;

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

static unsigned int search(pid_t pid, size_t piece, struct canary_owner owner)
{
	assert_int_not_equal(pid, 0);
	int n = memory_search(pid, piece, owner);
	if (n < 0) {
		print_message("the memory of process %d is for root to read\n", (int)pid);
		skip();
	}
	return (unsigned int)n;
}

static unsigned int search_role(const char *role)
{
	char what[32];
	unsigned int n = search(hub_role(&hub, role, 0), CANARY_SHORT_BYTES,
		(struct canary_owner){.which = CANARY_ALL});
	(void)snprintf(what, sizeof(what), "canaries_in_%s", role);
	tally_add(what, n);
	return n;
}

static void no_process_but_the_camera_ever_holds_a_picture(void **state)
{
	(void)state;
#ifdef CAMGATE_SANITIZED
	skip(); /* terabytes of shadow memory, and freed memory is kept on purpose */
#endif
	const struct canary_owner all = {.which = CANARY_ALL};
	struct viewer v = {0};
	viewer_pair(&v, &hub, "Door", "Looker");
	for (int round = 0; round < 3; round++) {
		viewer_await(&v, "Door", 10);
		/* That the search finds what is there is shown on ourselves. */
		unsigned int planted = search(getpid(), CANARY_SHORT_BYTES, all);
		tally_add("canaries_planted_found", planted);
		assert_true(planted > 0);
		assert_int_equal(search_role("web"), 0);
		assert_int_equal(search_role("keeper"), 0);
	}
	/* The pictures of one camera are not in the process of the other. */
	unsigned int first = search(hub_role(&hub, "camera", 0), CANARY_LONG_BYTES, all);
	unsigned int second = search(hub_role(&hub, "camera", 1), CANARY_LONG_BYTES, all);
	assert_true(first == 0 || second == 0);
	/* A camera keeps no more than the picture in hand and the one before. */
	assert_true(first + second <= 2);
	viewer_finish(&v);
}

/* Whom O-LEAK looks at: every role, and both cameras. */
static const struct holder {
	const char *role;
	unsigned int index;
} holders[] = {{"web", 0}, {"keeper", 0}, {"camera", 0}, {"camera", 1}};
enum { HOLDERS = sizeof(holders) / sizeof(holders[0]) };

static struct leak measure(const struct holder *h)
{
	struct leak l;
	if (leak_measure(hub_role(&hub, h->role, h->index), &l) < 0) {
		print_message("what %s holds is for root to count\n", h->role);
		skip();
	}
	return l;
}

static bool nothing_more(const struct holder *h, const struct leak *before)
{
	struct leak now = measure(h);
	return leak_none(before, &now);
}

static bool all_idle(void)
{
	return hub_camera_is(&hub, "Door", "activity", "idle") &&
	       hub_camera_is(&hub, "Yard", "activity", "idle");
}

static void sessions_leave_no_descriptor_and_no_thread_behind(void **state)
{
	(void)state;
	struct leak before[HOLDERS];
	struct viewer v = {0};
	viewer_pair(&v, &hub, "all", "Comes and goes");
	viewer_await(&v, "Door", 1);
	viewer_await(&v, "Yard", 1);
	viewer_disconnect(&v);
	WAIT_FOR(loop, all_idle(), HUB_PATIENCE_MS);
	for (size_t i = 0; i < HOLDERS; i++) {
		before[i] = measure(&holders[i]);
	}
	for (int i = 0; i < SESSIONS; i++) {
		viewer_connect(&v, &hub, NULL, NULL, false);
		viewer_await(&v, "Door", 1);
		viewer_await(&v, "Yard", 1);
		/* That a session is seen while it is there. */
		assert_false(nothing_more(&holders[0], &before[0]));
		viewer_disconnect(&v);
	}
	WAIT_FOR(loop, all_idle(), HUB_PATIENCE_MS);
	for (size_t i = 0; i < HOLDERS; i++) {
		WAIT_FOR(loop, nothing_more(&holders[i], &before[i]), HUB_PATIENCE_MS);
	}
	viewer_finish(&v);
}

/* Each has a reader in each camera's ring, whose descriptor camera and keeper hold for it. */
static void web_roles_that_die_leave_no_descriptor_in_the_others(void **state)
{
	(void)state;
	struct leak before[HOLDERS];
	struct viewer v = {0};
	viewer_pair(&v, &hub, "all", "Loses its hub");
	for (int i = 0; i <= DEATHS; i++) {
		viewer_await(&v, "Door", 1);
		viewer_await(&v, "Yard", 1);
		viewer_disconnect(&v);
		WAIT_FOR(loop, all_idle(), HUB_PATIENCE_MS);
		for (size_t j = 1; i == 0 && j < HOLDERS; j++) {
			before[j] = measure(&holders[j]);
		}
		hub_kill_role(&hub, "web");
		viewer_connect(&v, &hub, NULL, NULL, false);
	}
	viewer_await(&v, "Door", 1);
	viewer_await(&v, "Yard", 1);
	viewer_disconnect(&v);
	WAIT_FOR(loop, all_idle(), HUB_PATIENCE_MS);
	for (size_t i = 1; i < HOLDERS; i++) {
		WAIT_FOR(loop, nothing_more(&holders[i], &before[i]), HUB_PATIENCE_MS);
	}
	viewer_finish(&v);
}

#define TEST(f) cmocka_unit_test_teardown(f, viewer_drop_all)

int main(void)
{
	if (secure_heap_init() < 0) {
		return 1;
	}
	const struct CMUnitTest tests[] = {
		TEST(no_process_but_the_camera_ever_holds_a_picture),
		TEST(sessions_leave_no_descriptor_and_no_thread_behind),
		TEST(web_roles_that_die_leave_no_descriptor_in_the_others),
	};
	return cmocka_run_group_tests_name("memory", tests, set_up, tear_down);
}
