/* Cameras that come: who is asked about an unknown one, and how a known one comes back. */
#include "viewer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MODE " modes=MJPG:640x384@30 "
#define PORT "path=pci-0000:00:14.0-usb-0:"
#define GOOD "video0 card=Good usb=046d:0825 serial=A1B2C3D4" MODE PORT "1.1:1.0 tag=aaaa0000\n"
#define FRESH "video1 card=Fresh usb=046d:0826" MODE PORT "1.2:1.0 tag=bbbb0001\n"
#define OTHER "video2 card=Other usb=046d:0827 serial=C1B2C3D4" MODE PORT "1.3:1.0 tag=cccc0002\n"
#define PLAIN "video3 card=Plain usb=046d:0828 serial=D1B2C3D4" MODE PORT "1.4:1.0 tag=dddd0003\n"
#define TWINS                                                                                      \
	"video4 card=Twin path=virtual" MODE "tag=eeee0004\n"                                      \
	"video5 card=Twin path=virtual" MODE "tag=eeee0005\n"
/* Two makes without serial numbers, and then each at the other's port. */
#define LEFT "video0 card=Left usb=046d:0825" MODE PORT "1.1:1.0 tag=11110000\n"
#define RIGHT "video1 card=Right usb=1bcf:2c99" MODE PORT "1.2:1.0 tag=22220000\n"
#define LEFT_MOVED "video1 card=Left usb=046d:0825" MODE PORT "1.2:1.0 tag=11110000\n"
#define RIGHT_MOVED "video0 card=Right usb=1bcf:2c99" MODE PORT "1.1:1.0 tag=22220000\n"

static const char *const found[] = {NULL};
static struct client_loop *loop;
static struct hub hub;
static struct viewer owner, guest;

static int set_up(void **state)
{
	(void)state;
	owner = guest = (struct viewer){0};
	loop = client_loop_create();
	hub_init(&hub, loop);
	return 0;
}

static int tear_down(void **state)
{
	(void)viewer_drop_all(state);
	hub_finish(&hub);
	client_loop_destroy(loop);
	return 0;
}

static void start(const char *cameras)
{
	hub_set_cameras(&hub, cameras);
	hub_start(&hub, found);
	viewer_pair_owner(&owner, &hub, "Owner");
}

static void finish(void)
{
	assert_int_equal(viewer_anomalies(&owner), 0);
	assert_int_equal(hub_status_sum(&hub, "anomalies"), 0);
	viewer_finish(&owner);
	if (guest.client != NULL) {
		viewer_finish(&guest);
	}
	hub_end(&hub);
}

static struct display *said_by(const struct viewer *v)
{
	return client_display(v->client);
}

static void await_question(const char *name)
{
	WAIT_FOR(loop, viewer_asked(&owner, name) != NULL, HUB_PATIENCE_MS);
}

static void a_new_camera_is_told_to_the_owner_and_to_nobody_else(void **state)
{
	(void)state;
	start(GOOD);
	viewer_await(&owner, "Good (port 1.1)", 3);
	viewer_pair(&guest, &hub, "all", "Guest");
	viewer_await(&guest, "Good (port 1.1)", 3);
	assert_int_equal(owner.asked_count, 0);
	uint64_t plugged_us = client_now_us();
	hub_set_cameras(&hub, GOOD FRESH);
	await_question("Fresh (port 1.2)");
	uint64_t took_ms = (client_now_us() - plugged_us) / 1000;
	print_message("# from plug to question: %u ms\n", (unsigned int)took_ms);
	const struct wire_new_camera *asked = viewer_asked(&owner, "Fresh (port 1.2)");
	assert_int_equal(asked->strength, IDENTITY_PORT);
	assert_non_null(strstr(asked->about, "/dev/video1, 046d:0826"));
	assert_int_equal(owner.screens, 2);
	assert_true(hub_camera_is(&hub, "Fresh (port 1.2)", "standing", "known"));

	assert_int_equal(display_share(said_by(&owner), asked->id, owner.keys.id), 0);
	viewer_await(&owner, "Fresh (port 1.2)", 5);
	assert_int_equal(viewer_tile(&owner, "Fresh (port 1.2)")->tag, 0xbbbb0001);
	assert_int_equal(owner.asked_count, 0);
	assert_int_equal(guest.asked_count, 0);
	assert_null(viewer_tile(&guest, "Fresh (port 1.2)"));
	finish();
}

static void what_is_ignored_or_shown_to_nobody_is_not_asked_again_after_a_restart(void **state)
{
	(void)state;
	start(GOOD);
	hub_set_cameras(&hub, GOOD FRESH OTHER PLAIN);
	await_question("Fresh (port 1.2)");
	await_question("Other (port 1.3)");
	await_question("Plain (port 1.4)");
	display_decide(
		said_by(&owner), viewer_asked(&owner, "Fresh (port 1.2)")->id, DECISION_NOBODY);
	display_decide(
		said_by(&owner), viewer_asked(&owner, "Other (port 1.3)")->id, DECISION_IGNORE);
	WAIT_FOR(loop, owner.asked_count == 1, HUB_PATIENCE_MS);
	WAIT_FOR(
		loop, hub_camera_is(&hub, "Other (port 1.3)", "state", "ignored"), HUB_PATIENCE_MS);
	viewer_disconnect(&owner);
	hub_end(&hub);
	hub_start(&hub, found);
	viewer_connect(&owner, &hub, NULL, "Owner", true);
	viewer_await(&owner, "Good (port 1.1)", 3);
	await_question("Plain (port 1.4)");
	WAIT_FOR(loop, hub_camera_is(&hub, "Fresh (port 1.2)", "state", "ready"), HUB_PATIENCE_MS);
	assert_int_equal(owner.asked_count, 1);
	assert_int_equal(viewer_cameras(&owner), 1);
	/* Pulled out, it is no question any more. */
	hub_set_cameras(&hub, GOOD FRESH OTHER);
	WAIT_FOR(loop, owner.asked_count == 0, HUB_PATIENCE_MS);
	finish();
}

static void a_camera_that_cannot_be_told_apart_is_looked_at_and_confirmed(void **state)
{
	(void)state;
	start(GOOD);
	hub_set_cameras(&hub, GOOD TWINS);
	WAIT_FOR(loop, owner.asked_count == 2, HUB_PATIENCE_MS);
	const struct wire_new_camera one = owner.asked[0], other = owner.asked[1];
	assert_int_equal(one.flags, NEW_CAMERA_QUARANTINED);
	assert_int_equal(viewer_cameras(&owner), 1);

	assert_int_equal(display_preview(said_by(&owner), one.id, true), 0);
	viewer_await(&owner, one.name, 5);
	struct viewer_tile *tile = viewer_tile(&owner, one.name);
	assert_int_equal(tile->camera.flags, CAMERA_FLAG_PREVIEW);
	assert_null(viewer_tile(&owner, other.name));
	uint32_t tag = tile->tag, epoch = tile->epoch;
	json_t *status = hub_ask(&hub, "status", NULL);
	assert_int_equal(json_integer_value(json_object_get(status, "viewings")), 2);
	json_decref(status);

	assert_int_equal(display_preview(said_by(&owner), one.id, false), 0);
	WAIT_FOR(loop, !tile->present && tile->ends == 1, HUB_PATIENCE_MS);
	assert_int_equal(tile->end_reason, END_PREVIEW_OVER);
	assert_int_equal(owner.asked_count, 2);

	display_decide(said_by(&owner), one.id, DECISION_CONFIRM);
	display_share(said_by(&owner), one.id, owner.keys.id);
	viewer_await(&owner, one.name, 5);
	assert_int_equal(tile->camera.flags, 0);
	assert_int_equal(tile->tag, tag);
	assert_true(tile->epoch > epoch);
	assert_int_equal(owner.asked_count, 1);
	assert_null(viewer_tile(&owner, other.name));
	finish();
}

static void who_is_no_owner_is_cut_off_for_trying(void **state)
{
	(void)state;
	start(GOOD);
	viewer_pair(&guest, &hub, "none", "Guest");
	hub_set_cameras(&hub, GOOD FRESH);
	await_question("Fresh (port 1.2)");
	const struct wire_new_camera asked = *viewer_asked(&owner, "Fresh (port 1.2)");
	display_share(said_by(&guest), asked.id, guest.keys.id);
	WAIT_FOR(loop, guest.closes == 1, HUB_PATIENCE_MS);
	assert_int_equal(guest.end.code, 4000);
	assert_true(hub_log_has(&hub, "not an owner"));
	assert_int_equal(viewer_cameras(&guest), 0);
	assert_int_equal(owner.asked_count, 1);
	finish();
}

/* The hub was off meanwhile. */
static void cameras_that_swap_ports_take_no_grant_along_and_are_asked_about(void **state)
{
	(void)state;
	start(LEFT RIGHT);
	viewer_await(&owner, "Left (port 1.1)", 3);
	viewer_await(&owner, "Right (port 1.2)", 3);
	unsigned int left = viewer_pictures(&owner, "Left (port 1.1)");
	unsigned int right = viewer_pictures(&owner, "Right (port 1.2)");
	viewer_disconnect(&owner);
	hub_end(&hub);
	hub_set_cameras(&hub, LEFT_MOVED RIGHT_MOVED);
	hub_start(&hub, found);
	viewer_connect(&owner, &hub, NULL, "Owner", true);
	await_question("Left (port 1.2)");
	await_question("Right (port 1.1)");
	assert_int_equal(viewer_tile(&owner, "Left (port 1.1)")->camera.state, CAMERA_OFFLINE);
	assert_int_equal(viewer_tile(&owner, "Right (port 1.2)")->camera.state, CAMERA_OFFLINE);
	assert_int_equal(viewer_pictures(&owner, "Left (port 1.1)"), left);
	assert_int_equal(viewer_pictures(&owner, "Right (port 1.2)"), right);
	display_share(said_by(&owner), viewer_asked(&owner, "Left (port 1.2)")->id, owner.keys.id);
	WAIT_FOR(loop, viewer_tile(&owner, "Left (port 1.2)") != NULL, HUB_PATIENCE_MS);
	finish();
}

static void a_known_camera_is_back_without_a_question(void **state)
{
	(void)state;
	start(GOOD FRESH);
	viewer_await(&owner, "Fresh (port 1.2)", 3);
	struct viewer_tile *t = viewer_tile(&owner, "Fresh (port 1.2)");
	hub_set_cameras(&hub, GOOD);
	WAIT_FOR(loop, t->camera.state == CAMERA_OFFLINE, HUB_PATIENCE_MS);
	unsigned int pictures = t->pictures;
	uint64_t plugged_us = client_now_us();
	hub_set_cameras(&hub, GOOD FRESH);
	WAIT_FOR(loop, t->pictures > pictures, HUB_PATIENCE_MS);
	uint64_t took_ms = (client_now_us() - plugged_us) / 1000;
	print_message("# from plug to picture: %u ms\n", (unsigned int)took_ms);
	assert_int_equal(t->tag, 0xbbbb0001);
	assert_int_equal(owner.asked_count, 0);
	finish();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	if (secure_heap_init() < 0) {
		return 1;
	}
	const struct CMUnitTest tests[] = {
		TEST(a_new_camera_is_told_to_the_owner_and_to_nobody_else),
		TEST(what_is_ignored_or_shown_to_nobody_is_not_asked_again_after_a_restart),
		TEST(a_camera_that_cannot_be_told_apart_is_looked_at_and_confirmed),
		TEST(who_is_no_owner_is_cut_off_for_trying),
		TEST(cameras_that_swap_ports_take_no_grant_along_and_are_asked_about),
		TEST(a_known_camera_is_back_without_a_question),
	};
	return cmocka_run_group_tests_name("new_camera", tests, NULL, NULL);
}
