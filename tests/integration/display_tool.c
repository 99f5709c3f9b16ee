/*
 * display: a display for shell tests. Pairs by link, or logs in with keys that are paired already,
 * watches every camera it is given, reads the code in every picture of a test camera, and says what
 * happens, one JSON object a line with --json, otherwise in words.
 *
 * Exit code: 0; 1 it could not connect, pair or log in, or saw no picture; 2 wrong usage; 3 a
 * picture was foreign or could not be read, or a check failed.
 */
#include "tests/opix/opix.h"
#include "tests/oracles/fresh.h"
#include "tests/oracles/wiretap.h"
#include "web/client/client.h"

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { CAMERAS_MAX = DISPLAY_CAMERAS_MAX, EXIT_FOREIGN = 3 };

struct camera {
	bool used;
	uint8_t id[CAMERA_ID_BYTES];
	uint8_t generation[GENERATION_BYTES];
	bool seen; /* a picture of this generation */
	uint32_t tag;
	bool live;
	uint64_t pictures, said_us;
	int64_t worst_age_us;
};

struct tool {
	const char *link_url, *hub_url, *keys_path, *name, *dump, *origin;
	unsigned long seconds, frames;
	bool json, reconnect, unread, uncoded, fresh;
	long late_ms; /* with fresh: what the feed of the camera may be late itself */

	char host[256];
	uint16_t port;
	char authority[270]; /* with forwarded: the Host of the URL */
	uint16_t forwarded; /* 0: none */
	struct wire_link link;
	bool pairing, paired, over, failed;
	struct display_keys keys;
	struct client *client;
	struct camera cameras[CAMERAS_MAX];
	uint64_t started_us, pictures, foreign, anomalies;
	struct wiretap tap;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	(void)number;
	interrupted = 1;
}

/* ---- saying ---- */

/* Takes over the object. */
static void say(const struct tool *t, const char *event, json_t *o)
{
	(void)json_object_set_new(o, "event", json_string(event));
	(void)json_object_set_new(
		o, "t_ms", json_integer((json_int_t)((client_now_us() - t->started_us) / 1000)));
	if (t->json) {
		char *line = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS);
		(void)puts(line != NULL ? line : "{}");
		free(line);
	} else {
		const char *key;
		json_t *value;
		(void)printf("%s", event);
		json_object_foreach(o, key, value)
		{
			char *text = strcmp(key, "event") == 0 ? NULL
							       : json_dumps(value, JSON_ENCODE_ANY);
			if (text != NULL) {
				(void)printf("  %s %s", key, text);
			}
			free(text);
		}
		(void)putchar('\n');
	}
	(void)fflush(stdout);
	json_decref(o);
}

static json_t *hex(const uint8_t *bytes, size_t size)
{
	char text[2 * 32 + 1];
	for (size_t i = 0; i < size && i < 32; i++) {
		(void)snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	}
	return json_string(text);
}

/* ---- callbacks ---- */

static void on_welcome(void *user, const struct wire_welcome *w)
{
	struct tool *t = user;
	if (t->pairing && !t->paired) {
		int r = display_keys_save(t->keys_path, &t->keys);
		if (r < 0) {
			(void)fprintf(stderr, "display: cannot write %s: %s\n", t->keys_path,
				strerror(-r));
			t->failed = true;
		}
	}
	t->paired = true;
	say(t, "welcome",
		json_pack("{s:s,s:b,s:i,s:o}", "name", w->name, "owner", w->owner, "cameras",
			w->cameras, "id", hex(w->display, DISPLAY_ID_BYTES)));
}

static struct camera *camera_of(struct tool *t, const uint8_t id[static CAMERA_ID_BYTES])
{
	struct camera *unused = NULL;
	for (size_t i = 0; i < CAMERAS_MAX; i++) {
		struct camera *c = &t->cameras[i];
		if (c->used && memcmp(c->id, id, CAMERA_ID_BYTES) == 0) {
			return c;
		}
		unused = unused == NULL && !c->used ? c : unused;
	}
	if (unused != NULL) {
		*unused = (struct camera){.used = true};
		memcpy(unused->id, id, CAMERA_ID_BYTES);
	}
	return unused;
}

static void on_camera(void *user, const struct wire_camera *c)
{
	struct tool *t = user;
	say(t, "camera",
		json_pack("{s:s,s:o,s:s,s:b,s:i}", "name", c->name, "id",
			hex(c->id, CAMERA_ID_BYTES), "state",
			c->state == CAMERA_READY ? "ready" : "offline", "test",
			(c->flags & CAMERA_FLAG_TEST) != 0, "strength", c->strength));
	struct camera *mine = camera_of(t, c->id);
	if (mine == NULL) {
		return;
	}
	if (memcmp(mine->generation, c->generation, GENERATION_BYTES) != 0) {
		memcpy(mine->generation, c->generation, GENERATION_BYTES);
		mine->seen = false;
	}
	if (c->state == CAMERA_READY) {
		(void)display_watch(client_display(t->client), c->id, client_now_us());
	}
}

static void on_camera_gone(void *user, const struct wire_camera_gone *g)
{
	struct tool *t = user;
	struct camera *c = camera_of(t, g->id);
	if (c != NULL) {
		*c = (struct camera){0};
	}
	say(t, "gone",
		json_pack("{s:o,s:i}", "id", hex(g->id, CAMERA_ID_BYTES), "reason", g->reason));
}

static void on_ended(void *user, const struct wire_ended *e)
{
	struct tool *t = user;
	struct camera *c = camera_of(t, e->camera);
	if (c != NULL) {
		c->live = false;
	}
	say(t, "ended",
		json_pack("{s:o,s:i}", "id", hex(e->camera, CAMERA_ID_BYTES), "reason", e->reason));
}

static void on_new_camera(void *user, const struct wire_new_camera *c)
{
	say(user, "new-camera",
		json_pack("{s:s,s:s,s:o,s:i,s:b}", "name", c->name, "about", c->about, "id",
			hex(c->id, CAMERA_ID_BYTES), "strength", c->strength, "quarantined",
			(c->flags & NEW_CAMERA_QUARANTINED) != 0));
}

static void on_new_camera_gone(void *user, const struct wire_new_camera_gone *g)
{
	say(user, "new-camera-gone", json_pack("{s:o}", "id", hex(g->id, CAMERA_ID_BYTES)));
}

static void on_screen(void *user, const struct wire_screen *s)
{
	say(user, "screen",
		json_pack("{s:s,s:o,s:b}", "name", s->name, "id", hex(s->display, DISPLAY_ID_BYTES),
			"paired", s->state == SCREEN_PAIRED));
}

static void on_refused(void *user, uint16_t stream, enum anomaly reason)
{
	struct tool *t = user;
	t->anomalies++;
	say(t, "refused", json_pack("{s:i,s:i}", "stream", stream, "reason", (int)reason));
}

static void dump(struct tool *t, const struct display_picture *p)
{
	char path[4096];
	int n = snprintf(
		path, sizeof(path), "%s/%06llu.jpg", t->dump, (unsigned long long)t->pictures);
	FILE *f = n < 0 || (size_t)n >= sizeof(path) ? NULL : fopen(path, "we");
	if (f == NULL || fwrite(p->jpeg, 1, p->jpeg_size, f) != p->jpeg_size) {
		(void)fprintf(stderr, "display: cannot write %s\n", path);
		t->failed = true;
	}
	if (f != NULL) {
		(void)fclose(f);
	}
}

static void judge(
	struct tool *t, struct camera *c, const struct display_picture *p, struct opix *ret)
{
	const char *fault = NULL;
	bool coded = opix_decode_jpeg(p->jpeg, p->jpeg_size, ret) == 0;
	if (t->uncoded && !coded) {
		return;
	}
	if (t->uncoded) {
		fault = "a test camera's picture";
	} else if (!coded) {
		fault = "not one whole test picture";
	} else if (c->seen && c->tag != ret->tag) {
		fault = "another camera's picture";
	} else if (t->fresh &&
		   !fresh_check(p, ret, client_now_us() - (uint64_t)(t->late_ms * 1000), NULL)) {
		fault = "an old picture, shown as live";
	}
	for (size_t i = 0; i < CAMERAS_MAX && fault == NULL; i++) {
		const struct camera *other = &t->cameras[i];
		if (other->used && other != c && other->seen && other->tag == ret->tag) {
			fault = "two cameras show the same tag";
		}
	}
	if (fault == NULL) {
		c->seen = true;
		c->tag = ret->tag;
		return;
	}
	t->foreign++;
	say(t, "foreign",
		json_pack("{s:s,s:s,s:s}", "camera", p->camera->name, "fault", fault, "seen",
			opix_describe(ret)));
}

/* O-WIRE: whatever comes out of TLS, before the display opens it. */
static bool on_received(void *user, uint8_t *message, size_t size)
{
	struct tool *t = user;
	wiretap_hear(&t->tap, message, size);
	return true;
}

static void look_at_wire(struct tool *t, const struct opix *code, const struct display_picture *p)
{
	unsigned int before = t->tap.jpegs + t->tap.pictures;
	canary_keep(code->tag, p->jpeg, p->jpeg_size);
	wiretap_look(&t->tap, code->tag);
	if (before == 0 && t->tap.jpegs + t->tap.pictures > 0) {
		say(t, "foreign",
			json_pack("{s:s,s:s}", "camera", p->camera->name, "fault",
				"a picture in the clear on the wire"));
	}
	t->foreign += t->tap.jpegs + t->tap.pictures - before;
}

static bool on_picture(void *user, const struct display_picture *p)
{
	struct tool *t = user;
	struct camera *c = camera_of(t, p->camera->id);
	struct opix o = {0};
	if (c == NULL) {
		return false;
	}
	if (!t->unread) {
		judge(t, c, p, &o);
	}
	look_at_wire(t, &o, p);
	t->pictures++;
	c->pictures++;
	c->worst_age_us = p->age_us > c->worst_age_us ? p->age_us : c->worst_age_us;
	if (t->dump != NULL) {
		dump(t, p);
	}
	if (c->live != p->live) {
		c->live = p->live;
		say(t, p->live ? "live" : "stale", json_pack("{s:s}", "camera", p->camera->name));
	}
	uint64_t now_us = client_now_us();
	if (c->said_us == 0 || now_us - c->said_us >= 1000000) {
		c->said_us = now_us;
		say(t, "frame",
			json_pack("{s:s,s:I,s:I,s:I,s:i,s:i,s:i,s:I,s:I}", "camera",
				p->camera->name, "pictures", (json_int_t)c->pictures, "tag",
				(json_int_t)o.tag, "number", (json_int_t)o.number, "width",
				p->header.width, "height", p->header.height, "flags",
				p->header.flags, "age_ms", (json_int_t)(p->age_us / 1000), "bytes",
				(json_int_t)p->jpeg_size));
	}
	t->over = t->over || (t->frames != 0 && t->pictures >= t->frames);
	return true;
}

static void on_closed(void *user, const struct client_end *end)
{
	struct tool *t = user;
	t->over = t->over || !end->again;
	for (size_t i = 0; i < CAMERAS_MAX; i++) {
		t->cameras[i].live = false;
	}
	say(t, "closed",
		json_pack("{s:i,s:s,s:s,s:b}", "code", end->code, "text", end->text, "problem",
			end->problem < 0 ? strerror(-end->problem) : "", "again", end->again));
}

/* ---- command line ---- */

static int usage(const char *problem)
{
	(void)fprintf(stderr,
		"display: %s\n"
		"usage: display --link URL | --hub https://HOST:PORT   --keys FILE [--name NAME]\n"
		"       [--seconds S] [--frames N] [--dump DIR] [--origin ORIGIN] [--reconnect]\n"
		"       [--unread | --uncoded] [--json] [--forwarded PORT] [--fresh MS]\n"
		"--unread does not look for the code of test cameras; --uncoded takes a picture\n"
		"with such a code for foreign; --forwarded connects to PORT of 127.0.0.1, which\n"
		"leads to the hub, and still calls it by the URL's name. --fresh, on the machine\n"
		"of the camera only, takes a picture for foreign that is shown as live and was\n"
		"drawn MS longer ago than a live one may be.\n",
		problem);
	return 2;
}

/* https://HOST:PORT[/…]; IPv6 in brackets. */
static bool parse_url(struct tool *t, const char *url)
{
	if (strncmp(url, "https://", 8) != 0) {
		return false;
	}
	url += 8;
	bool six = url[0] == '[';
	const char *end = six ? strchr(url, ']') : strpbrk(url, ":/#");
	const char *start = six ? url + 1 : url;
	if (end == NULL || end == start || (size_t)(end - start) >= sizeof(t->host)) {
		return false;
	}
	memcpy(t->host, start, (size_t)(end - start));
	const char *colon = six ? end + 1 : end;
	char *rest = NULL;
	unsigned long port = *colon == ':' ? strtoul(colon + 1, &rest, 10) : 443;
	t->port = (uint16_t)port;
	return port >= 1 && port <= UINT16_MAX;
}

static int take_link(struct tool *t)
{
	const char *url = t->link_url != NULL ? t->link_url : t->hub_url;
	if (url == NULL || t->keys_path == NULL) {
		return usage("--keys and one of --link and --hub are needed");
	}
	if (!parse_url(t, url)) {
		return usage("the address does not look like https://HOST:PORT");
	}
	const char *mark = t->link_url == NULL ? NULL : strstr(t->link_url, "#pair=");
	if (t->link_url != NULL && (mark == NULL || wire_parse_link(mark + 6, &t->link) < 0)) {
		return usage("the link is not whole: it ends in #pair= and 76 characters");
	}
	return 0;
}

/* Keys that are paired with this hub log in; otherwise the link is spent. */
static int take_keys(struct tool *t)
{
	int r = display_keys_load(t->keys_path, &t->keys);
	if (r == 0 && (t->link_url == NULL ||
			      memcmp(t->keys.hub, t->link.fingerprint, FINGERPRINT_BYTES) == 0)) {
		return 0;
	}
	if (t->link_url == NULL || (r < 0 && r != -ENOENT)) {
		(void)fprintf(stderr, "display: cannot read %s: %s\n", t->keys_path, strerror(-r));
		return 1;
	}
	if (r == 0) {
		display_keys_finish(&t->keys); /* of another hub */
	}
	t->pairing = true;
	if (display_keys_generate(&t->keys) < 0) {
		return 1;
	}
	memcpy(t->keys.hub, t->link.fingerprint, FINGERPRINT_BYTES);
	return 0;
}

static int parse(struct tool *t, int argc, char **argv)
{
	static const struct option options[] = {{"link", required_argument, NULL, 'l'},
		{"hub", required_argument, NULL, 'h'}, {"keys", required_argument, NULL, 'k'},
		{"name", required_argument, NULL, 'n'}, {"seconds", required_argument, NULL, 's'},
		{"frames", required_argument, NULL, 'f'}, {"dump", required_argument, NULL, 'd'},
		{"origin", required_argument, NULL, 'o'}, {"reconnect", no_argument, NULL, 'r'},
		{"unread", no_argument, NULL, 'u'}, {"uncoded", no_argument, NULL, 'c'},
		{"json", no_argument, NULL, 'j'}, {"forwarded", required_argument, NULL, 'p'},
		{"fresh", required_argument, NULL, 'm'}, {0}};
	int c;
	t->name = "display tool";
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'l':
			t->link_url = optarg;
			break;
		case 'h':
			t->hub_url = optarg;
			break;
		case 'k':
			t->keys_path = optarg;
			break;
		case 'n':
			t->name = optarg;
			break;
		case 's':
			t->seconds = strtoul(optarg, NULL, 10);
			break;
		case 'f':
			t->frames = strtoul(optarg, NULL, 10);
			break;
		case 'd':
			t->dump = optarg;
			break;
		case 'o':
			t->origin = optarg;
			break;
		case 'r':
			t->reconnect = true;
			break;
		case 'u':
			t->unread = true;
			break;
		case 'p':
			t->forwarded = (uint16_t)strtoul(optarg, NULL, 10);
			break;
		case 'm':
			t->fresh = true;
			t->late_ms = strtol(optarg, NULL, 10);
			break;
		case 'c':
			t->uncoded = true;
			break;
		case 'j':
			t->json = true;
			break;
		default:
			return usage("unknown option");
		}
	}
	if (optind < argc) {
		return usage("there are no arguments, only options");
	}
	if (t->seconds == 0 && t->frames == 0) {
		t->seconds = 10;
	}
	return take_link(t);
}

static void watch(struct tool *t, struct client_loop *loop)
{
	uint64_t end_us = t->seconds == 0 ? UINT64_MAX : t->started_us + t->seconds * 1000000;
	while (!t->over && !t->failed && !interrupted && client_now_us() < end_us) {
		if (client_loop_run(loop, 50) < 0) {
			t->failed = true;
		}
	}
}

static int summarise(struct tool *t)
{
	const struct display_counts *c = display_counts(client_display(t->client));
	int code = t->foreign != 0 || t->anomalies != 0          ? EXIT_FOREIGN
		   : t->failed || !t->paired || t->pictures == 0 ? 1
								 : 0;
	say(t, "summary",
		json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:i}", "pictures",
			(json_int_t)t->pictures, "foreign", (json_int_t)t->foreign, "anomalies",
			(json_int_t)t->anomalies, "late", (json_int_t)c->late, "refused",
			(json_int_t)c->refused, "aborted", (json_int_t)c->aborted, "bytes",
			(json_int_t)c->bytes, "worst_age_ms", (json_int_t)c->worst_age_ms, "exit",
			code));
	return code;
}

int main(int argc, char **argv)
{
	static struct tool t;
	int code = parse(&t, argc, argv);
	if (code != 0) {
		return code;
	}
	if (secure_heap_init() < 0) {
		(void)fprintf(stderr, "display: no locked memory for the keys\n");
		return 1;
	}
	(void)signal(SIGINT, on_signal);
	(void)signal(SIGTERM, on_signal);
	(void)signal(SIGPIPE, SIG_IGN);
	code = take_keys(&t);
	if (code != 0) {
		return code;
	}
	const struct display_config display = {.keys = &t.keys,
		.link = t.pairing ? &t.link : NULL,
		.name = t.name,
		.callbacks = {on_welcome, on_camera, on_camera_gone, on_ended, on_new_camera,
			on_new_camera_gone, on_screen, on_picture, on_refused},
		.user = &t};
	(void)snprintf(t.authority, sizeof t.authority, strchr(t.host, ':') ? "[%s]:%u" : "%s:%u",
		t.host, t.port);
	const struct client_config config = {.address = t.forwarded != 0 ? "127.0.0.1" : t.host,
		.port = t.forwarded != 0 ? t.forwarded : t.port,
		.host = t.authority,
		.origin = t.origin,
		.reconnect = t.reconnect,
		.display = &display,
		.received = on_received,
		.closed = on_closed,
		.user = &t};
	struct client_loop *loop = client_loop_create();
	t.started_us = client_now_us();
	t.client = loop == NULL ? NULL : client_create(loop, &config);
	if (t.client == NULL) {
		(void)fprintf(stderr, "display: cannot start\n");
		return 1;
	}
	watch(&t, loop);
	code = summarise(&t);
	client_destroy(t.client);
	client_loop_destroy(loop);
	display_keys_finish(&t.keys);
	return code;
}
