/*
 * How fast a revoke is, with others watching: N displays, each paired, watching and revoked in
 * turn, on the real processes; on loopback, or by a link of 2 Mbit/s with 300 ms and 5 % loss.
 *
 * revoke_times [--count N] [--load VIEWERS] [--bad-link] [--json FILE]
 *
 * The moment of the commit is the keeper's; from outside it lies between two moments that are
 * known: the request was sent (before), and the answer came less the time that the keeper says it
 * took from the commit to the end (after). Times are given from the first, so none is understated.
 * All clocks are CLOCK_BOOTTIME of one machine. What is late in this process counts against the
 * hub.
 */
#include "admin_client.h"
#include "tests/integration/viewer.h"
#include "tests/network/bad_link.h"

#include <getopt.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	COUNT_MAX = 2000,
	LOAD_MAX = 16,
	ANSWER_MS = 10000,
	PATIENCE_MS = 60000, /* bad networks */
	PHASE_MAX_MS = 300,
	SETTLE_MS = 2500, /* until TCP knows what the network has become */
	HEAP_BYTES = 1 << 20, /* many displays in one process */
};

/* One revoke, asked for by a thread of its own while the loop goes on. */
struct request {
	const char *socket_dir;
	json_t *question, *answer;
	uint64_t sent_us;
	atomic_ullong answered_us; /* 0: not yet */
	int result;
};

static struct {
	struct request *now; /* whose answer ends the time in which things may arrive */
	uint64_t bytes, pictures; /* that arrived after the hub had cut */
	uint64_t forbidden; /* pictures captured after the commit: must be none */
} after;

static double sent_to_dark_ms[COUNT_MAX], commit_to_cut_ms[COUNT_MAX], least_ms[COUNT_MAX];
static struct viewer former; /* the one that is revoked */
static struct client_loop *loop;
static struct hub hub;
static bool bad; /* --bad-link */
static unsigned int waits; /* for a web role that was not there */
static struct bad_link network;
static char sockets[PATH_MAX + 16];

/* ---- asking ---- */

static void *request_run(void *data)
{
	struct request *r = data;
	r->sent_us = client_now_us();
	r->result = admin_request(r->socket_dir, r->question, ANSWER_MS, &r->answer);
	atomic_store(&r->answered_us, client_now_us());
	return NULL;
}

static bool is_ok(const json_t *answer)
{
	return json_is_true(json_object_get(answer, "ok"));
}

static void must_be_ok(const struct request *r)
{
	if (r->result < 0 || !is_ok(r->answer)) {
		const char *why = json_string_value(json_object_get(r->answer, "error"));
		fail_msg("the hub: %s", why != NULL ? why : strerror(-r->result));
	}
}

static void run_for(unsigned int ms)
{
	uint64_t end_us = client_now_us() + ms * 1000U;
	while (client_now_us() < end_us) {
		assert_int_equal(client_loop_run(loop, 1), 0);
	}
}

/* Asks while the loop goes on. Returns the answer; json_decref it. */
static json_t *ask(json_t *question, struct request *r)
{
	pthread_t thread;
	assert_non_null(question);
	*r = (struct request){.socket_dir = sockets, .question = question};
	assert_int_equal(pthread_create(&thread, NULL, request_run, r), 0);
	while (atomic_load(&r->answered_us) == 0) {
		assert_int_equal(client_loop_run(loop, 1), 0);
	}
	assert_int_equal(pthread_join(thread, NULL), 0);
	json_decref(question);
	return r->answer;
}

/* ---- displays ---- */

static bool on_received(void *user, uint8_t *message, size_t size)
{
	(void)message;
	if (user == &former && after.now != NULL && atomic_load(&after.now->answered_us) != 0) {
		after.bytes += size;
	}
	return true;
}

static void on_looked(void *user, const struct display_picture *p)
{
	(void)p;
	after.pictures +=
		user == &former && after.now != NULL && atomic_load(&after.now->answered_us) != 0;
}

static void pair(struct viewer *v, const char *name, json_t *cameras)
{
	struct request r;
	struct wire_link link;
	json_t *question = json_pack("{s:s, s:o}", "command", "pair", "cameras", cameras);
	json_t *answer = ask(json_incref(question), &r);
	uint64_t deadline_us = client_now_us() + PATIENCE_MS * 1000ULL;
	/* A web role that took too long to cut was ended, and the next one is on its way. */
	while (!is_ok(answer) && client_now_us() < deadline_us) {
		json_decref(answer);
		waits++;
		run_for(100);
		answer = ask(json_incref(question), &r);
	}
	must_be_ok(&r);
	assert_int_equal(
		wire_parse_link(json_string_value(json_object_get(answer, "link")), &link), 0);
	json_decref(answer);
	json_decref(question);
	*v = (struct viewer){.received = on_received, .looked = on_looked};
	assert_int_equal(display_keys_generate(&v->keys), 0);
	memcpy(v->keys.hub, link.fingerprint, FINGERPRINT_BYTES);
	viewer_connect(v, &hub, &link, name, true);
	WAIT_FOR(loop, v->welcomed, PATIENCE_MS);
}

/* ---- one revoke ---- */

static void revoke_once(unsigned int n)
{
	struct viewer *v = &former;
	struct request r = {0};
	uint8_t random = 0;
	pair(v, "Former", json_pack("[s]", "Door"));
	WAIT_FOR(loop, viewer_pictures(v, "Door") >= 2, PATIENCE_MS);
	if (bad) {
		bad_link_set(&network, &bad_link_poor);
		run_for(SETTLE_MS);
	}
	/* At no fixed distance from a frame. */
	random_bytes(&random, sizeof(random));
	run_for(random * PHASE_MAX_MS / 255U);
	after.now = &r;
	json_t *answer = ask(json_pack("{s:s, s:s}", "command", "revoke", "display", "Former"), &r);
	must_be_ok(&r);
	json_int_t cut_ms = json_integer_value(json_object_get(answer, "cut_ms"));
	json_decref(answer);
	WAIT_FOR(loop, v->closes > 0, PATIENCE_MS);
	uint64_t answered_us = atomic_load(&r.answered_us);
	/* cut_ms is rounded up. */
	uint64_t latest_commit_us = answered_us - (cut_ms > 0 ? (uint64_t)(cut_ms - 1) * 1000 : 0);
	after.forbidden += viewer_tile(v, "Door")->capture_us > latest_commit_us;
	sent_to_dark_ms[n] = (double)(v->end_us - r.sent_us) / 1000;
	least_ms[n] =
		v->end_us > latest_commit_us ? (double)(v->end_us - latest_commit_us) / 1000 : 0;
	commit_to_cut_ms[n] = (double)cut_ms;
	after.now = NULL;
	viewer_finish(v);
	if (bad) {
		bad_link_set(&network, &bad_link_good);
	}
}

/* ---- telling ---- */

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

static json_t *spread(double *ms, unsigned int count)
{
	qsort(ms, count, sizeof(ms[0]), compare);
	/* The nearest rank: of fifty, the 99th percentile is the largest. */
	return json_pack("{s:f, s:f, s:f}", "p50", ms[(count + 1) / 2 - 1], "p99",
		ms[(count * 99 + 99) / 100 - 1], "max", ms[count - 1]);
}

/* What the bad network did; it is null on a good one. */
static json_t *tell_network(void)
{
	if (!bad) {
		return json_null();
	}
	struct bad_link_counts n = bad_link_counts(&network);
	return json_pack("{s:I, s:I, s:I}", "packets_carried", (json_int_t)n.carried,
		"packets_lost", (json_int_t)n.lost, "packets_dropped_by_a_full_queue",
		(json_int_t)n.dropped);
}

static int tell(unsigned int count, unsigned int load, const char *path)
{
	json_t *all = json_pack("{s:i, s:i, s:i, s:o, s:o, s:o, s:o, s:I, s:I, s:I}", "revokes",
		(int)count, "watching_besides", (int)load, "waits_for_a_web_role", (int)waits,
		"network", tell_network(), "commit_to_cut_ms", spread(commit_to_cut_ms, count),
		"asked_to_dark_ms", spread(sent_to_dark_ms, count), "commit_to_dark_at_least_ms",
		spread(least_ms, count), "bytes_after_the_cut", (json_int_t)after.bytes,
		"pictures_opened_after_the_cut", (json_int_t)after.pictures,
		"pictures_captured_after_the_commit", (json_int_t)after.forbidden);
	int r = all == NULL    ? -1
		: path != NULL ? json_dump_file(all, path, JSON_INDENT(1) | JSON_REAL_PRECISION(6))
			       : json_dumpf(all, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
	json_decref(all);
	return r;
}

static void start(void)
{
	loop = client_loop_create();
	assert_non_null(loop);
	hub_init(&hub, loop);
	if (bad) {
		hub.address = BAD_LINK_HUB;
		hub.network = network.hub_network;
	}
	(void)snprintf(sockets, sizeof(sockets), "%s/sockets", hub.state);
	hub_start(&hub, (const char *[]){"--camera", "pattern:320x192@15", "--camera",
				"pattern:256x192@15", NULL});
	hub_name_camera(&hub, "320x192", "Door");
	hub_name_camera(&hub, "256x192", "Yard");
	hub_expect(&hub, "Door", 0);
	hub_expect(&hub, "Yard", 1);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"count", required_argument, NULL, 'c'},
		{"load", required_argument, NULL, 'l'}, {"bad-link", no_argument, NULL, 'b'},
		{"json", required_argument, NULL, 'j'}, {0}};
	static struct viewer others[LOAD_MAX];
	unsigned int count = 200, load = 8;
	const char *json = NULL;
	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		count = c == 'c' ? (unsigned int)strtoul(optarg, NULL, 10) : count;
		load = c == 'l' ? (unsigned int)strtoul(optarg, NULL, 10) : load;
		bad = bad || c == 'b';
		json = c == 'j' ? optarg : json;
	}
	if (count < 1 || count > COUNT_MAX || load > LOAD_MAX || optind < argc) {
		(void)fprintf(stderr, "revoke_times: --count 1 to %d, --load 0 to %d\n", COUNT_MAX,
			LOAD_MAX);
		return 2;
	}
	if (CRYPTO_secure_malloc_init(HEAP_BYTES, 16) != 1) {
		(void)fprintf(stderr, "revoke_times: no locked memory for the keys\n");
		return 1;
	}
	int r = bad ? bad_link_begin(&network, &bad_link_good, 1) : 0;
	if (r < 0) {
		(void)fprintf(stderr, "revoke_times: no bad network here: %s\n", strerror(-r));
		return 77;
	}
	start();
	for (unsigned int i = 0; i < load; i++) {
		pair(&others[i], "Watching", json_string("all"));
		WAIT_FOR(loop, viewer_pictures(&others[i], "Yard") > 0, PATIENCE_MS);
	}
	for (unsigned int i = 0; i < count; i++) {
		revoke_once(i);
	}
	for (unsigned int i = 0; i < load; i++) {
		viewer_finish(&others[i]);
	}
	hub_end(&hub);
	hub_finish(&hub);
	client_loop_destroy(loop);
	r = tell(count, load, json);
	if (bad) {
		bad_link_end(&network);
	}
	return r < 0 || after.forbidden > 0 ? 1 : 0;
}
