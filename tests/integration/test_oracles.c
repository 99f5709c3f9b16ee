/* The oracles see: each says 0 of a real hub, and finds what is planted in the same run. */
#include "viewer.h"
#include "tests/oracles/fresh.h"
#include "tests/oracles/leak.h"
#include "tests/oracles/memory.h"
#include "tests/oracles/record.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { SECOND_US = 1000000, WRONG_TAG = 99 };

static struct client_loop *loop;
static struct hub hub;

static int set_up(void **state)
{
	(void)state;
	loop = client_loop_create();
	hub_init(&hub, loop);
	hub_start(&hub, (const char *[]){"--camera", "pattern:320x192@15", NULL});
	hub_name_camera(&hub, "320x192", "Door");
	hub_expect(&hub, "Door", 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	hub_finish(&hub);
	client_loop_destroy(loop);
	return 0;
}

static void o_pix_sees_a_picture_under_the_name_of_another_camera(void **state)
{
	(void)state;
	struct viewer v = {0};
	viewer_pair(&v, &hub, "Door", "Of pictures");
	viewer_await(&v, "Door", 5);
	assert_int_equal(v.foreign, 0);
	/* The same pictures are foreign to whoever expects another camera. */
	hub.truths[0].tag = WRONG_TAG;
	WAIT_FOR(loop, v.foreign > 0, HUB_PATIENCE_MS);
	hub.truths[0].tag = 0;
	v.foreign = v.bad_pictures = 0;
	viewer_finish(&v);
}

static struct wiretap tap;
static bool still_fresh, seen_stale;

static void look(void *user, const struct display_picture *p)
{
	(void)user;
	struct opix code;
	assert_int_equal(opix_decode_jpeg(p->jpeg, p->jpeg_size, &code), 0);
	uint64_t now_us = client_now_us();
	still_fresh = fresh_check(p, &code, now_us, NULL);
	seen_stale = !fresh_check(p, &code, now_us + 3 * SECOND_US, NULL);
	wiretap_hear(&tap, p->jpeg, p->jpeg_size);
	wiretap_look(&tap, code.tag);
}

static void o_fresh_sees_a_picture_that_is_older_than_its_label(void **state)
{
	(void)state;
	struct viewer v = {.looked = look};
	viewer_pair(&v, &hub, "Door", "Of ages");
	viewer_await(&v, "Door", 5);
	assert_true(still_fresh);
	assert_true(seen_stale);
	assert_int_equal(v.stale, 0);
	viewer_finish(&v);
}

static void o_wire_sees_a_picture_in_the_clear(void **state)
{
	(void)state;
	struct viewer v = {.looked = look};
	tap = (struct wiretap){0};
	viewer_pair(&v, &hub, "Door", "Of wires");
	viewer_await(&v, "Door", 5);
	assert_true(v.tap.bytes > 0);
	assert_int_equal(v.tap.jpegs + v.tap.pictures, 0);
	assert_true(tap.jpegs >= 5);
	assert_true(tap.pictures >= 5);
	assert_int_equal(tap.foreign, 0);
	viewer_finish(&v);
}

static void o_mac_counts_as_many_mix_ups_as_were_injected(void **state)
{
	(void)state;
	struct viewer v = {0};
	viewer_pair(&v, &hub, "Door", "Of seals");
	viewer_await(&v, "Door", 3);
	assert_int_equal(viewer_anomalies(&v), 0);
	v.flip_next = true;
	WAIT_FOR(loop, viewer_anomalies(&v) > 0, HUB_PATIENCE_MS);
	viewer_await(&v, "Door", 3);
	assert_int_equal(v.injected, 1);
	viewer_finish(&v); /* compares */
}

static void o_mem_sees_a_piece_of_a_picture_in_memory(void **state)
{
	(void)state;
#ifdef CAMGATE_SANITIZED
	skip(); /* terabytes of shadow memory */
#endif
	const struct canary_owner all = {.which = CANARY_ALL};
	struct viewer v = {0};
	viewer_pair(&v, &hub, "Door", "Of memory");
	viewer_await(&v, "Door", 5);
	assert_true(memory_search(getpid(), CANARY_LONG_BYTES, all) > 0);
	int n = memory_search(hub_role(&hub, "web", 0), CANARY_LONG_BYTES, all);
	viewer_finish(&v);
	if (n == -EACCES) {
		print_message("the memory of the web role is for root to read\n");
		skip();
	}
	assert_int_equal(n, 0);
}

static void o_leak_sees_a_descriptor_that_stayed_open(void **state)
{
	(void)state;
	struct leak before, now;
	assert_int_equal(leak_measure(getpid(), &before), 0);
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(leak_measure(getpid(), &now), 0);
	assert_false(leak_none(&before, &now));
	(void)close(fd);
	assert_int_equal(leak_measure(getpid(), &now), 0);
	assert_true(leak_none(&before, &now));
}

/* The last one: it ends the hub. */
static void o_audit_sees_a_picture_that_is_not_on_record(void **state)
{
	(void)state;
	struct viewer v = {0};
	const struct record_viewing never = {.stream = 1};
	char complaint[128] = "";
	viewer_pair(&v, &hub, "Door", "Of records");
	viewer_await(&v, "Door", 5);
	viewer_finish(&v);
	hub_end(&hub); /* finds everything on record */
	record_draw(&hub, &never, 1);
	assert_int_equal(record_check(&hub, hub.state, complaint, sizeof(complaint)), 1);
	assert_non_null(strstr(complaint, "not on record"));
	assert_int_equal(record_check(&hub, hub.state, complaint, sizeof(complaint)), 0);
}

#define TEST(f) cmocka_unit_test_teardown(f, viewer_drop_all)

int main(void)
{
	if (secure_heap_init() < 0) {
		return 1;
	}
	const struct CMUnitTest tests[] = {
		TEST(o_pix_sees_a_picture_under_the_name_of_another_camera),
		TEST(o_fresh_sees_a_picture_that_is_older_than_its_label),
		TEST(o_wire_sees_a_picture_in_the_clear),
		TEST(o_mac_counts_as_many_mix_ups_as_were_injected),
		TEST(o_mem_sees_a_piece_of_a_picture_in_memory),
		TEST(o_leak_sees_a_descriptor_that_stayed_open),
		TEST(o_audit_sees_a_picture_that_is_not_on_record),
	};
	return cmocka_run_group_tests_name("oracles", tests, set_up, tear_down);
}
