#include "stage.h"

#include "tests/oracles/memory.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { SEEN_MS = 12000, LOOK_MS = 100, AFTERWARDS_MS = 600, DOOR_TAG = 0, YARD_TAG = 1 };

/* ---- scenes ---- */

static void start_two(struct stage *s, const char *second)
{
	/* Of different sizes, so that what is left of the larger shows behind the smaller. */
	hub_start(&s->hub, (const char *[]){"--camera", "pattern:320x192@15", "--camera",
				   "pattern:640x384@15", NULL});
	hub_name_camera(&s->hub, "320x192", "Door");
	hub_name_camera(&s->hub, "640x384", second);
	hub_expect(&s->hub, "Door", DOOR_TAG);
	hub_expect(&s->hub, second, YARD_TAG);
}

void scene_two(struct stage *s)
{
	start_two(s, "Yard");
	s->door.given = "Door";
	s->yard.given = "Yard";
	viewer_pair(&s->door, &s->hub, "Door", "Of the door");
	viewer_pair(&s->yard, &s->hub, "Yard", "Of the yard");
}

void scene_reconnect(struct stage *s)
{
	scene_two(s);
	WAIT_FOR(s->loop, s->door.tiles_count > 0 && s->yard.tiles_count > 0, HUB_PATIENCE_MS);
	WAIT_FOR(s->loop, s->door.tiles[0].stream > 0 && s->yard.tiles[0].stream > 0,
		HUB_PATIENCE_MS);
	client_close(s->door.client);
	client_close(s->yard.client);
	WAIT_FOR(s->loop, s->door.welcomes > 1 && s->yard.welcomes > 1, HUB_PATIENCE_MS);
}

void scene_next(struct stage *s)
{
	start_two(s, "Yard");
	viewer_pair(&s->yard, &s->hub, "Yard", "Of the yard");
	viewer_await(&s->yard, "Yard", 2);
	viewer_disconnect(&s->yard);
	viewer_pair(&s->door, &s->hub, "Door", "Of the door");
}

void scene_prefix(struct stage *s)
{
	start_two(s, "Door yard");
	/* A camera that nobody watches is off. */
	viewer_pair(&s->yard, &s->hub, "Door yard", "Of the yard");
	viewer_await(&s->yard, "Door yard", 1);
	viewer_pair(&s->door, &s->hub, "Door", "Of the door");
}

void scene_one(struct stage *s)
{
	start_two(s, "Yard");
	viewer_pair(&s->door, &s->hub, "Door", "Of the door");
}

void scene_names(struct stage *s)
{
	start_two(s, "Yard");
	/* It may hang up before it was welcomed. */
	struct wire_link link;
	hub_make_link(&s->hub, "all", NULL, &link);
	assert_int_equal(display_keys_generate(&s->door.keys), 0);
	memcpy(s->door.keys.hub, link.fingerprint, FINGERPRINT_BYTES);
	viewer_connect(&s->door, &s->hub, &link, "Of both", true);
}

void scene_revoke(struct stage *s)
{
	start_two(s, "Yard");
	viewer_pair(&s->door, &s->hub, "Door", "Former");
	viewer_await(&s->door, "Door", 5);
	/* Whatever comes of it: the answer says that the right is gone from the disk. */
	json_t *answer = NULL;
	(void)hub_command(&s->hub, &answer, "revoke", "Former", NULL);
	json_decref(answer);
	s->revoked_us = client_now_us();
}

void scene_short(struct stage *s)
{
	hub_set_cameras(&s->hub,
		"video0 card=Door usb=1000:0001 serial=SN1 path=pci-0000:00:14.0-usb-0:1:1.0 "
		"modes=MJPG:320x192@15 tag=d0000003 faults=short/3\n");
	hub_start(&s->hub, (const char *[]){"--camera", "/dev/video0", NULL});
	hub_name_camera(&s->hub, "320x192", "Door");
	hub_expect(&s->hub, "Door", 0xd0000003);
	viewer_pair(&s->door, &s->hub, "Door", "Of the door");
}

/* ---- what happened ---- */

bool happened_refused(struct stage *s)
{
	bool refused = false;
	for (size_t i = 0; i < s->door.tiles_count + s->yard.tiles_count; i++) {
		const struct viewer_tile *t = i < s->door.tiles_count
						      ? &s->door.tiles[i]
						      : &s->yard.tiles[i - s->door.tiles_count];
		refused = refused || (t->ends > 0 && t->end_reason == END_REFUSED);
	}
	return refused;
}

bool happened_closed(struct stage *s)
{
	return s->door.closes > 0 && s->door.end.problem == -EBADMSG;
}

bool happened_aged(struct stage *s)
{
	return s->aged > 0;
}

bool happened_dropped(struct stage *s)
{
	json_t *camera = hub_camera(&s->hub, "Door");
	const char *key;
	json_t *value;
	json_int_t n = 0;
	json_object_foreach(json_object_get(camera, "dropped"), key, value)
	{
		n += json_integer_value(value);
	}
	json_decref(camera);
	return n > 0;
}

bool happened_ended(struct stage *s)
{
	return s->door.tiles[0].ends > 0 && s->door.tiles[0].end_reason == END_NOT_SHARED;
}

bool happened_drawn(struct stage *s)
{
	return s->door.tiles_count > 0 && s->door.tiles[0].pictures > 10;
}

/* ---- what the oracles say ---- */

static struct stage stage;

static void on_picture_of_door(void *user, const struct display_picture *p)
{
	(void)user;
	stage.aged += !p->live;
	stage.after_revoke += stage.revoked_us != 0 && p->header.capture_us > stage.revoked_us;
}

static unsigned int pictures(const struct viewer *v)
{
	unsigned int n = 0;
	for (size_t i = 0; i < v->tiles_count; i++) {
		n += v->tiles[i].pictures;
	}
	return n;
}

static unsigned int held_back(struct hub *h)
{
	json_t *status = hub_ask(h, "status", NULL);
	json_int_t n = json_integer_value(
		json_object_get(json_object_get(status, "anomalies"), "held_back"));
	json_decref(status);
	return (unsigned int)n;
}

/* The alarm of a display counts when the hub knows of it. */
static unsigned int reported(struct stage *s, unsigned int held)
{
	unsigned int noticed =
		(unsigned int)(viewer_anomalies(&s->door) + viewer_anomalies(&s->yard));
	unsigned int known = (unsigned int)hub_status_sum(&s->hub, "anomalies") - held;
	return known < noticed ? known : noticed;
}

static void look_around(struct stage *s, struct findings *f)
{
	const struct canary_owner all = {.which = CANARY_ALL};
	unsigned int held = held_back(&s->hub);
	if (s->replay->oracle == ORACLE_MEM) {
		s->in_memory = memory_search(hub_role(&s->hub, "web", 0), CANARY_LONG_BYTES, all);
	}
	*f = (struct findings){
		.seen = {[ORACLE_PIX] =
				 s->door.foreign + s->door.mixed + s->yard.foreign + s->yard.mixed,
			[ORACLE_FRESH] = s->door.stale + s->yard.stale,
			[ORACLE_WIRE] = s->run == RUN_SEEN && s->replay->oracle == ORACLE_WIRE
						? s->door.tap.foreign
						: s->door.tap.pictures + s->door.tap.jpegs +
							  s->yard.tap.pictures + s->yard.tap.jpegs,
			[ORACLE_MEM] = s->in_memory > 0 ? (unsigned int)s->in_memory : 0,
			[ORACLE_AUDIT] = s->after_revoke},
		.drawn = pictures(&s->door) + pictures(&s->yard),
		.alarms = {[ALARM_HUB] = held, [ALARM_DISPLAY] = reported(s, held)}};
	f->blind = s->in_memory < 0;
	if (f->blind) {
		f->happened = true;
	} else if (s->run == RUN_SEEN) {
		f->happened = f->seen[s->replay->oracle] > 0;
	} else if (s->replay->alarm[s->run] != ALARM_NONE) {
		f->happened = f->alarms[s->replay->alarm[s->run]] > 0;
	} else {
		f->happened = s->replay->happened(s);
	}
}

static void wait_ms(struct stage *s, unsigned int ms)
{
	uint64_t until_us = client_now_us() + (uint64_t)ms * 1000;
	while (hub_wait_step(s->loop, until_us)) {
	}
}

void stage_play(const struct replay *replay, enum replay_run run, struct findings *ret)
{
	struct stage *s = &stage;
	uint64_t deadline_us = client_now_us() + (uint64_t)SEEN_MS * 1000;
	s->replay = replay;
	s->run = run;
	s->door.looked = on_picture_of_door;
	s->loop = client_loop_create();
	assert_non_null(s->loop);
	hub_init(&s->hub, s->loop);
	replay->play(s);
	do {
		wait_ms(s, LOOK_MS);
		look_around(s, ret);
	} while (!ret->happened && client_now_us() < deadline_us);
	if (run != RUN_SEEN) {
		/* Whatever is still under way arrives. */
		wait_ms(s, AFTERWARDS_MS);
		look_around(s, ret);
	}
	(void)printf("door: %u pictures, %u bad: %s\nyard: %u pictures, %u bad: %s\n",
		pictures(&s->door), s->door.bad_pictures, s->door.complaint, pictures(&s->yard),
		s->yard.bad_pictures, s->yard.complaint);
	viewer_disconnect(&s->door);
	viewer_disconnect(&s->yard);
	hub_end(&s->hub);
	hub_finish(&s->hub);
	display_keys_finish(&s->door.keys);
	display_keys_finish(&s->yard.keys);
	client_loop_destroy(s->loop);
}
