/*
 * Many displays at one hub: 200, or VIEWERS, each of which sees one of four cameras and reads the
 * code in every picture. Nothing here depends on how fast the machine is: it asks that everybody
 * gets on. With LOAD_JSON the figures are written to that file.
 */
#include "gateway/store.h"
#include "viewer.h"

#include <openssl/crypto.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

enum {
	VIEWERS_MAX = 1500,
#ifdef CAMGATE_SANITIZED
	VIEWERS_DEFAULT = 20,
#else
	VIEWERS_DEFAULT = 200,
#endif
	CAMERAS = 4,
	ROOM = 16, /* that the hub has for more */
	PER_ADDRESS = 50, /* fewer than the hub takes from one */
	ROUNDS = 3,
	HEAP_BYTES = 4 << 20,
	DESCRIPTORS = 8192,
	PATIENCE_MS = 150000,
};

static const char *const names[CAMERAS] = {"Door", "Door yard", "Cot", "Shed"};

static struct client_loop *loop;
static struct hub hub;
static struct viewer *viewers;
static size_t count = VIEWERS_DEFAULT;
static char sources[VIEWERS_MAX / PER_ADDRESS + 1][32];
static char config[PATH_MAX], port[32];
static uint64_t began_us;
static json_t *figures;

/* ---- set-up ---- */

static void start(void)
{
	hub_start(&hub, (const char *[]){"--config", config, "--listen",
				port[0] != '\0' ? port : "127.0.0.1:0", "--camera",
				"pattern:128x128@2", "--camera", "pattern:192x128@2", "--camera",
				"pattern:128x192@2", "--camera", "pattern:192x192@2", NULL});
	(void)snprintf(port, sizeof(port), "127.0.0.1:%u", hub.port);
}

/* To pair a thousand displays through the door would be another test. */
static void add_displays(const uint8_t fingerprint[static FINGERPRINT_BYTES])
{
	char problem[STORE_PROBLEM_BYTES];
	struct store store;
	struct store_camera cameras[CAMERAS];
	assert_int_equal(store_init(&store, hub.state, problem), 0);
	for (size_t i = 0; i < CAMERAS; i++) {
		assert_int_equal(store_camera_find(&store, names[i], &cameras[i]), 0);
	}
	for (size_t i = 0; i < count; i++) {
		struct viewer *v = &viewers[i];
		struct store_display d = {.paired_s = 1};
		assert_int_equal(display_keys_generate(&v->keys), 0);
		memcpy(v->keys.hub, fingerprint, FINGERPRINT_BYTES);
		memcpy(d.id, v->keys.id, sizeof(d.id));
		memcpy(d.sign_public, v->keys.sign.public, POINT_BYTES);
		memcpy(d.kem_public, v->keys.kem.public, POINT_BYTES);
		(void)snprintf(d.name, sizeof(d.name), "Display %zu", i);
		assert_int_equal(
			store_display_add(&store, &d,
				(const uint8_t(*)[CAMERA_ID_BYTES])cameras[i % CAMERAS].id, 1),
			0);
		v->given = names[i % CAMERAS];
		v->source = sources[i / PER_ADDRESS];
		(void)snprintf(sources[i / PER_ADDRESS], sizeof(sources[0]), "127.0.0.%zu",
			2 + i / PER_ADDRESS);
	}
	store_finish(&store);
}

static int set_up(void **state)
{
	(void)state;
	static const char *const sizes[CAMERAS] = {"128x128", "192x128", "128x192", "192x192"};
	struct wire_link link;
	loop = client_loop_create();
	hub_init(&hub, loop);
	(void)snprintf(config, sizeof(config), "%s/camgate.conf", hub.dir);
	FILE *f = fopen(config, "we");
	assert_non_null(f);
	assert_true(fprintf(f, "[hub]\nconnections = %zu\n", count + ROOM) > 0);
	assert_int_equal(fclose(f), 0);
	start();
	for (uint32_t i = 0; i < CAMERAS; i++) {
		hub_name_camera(&hub, sizes[i], names[i]);
		hub_expect(&hub, names[i], i);
	}
	assert_int_equal(wire_parse_link(hub.link, &link), 0);
	hub_end(&hub);
	add_displays(link.fingerprint);
	start();
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

/* ---- waiting and telling ---- */

static void note(const char *name, double value)
{
	(void)json_object_set_new(figures, name, json_real(value));
}

static double seconds_since(uint64_t us)
{
	return (double)(client_now_us() - us) / 1e6;
}

static double memory_mib(const char *role)
{
	char path[64], line[256];
	unsigned long kib = 0;
	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)hub_role(&hub, role, 0));
	FILE *f = fopen(path, "re");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		(void)sscanf(line, "VmHWM: %lu", &kib);
	}
	if (f != NULL) {
		(void)fclose(f);
	}
	return (double)kib / 1024;
}

static unsigned long pictures(void)
{
	unsigned long n = 0;
	for (size_t i = 0; i < count; i++) {
		n += viewer_pictures(&viewers[i], viewers[i].given);
	}
	return n;
}

/* Everybody gets n more. */
static void all_see(unsigned int n)
{
	static unsigned int wanted[VIEWERS_MAX];
	for (size_t i = 0; i < count; i++) {
		wanted[i] = viewer_pictures(&viewers[i], viewers[i].given) + n;
	}
	for (size_t i = 0; i < count; i++) {
		WAIT_FOR(loop, viewer_pictures(&viewers[i], viewers[i].given) >= wanted[i],
			PATIENCE_MS);
	}
}

/* Which mix-up a display noticed, and where it stood. */
static void tell_mixup(size_t i)
{
	struct viewer *v = &viewers[i];
	const struct viewer_tile *t = viewer_tile(v, v->given);
	for (int kind = ANOMALY_NONE; kind <= ANOMALY_PICTURE; kind++) {
		if (viewer_counts(v)->anomalies[kind] > 0) {
			fail_msg("display %zu noticed %u mix-ups of kind %d; epoch %u, %u closes, "
				 "%u ends, %u pictures",
				i, (unsigned int)viewer_counts(v)->anomalies[kind], kind, t->epoch,
				v->closes, t->ends, t->pictures);
		}
	}
}

static void nothing_is_wrong(void)
{
	for (size_t i = 0; i < count; i++) {
		if (viewers[i].bad_pictures > 0) {
			fail_msg("display %zu: %s", i, viewers[i].complaint);
		}
		tell_mixup(i);
		assert_int_equal(viewer_cameras(&viewers[i]), 1);
	}
	assert_int_equal(hub_status_sum(&hub, "anomalies"), 0);
}

/* ---- tests ---- */

static void every_display_sees_its_own_camera_and_none_is_starved(void **state)
{
	(void)state;
	began_us = client_now_us();
	for (size_t i = 0; i < count; i++) {
		viewer_connect(&viewers[i], &hub, NULL, NULL, true);
	}
	all_see(1);
	note("viewers", (double)count);
	note("all_live_s", seconds_since(began_us));
	unsigned long before = pictures();
	uint64_t from_us = client_now_us();
	for (int round = 0; round < ROUNDS; round++) {
		all_see(2);
	}
	note("pictures_per_s", (double)(pictures() - before) / seconds_since(from_us));
	note("web_mib", memory_mib("web"));
	note("keeper_mib", memory_mib("keeper"));
	nothing_is_wrong();
}

static void refused_in(const char *name)
{
	unsigned int closes = 0;
	for (size_t i = 0; i < count; i++) {
		/* Cut or told to come back; never told no. */
		assert_true(viewers[i].end.code == 0 || viewers[i].end.code == 4001);
		closes += viewers[i].closes;
		viewers[i].closes = 0;
	}
	note(name, (double)closes / (double)count);
}

/* All of them at once: their first wait is 100 ms. */
static void all_are_live_again_after_the_web_role_was_killed(void **state)
{
	(void)state;
	uint64_t from_us = client_now_us();
	hub_kill_role(&hub, "web");
	for (size_t i = 0; i < count; i++) {
		WAIT_FOR(loop, viewers[i].closes > 0 && viewers[i].welcomed, PATIENCE_MS);
	}
	all_see(2);
	note("web_killed_all_live_s", seconds_since(from_us));
	refused_in("web_killed_closes_per_viewer");
	nothing_is_wrong();
}

static void all_are_live_again_after_the_hub_was_restarted(void **state)
{
	(void)state;
	uint64_t from_us = client_now_us();
	hub_end(&hub);
	start();
	for (size_t i = 0; i < count; i++) {
		WAIT_FOR(loop, viewers[i].closes > 0 && viewers[i].welcomed, PATIENCE_MS);
	}
	all_see(2);
	note("hub_restarted_all_live_s", seconds_since(from_us));
	refused_in("hub_restarted_closes_per_viewer");
	nothing_is_wrong();
}

static void on_opened(void *user)
{
	++((unsigned int *)user)[0];
}

static void on_refused(void *user, const struct client_end *end)
{
	((unsigned int *)user)[1] += !end->upgraded;
}

static void who_comes_when_the_hub_is_full_is_closed_and_hurts_nobody(void **state)
{
	(void)state;
	enum { MORE = ROOM + 8 };
	unsigned int ends[2] = {0}; /* opened, closed */
	static struct client *more[MORE];
	const struct client_config stranger = {.address = "127.0.0.1",
		.port = hub.port,
		.source = "127.0.1.1",
		.opened = on_opened,
		.closed = on_refused,
		.user = ends};
	for (size_t i = 0; i < MORE; i++) {
		more[i] = client_create(loop, &stranger);
		assert_non_null(more[i]);
	}
	WAIT_FOR(loop, ends[0] + ends[1] >= MORE, PATIENCE_MS);
	assert_true(ends[0] <= ROOM);
	all_see(2);
	for (size_t i = 0; i < MORE; i++) {
		client_destroy(more[i]);
	}
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(viewers[i].closes, 0);
	}
	nothing_is_wrong();
}

static void the_oracles_have_nothing_to_say(void **state)
{
	(void)state;
	note("pictures", (double)pictures());
	for (size_t i = 0; i < count; i++) {
		viewer_finish(&viewers[i]);
	}
	note("foreign", 0);
	json_t *status = hub_ask(&hub, "status", NULL);
	json_decref(status);
}

#define TEST(f) cmocka_unit_test(f)

int main(void)
{
	const struct rlimit files = {.rlim_cur = DESCRIPTORS, .rlim_max = DESCRIPTORS};
	const char *given = getenv("VIEWERS"), *path = getenv("LOAD_JSON");
	count = given != NULL ? strtoul(given, NULL, 10) : count;
	viewers = calloc(count > 0 ? count : 1, sizeof(*viewers));
	figures = json_object();
	if (count < 1 || count > VIEWERS_MAX || viewers == NULL || figures == NULL ||
		CRYPTO_secure_malloc_init(HEAP_BYTES, 16) != 1) {
		(void)fprintf(stderr, "load: VIEWERS is 1 to %d; or there is no locked memory\n",
			VIEWERS_MAX);
		return 1;
	}
	(void)setrlimit(RLIMIT_NOFILE, &files);
	const struct CMUnitTest tests[] = {
		TEST(every_display_sees_its_own_camera_and_none_is_starved),
		TEST(all_are_live_again_after_the_web_role_was_killed),
		TEST(all_are_live_again_after_the_hub_was_restarted),
		TEST(who_comes_when_the_hub_is_full_is_closed_and_hurts_nobody),
		TEST(the_oracles_have_nothing_to_say),
	};
	int r = cmocka_run_group_tests_name("load", tests, set_up, tear_down);
	if (path != NULL) {
		(void)json_dumpf(figures, stdout, JSON_INDENT(1));
		(void)putchar('\n');
		r = json_dump_file(figures, path, JSON_INDENT(1)) < 0 ? 1 : r;
	}
	json_decref(figures);
	free(viewers);
	return r;
}
