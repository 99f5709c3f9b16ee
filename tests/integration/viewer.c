#include "viewer.h"
#include "tests/oracles/fresh.h"
#include "tests/oracles/record.h"
#include "tests/oracles/tally.h"
#include "web/client/display_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { NUMBER_MASK = (1 << 24) - 1, CLIENTS_MAX = 2048 };

/* Of all viewers that are connected. A test that fails leaves its own behind, on a stack that is
 * gone. */
static struct client *clients[CLIENTS_MAX];

static void clients_exchange(const struct client *from, struct client *to)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		if (clients[i] == from) {
			clients[i] = to;
			return;
		}
	}
}

int viewer_drop_all(void **state)
{
	(void)state;
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		client_destroy(clients[i]);
		clients[i] = NULL;
	}
	return 0;
}

static struct viewer_tile *tile_of(struct viewer *v, const uint8_t id[static CAMERA_ID_BYTES])
{
	for (size_t i = 0; i < v->tiles_count; i++) {
		if (memcmp(v->tiles[i].camera.id, id, CAMERA_ID_BYTES) == 0) {
			return &v->tiles[i];
		}
	}
	return NULL;
}

struct viewer_tile *viewer_tile(struct viewer *v, const char *camera)
{
	for (size_t i = 0; i < v->tiles_count; i++) {
		if (strcmp(v->tiles[i].camera.name, camera) == 0) {
			return &v->tiles[i];
		}
	}
	return NULL;
}

const struct wire_new_camera *viewer_asked(const struct viewer *v, const char *camera)
{
	for (size_t i = 0; i < v->asked_count; i++) {
		if (strcmp(v->asked[i].name, camera) == 0) {
			return &v->asked[i];
		}
	}
	return NULL;
}

unsigned int viewer_pictures(struct viewer *v, const char *camera)
{
	const struct viewer_tile *t = viewer_tile(v, camera);
	return t == NULL ? 0 : t->pictures;
}

unsigned int viewer_cameras(const struct viewer *v)
{
	unsigned int n = 0;
	for (size_t i = 0; i < v->tiles_count; i++) {
		n += v->tiles[i].present;
	}
	return n;
}

static void complain(struct viewer *v, unsigned int *count, const char *what, const struct opix *o)
{
	++*count;
	if (v->bad_pictures++ == 0) {
		(void)snprintf(
			v->complaint, sizeof(v->complaint), "%s: %s", what, opix_describe(o));
	}
}

/* ---- news ---- */

static void on_welcome(void *user, const struct wire_welcome *welcome)
{
	struct viewer *v = user;
	v->welcomed = true;
	v->welcomes++;
	v->owner = welcome->owner;
	for (size_t i = 0; i < v->tiles_count; i++) {
		v->tiles[i].present = false;
	}
	v->asked_count = 0;
	v->screens = 0;
}

static void on_camera(void *user, const struct wire_camera *camera)
{
	struct viewer *v = user;
	struct viewer_tile *t = tile_of(v, camera->id);
	if (t == NULL) {
		assert_true(v->tiles_count < VIEWER_TILES_MAX);
		t = &v->tiles[v->tiles_count++];
	}
	bool again = memcmp(t->camera.generation, camera->generation, GENERATION_BYTES) != 0;
	t->camera = *camera;
	t->present = true;
	if (again) {
		t->seen = false;
		t->epoch = 0;
		memset(t->keys, 0, sizeof(t->keys));
	}
	if (camera->state == CAMERA_READY && !v->watch_nothing && t->stream == 0) {
		int r = display_watch(client_display(v->client), camera->id, client_now_us());
		t->stream = r > 0 ? (uint16_t)r : 0;
	}
}

static void on_camera_gone(void *user, const struct wire_camera_gone *gone)
{
	struct viewer_tile *t = tile_of(user, gone->id);
	if (t != NULL) {
		t->present = false;
		t->end_reason = gone->reason;
	}
}

static void forget_asked(struct viewer *v, const uint8_t id[static CAMERA_ID_BYTES])
{
	for (size_t i = 0; i < v->asked_count; i++) {
		if (memcmp(v->asked[i].id, id, CAMERA_ID_BYTES) == 0) {
			v->asked[i] = v->asked[--v->asked_count];
			return;
		}
	}
}

static void on_new_camera(void *user, const struct wire_new_camera *camera)
{
	struct viewer *v = user;
	forget_asked(v, camera->id);
	assert_true(v->asked_count < VIEWER_ASKED_MAX);
	v->asked[v->asked_count++] = *camera;
}

static void on_new_camera_gone(void *user, const struct wire_new_camera_gone *gone)
{
	forget_asked(user, gone->id);
}

static void on_screen(void *user, const struct wire_screen *screen)
{
	struct viewer *v = user;
	v->screens += screen->state == SCREEN_PAIRED;
}

static void on_ended(void *user, const struct wire_ended *ended)
{
	struct viewer_tile *t = tile_of(user, ended->camera);
	if (t != NULL) {
		t->stream = 0;
		t->ends++;
		t->end_reason = ended->reason;
	}
}

/* Whose picture is it? What the test knows of the camera by this name comes first; otherwise a tag
 * belongs to the first tile that showed it. */
static bool is_of_tile(const struct viewer *v, const struct viewer_tile *t, uint32_t tag)
{
	const struct hub_truth *truth = hub_truth(v->hub, t->camera.name);
	if (truth != NULL) {
		return truth->tag == tag;
	}
	for (size_t i = 0; i < v->tiles_count; i++) {
		if (&v->tiles[i] != t && v->tiles[i].seen && v->tiles[i].tag == tag) {
			return false;
		}
	}
	return !t->seen || tag == t->tag;
}

/* Frames that came late for want of a key are not drawn between two that were: how many of those
 * missing before this picture were captured when its key was still on its way. */
static unsigned int waited_for_key(
	const struct viewer_tile *t, const struct display_picture *p, unsigned int missed)
{
	uint64_t interval_us = (p->header.capture_us - t->capture_us) / (missed + 1);
	unsigned int n = 0;
	while (n < missed && t->keys[p->header.epoch % VIEWER_EPOCHS].us >
				     t->capture_us + (n + 1) * interval_us) {
		n++;
	}
	return n;
}

static void count_missed(struct viewer_tile *t, const struct display_picture *p, uint32_t number)
{
	unsigned int missed = ((number - t->number) & NUMBER_MASK) - 1;
	t->missed += missed;
	if (p->header.epoch != t->epoch) {
		t->missed_for_key += waited_for_key(t, p, missed);
		t->clean_switches += missed == 0;
	}
}

/* The code in the picture must be whole, of the camera that the hub named, and no older than the
 * label says. */
static void look(struct viewer *v, struct viewer_tile *t, const struct display_picture *p)
{
	uint64_t now_us = client_now_us();
	struct opix o;
	if (opix_decode_jpeg(p->jpeg, p->jpeg_size, &o) < 0) {
		complain(v, &v->mixed, "not one whole picture", &o);
		return;
	}
	canary_keep(o.tag, p->jpeg, p->jpeg_size);
	if (v->given != NULL && strcmp(t->camera.name, v->given) != 0) {
		complain(v, &v->foreign, "a picture of a camera that was not given", &o);
		return;
	}
	if (!is_of_tile(v, t, o.tag)) {
		complain(v, &v->foreign, "another camera's picture", &o);
		return;
	}
	if (p->header.rendition != RENDITION_FULL) {
		complain(v, &v->foreign, "another rendition's picture", &o);
	}
	if (!fresh_check(p, &o, now_us, NULL)) {
		complain(v, &v->stale, "an old picture, shown as live", &o);
	}
	if (t->seen && t->capture_us < p->header.capture_us) {
		count_missed(t, p, o.number);
	}
	t->seen = true;
	t->tag = o.tag;
	t->number = o.number;
}

/* For the oracle that reads the hub's record. */
static void note_drawn(struct viewer *v, const struct display_picture *p)
{
	struct record_viewing r = {.stream = p->stream};
	memcpy(r.display, v->keys.id, sizeof(r.display));
	memcpy(r.camera, p->header.camera, sizeof(r.camera));
	memcpy(r.session, client_display(v->client)->session, sizeof(r.session));
	record_draw(v->hub, &r, p->header.capture_us);
}

static bool on_picture(void *user, const struct display_picture *p)
{
	struct viewer *v = user;
	struct viewer_tile *t = tile_of(v, p->header.camera);
	if (t == NULL || !t->present || t->stream != p->stream) {
		struct opix none = {0};
		complain(v, &v->foreign, "a picture that nobody asked for", &none);
		return true;
	}
	look(v, t, p);
	note_drawn(v, p);
	const struct hub_truth *truth = hub_truth(v->hub, t->camera.name);
	wiretap_look(&v->tap, truth != NULL ? truth->tag : t->tag);
	if (v->looked != NULL) {
		v->looked(v, p);
	}
	t->pictures++;
	t->epochs += t->epoch != p->header.epoch;
	t->epoch = p->header.epoch;
	t->flags = p->header.flags;
	t->capture_us = p->header.capture_us;
	t->age_us = p->age_us;
	t->at_us = client_now_us();
	return true;
}

static void note_key(struct viewer *v, const uint8_t *message, size_t size)
{
	struct wire_envelope e;
	struct wire_key k;
	if (wire_parse_envelope(message, size, &e) < 0 || e.type != WIRE_HUB || e.kind != HUB_KEY ||
		wire_parse_key(e.body, e.body_size, &k) < 0) {
		return;
	}
	struct viewer_tile *t = tile_of(v, k.camera);
	uint32_t at = k.epoch % VIEWER_EPOCHS;
	if (t != NULL && t->keys[at].epoch != k.epoch) {
		t->keys[at].epoch = k.epoch;
		t->keys[at].us = client_now_us();
		t->breaks += k.purpose == KEY_BREAK;
	}
}

static bool on_received(void *user, uint8_t *message, size_t size)
{
	struct viewer *v = user;
	wiretap_hear(&v->tap, message, size);
	note_key(v, message, size);
	if (v->flip_next && message[0] == WIRE_CHUNK && size > 1000) {
		v->flip_next = false;
		v->injected++;
		message[size - 1] ^= 0x10;
	}
	return v->received == NULL || v->received(v, message, size);
}

static void on_closed(void *user, const struct client_end *end)
{
	struct viewer *v = user;
	v->welcomed = false;
	v->closes++;
	v->end_us = client_now_us();
	v->end = *end;
	v->end.text = NULL;
	for (size_t i = 0; i < v->tiles_count; i++) {
		v->tiles[i].stream = 0;
	}
}

/* ---- what tests call ---- */

void viewer_connect(struct viewer *v, struct hub *hub, const struct wire_link *link,
	const char *name, bool reconnect)
{
	const struct display_config display = {.keys = &v->keys,
		.link = link,
		.name = name,
		.callbacks = {.welcome = on_welcome,
			.camera = on_camera,
			.camera_gone = on_camera_gone,
			.ended = on_ended,
			.new_camera = on_new_camera,
			.new_camera_gone = on_new_camera_gone,
			.screen = on_screen,
			.picture = on_picture},
		.user = v};
	char host[64];
	(void)snprintf(host, sizeof(host), "%s:%u", hub->address, hub->port);
	const struct client_config config = {.address = v->through ? "127.0.0.1" : hub->address,
		.source = v->source,
		.port = v->through ? v->through : hub->port,
		.host = host,
		.reconnect = reconnect,
		.display = &display,
		.received = on_received,
		.closed = on_closed,
		.user = v};
	v->hub = hub;
	v->client = client_create(hub->loop, &config);
	assert_non_null(v->client);
	clients_exchange(NULL, v->client);
}

static void pair_with(
	struct viewer *v, struct hub *hub, const struct wire_link *link, const char *name)
{
	assert_int_equal(display_keys_generate(&v->keys), 0);
	memcpy(v->keys.hub, link->fingerprint, FINGERPRINT_BYTES);
	viewer_connect(v, hub, link, name, true);
	WAIT_FOR(hub->loop, v->welcomed, HUB_PATIENCE_MS);
}

void viewer_pair(struct viewer *v, struct hub *hub, const char *cameras, const char *name)
{
	struct wire_link link;
	hub_make_link(hub, cameras, NULL, &link);
	pair_with(v, hub, &link, name);
}

void viewer_pair_owner(struct viewer *v, struct hub *hub, const char *name)
{
	struct wire_link link;
	assert_int_equal(wire_parse_link(hub->link, &link), 0);
	pair_with(v, hub, &link, name);
}

void viewer_disconnect(struct viewer *v)
{
	if (v->client != NULL) {
		clients_exchange(v->client, NULL);
		v->anomalies = viewer_anomalies(v);
	}
	client_destroy(v->client);
	v->client = NULL;
	v->welcomed = false;
	for (size_t i = 0; i < v->tiles_count; i++) {
		v->tiles[i].stream = 0;
	}
}

static void tally(const struct viewer *v)
{
	uint64_t pictures = 0;
	for (size_t i = 0; i < v->tiles_count; i++) {
		pictures += v->tiles[i].pictures;
	}
	tally_add("viewers", 1);
	tally_add("pictures", pictures);
	tally_add("foreign", v->foreign);
	tally_add("mixed", v->mixed);
	tally_add("stale", v->stale);
	tally_add("in_the_clear", v->tap.jpegs + v->tap.pictures);
	tally_add("mix_ups", v->anomalies);
	tally_add("mix_ups_injected", v->injected);
}

void viewer_finish(struct viewer *v)
{
	viewer_disconnect(v);
	display_keys_finish(&v->keys);
	tally(v);
	if (v->bad_pictures != 0) {
		fail_msg("%u bad pictures; %s", v->bad_pictures, v->complaint);
	}
	if (v->tap.jpegs != 0 || v->tap.pictures != 0) {
		fail_msg("on the wire: %u JPEGs and %u pieces of pictures in the clear",
			v->tap.jpegs, v->tap.pictures);
	}
	if (v->anomalies != v->injected) {
		fail_msg("%u mix-ups were noticed, %u injected", (unsigned int)v->anomalies,
			(unsigned int)v->injected);
	}
}

void viewer_await(struct viewer *v, const char *camera, unsigned int n)
{
	unsigned int wanted = viewer_pictures(v, camera) + n;
	WAIT_FOR(v->hub->loop, viewer_pictures(v, camera) >= wanted, HUB_PATIENCE_MS);
}

const struct display_counts *viewer_counts(const struct viewer *v)
{
	return display_counts(client_display(v->client));
}

uint64_t viewer_anomalies(const struct viewer *v)
{
	uint64_t n = v->anomalies;
	if (v->client == NULL) {
		return n;
	}
	for (int i = ANOMALY_NONE; i <= ANOMALY_PICTURE; i++) {
		n += viewer_counts(v)->anomalies[i];
	}
	return n;
}
