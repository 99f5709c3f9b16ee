/* What comes too late, or finds that something changed behind the registry's back: the last look
 * before a key or a picture is given. */
#include "display_fixture.h"

#include "registry_state.h"

static void a_grant_that_went_is_noticed_when_the_key_changes(void **state)
{
	const struct ipc_rotated rotated = {.epoch = 2};

	(void)state;
	display_view(&display, 10, "Kitchen", CAMERA, camera);
	assert_int_equal(store_grant_remove(&fixture.files.store, display.id, camera), 0);
	registry_camera_rotated(fixture.registry, CAMERA, &rotated);
	assert_nothing_sent(CAMERA, IPC_WRAP);
	assert_non_null(sent_find(WEB, IPC_TAKE));
	display_expect_ended(&display, 1, END_NOT_SHARED);
}

/* ---- answers ---- */

/* The stream that waits for its key, and the place where that is noted. */
static struct registry_stream *begin_watch(struct registry_wrap **ret_place)
{
	struct registry *r = fixture.registry;
	const uint8_t *body;
	size_t size;

	display_enter(&display, WEB, 10, "Kitchen");
	assert_int_equal(registry_grant(r, display.id, camera), 0);
	display_watch(&display, 1, camera);
	while (display_next(&display, &body, &size) != 0) {
	}
	for (size_t i = 0; i < REGISTRY_WRAPS_MAX; i++) {
		if (r->wraps[i].request != 0) {
			*ret_place = &r->wraps[i];
		}
	}
	return r->sessions->streams;
}

/* What should be the only one of its kind is looked at once more when the answer is here. */
static void an_answer_is_of_its_session_stream_camera_and_generation_or_reaches_nobody(void **state)
{
	for (int wrong = 0; wrong < 6; wrong++) {
		struct registry_wrap *place = NULL;
		struct registry_stream *t = begin_watch(&place);
		struct ipc_wrap wrap;

		assert_non_null(place);
		if (wrong == 0) {
			place->session[0] ^= 1;
		} else if (wrong == 1) {
			place->stream = 9;
		} else if (wrong == 2) {
			t->camera[0] ^= 1;
		} else if (wrong == 3) {
			t->generation[0] ^= 1;
		} else if (wrong == 4) {
			t->state = STREAM_ENDING;
		} else {
			fixture.registry->sessions->state = SESSION_CUT;
		}
		camera_take_wrap(CAMERA, &wrap);
		camera_answer_wrap(CAMERA, &wrap, 1);
		assert_nothing_sent(WEB, IPC_TELL_KEY);
		display_expect_silence(&display);
		assert_int_equal(t->state, wrong == 4 ? STREAM_ENDING : STREAM_OPENING);
		tear_down(state);
		set_up_with_camera(state);
	}
}

static void a_question_of_nobody_is_forgotten_in_time(void **state)
{
	struct registry_wrap *place = NULL;

	(void)state;
	(void)begin_watch(&place);
	assert_non_null(place);
	place->session[0] ^= 1;
	fixture_pass_ms(REGISTRY_ANSWER_MS);
	assert_int_equal(fixture.registry->wraps_count, 0);
	display_expect_silence(&display);
}

static void an_answer_to_no_question_or_to_another_cameras_reaches_nobody(void **state)
{
	struct ipc_wrapped m = {.epoch = 1, .wrapped_size = WIRE_WRAPPED_MAX_BYTES};
	struct registry_wrap *place = NULL;
	uint8_t other[CAMERA_ID_BYTES];

	(void)state;
	camera_join(CAMERA + 1, "usb:2", "Yard", other);
	(void)begin_watch(&place);
	assert_non_null(place);
	m.request = 0;
	registry_camera_wrapped(fixture.registry, CAMERA, &m);
	m.request = place->request;
	registry_camera_wrapped(fixture.registry, CAMERA + 1, &m);
	assert_nothing_sent(WEB, IPC_TELL_KEY);
	assert_int_equal(fixture.registry->wraps_count, 1);
	assert_int_equal(fixture.dropped_count, 0);
	/* It still waits for its own. */
	assert_int_equal(camera_wrap(CAMERA, 1), KEY_WATCH);
	display_expect_key(&display, KEY_WATCH, 1);
}

/* ---- rings ---- */

static void a_ring_that_was_handed_over_is_not_handed_over_again(void **state)
{
	static const int descriptors[2] = {0, 0};
	const struct registry_camera *c = registry_camera_find(fixture.registry, camera);
	const struct ipc_reader m = {.reader = fixture.registry->webs->reader};
	const uint32_t ring = registry_camera_ring(c, m.reader);

	(void)state;
	sent_forget();
	registry_camera_reader(fixture.registry, CAMERA, &m, descriptors);
	assert_nothing_sent(WEB, IPC_RING);
	assert_int_equal(registry_camera_ring(c, m.reader), ring);
}

static void who_is_no_reader_has_no_ring(void **state)
{
	const struct registry_camera *c = registry_camera_find(fixture.registry, camera);

	(void)state;
	assert_int_not_equal(registry_camera_ring(c, fixture.registry->webs->reader), 0);
	assert_int_equal(registry_camera_ring(c, fixture.registry->webs->reader + 1), 0);
	assert_int_equal(registry_camera_ring(c, 0), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_with_camera, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_grant_that_went_is_noticed_when_the_key_changes),
		TEST(an_answer_is_of_its_session_stream_camera_and_generation_or_reaches_nobody),
		TEST(a_question_of_nobody_is_forgotten_in_time),
		TEST(an_answer_to_no_question_or_to_another_cameras_reaches_nobody),
		TEST(a_ring_that_was_handed_over_is_not_handed_over_again),
		TEST(who_is_no_reader_has_no_ring),
	};

	return cmocka_run_group_tests_name("late", tests, NULL, NULL);
}
