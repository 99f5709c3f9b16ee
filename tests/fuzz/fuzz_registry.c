/*
 * What displays that are logged in may say, and what a web process may: the harness signs what the
 * fuzzer chose, so that it gets past the signature. Cameras answer, time passes, the owner gives
 * and takes away in between. keeper.h checks whom keys go to.
 */
#include "keeper.h"

enum { STEPS_MAX = 48, BODY_MAX = 300 };

static uint64_t connections;

static void log_in(struct display *d)
{
	uint8_t bytes[WIRE_DISPLAY_MESSAGE_MAX_BYTES];
	size_t size;

	if (web_gone) {
		return;
	}
	book_enter(d, ++connections);
	display_connect(d, WEB, connections);
	size = display_make_login(d, bytes, sizeof(bytes));
	display_heard(d, bytes, size);
}

/* Any body, right or wrong, under a right signature. */
static void say(struct script *s, struct display *d)
{
	uint8_t kind = script_u8(s);
	size_t size;
	uint8_t *body = script_bytes(s, BODY_MAX, &size);

	display_say(d, kind, body, (ssize_t)size);
	free(body);
}

/* A right message with one byte that is not. */
static void say_nearly(struct script *s, struct display *d)
{
	uint16_t stream = script_u8(s) % 8;
	const uint8_t *camera = camera_ids[script_u8(s) % 2];
	uint8_t kind = (uint8_t)(1 + script_u8(s) % 5);
	struct wire_watch watch = {.stream = stream, .nonce = {1}};
	struct wire_unwatch unwatch = {.stream = stream, .received = 4, .drawn = 3};
	struct wire_time ask = {.stream = stream, .nonce = {2}};
	struct wire_report report = {.stream = stream, .reason = ANOMALY_UNSEAL, .epoch = 1};
	struct wire_key_ack ack = {.stream = stream, .epoch = script_u8(s)};
	uint8_t body[128];
	ssize_t n;

	memcpy(watch.camera, camera, CAMERA_ID_BYTES);
	memcpy(report.camera, camera, CAMERA_ID_BYTES);
	n = kind == DISPLAY_WATCH     ? wire_encode_watch(&watch, body, sizeof(body))
	    : kind == DISPLAY_UNWATCH ? wire_encode_unwatch(&unwatch, body, sizeof(body))
	    : kind == DISPLAY_TIME    ? wire_encode_time(&ask, body, sizeof(body))
	    : kind == DISPLAY_REPORT  ? wire_encode_report(&report, body, sizeof(body))
				      : wire_encode_key_ack(&ack, body, sizeof(body));
	(void)script_spoil(s, body, (size_t)n);
	display_say(d, kind, body, n);
}

/* What a web process says in a display's name, signed by nobody. */
static void web_says(struct script *s, struct display *d)
{
	size_t size;
	uint8_t *bytes = script_bytes(s, 255, &size);

	display_heard(d, bytes, size);
	free(bytes);
}

static void cameras_answer(struct script *s)
{
	uint64_t peer = CAMERA + script_u8(s) % 2;
	uint32_t epoch = script_u8(s);
	struct ipc_message m;
	struct ipc_request request;
	struct ipc_rotated rotated = {.epoch = epoch};

	while (sent_find(peer, IPC_WRAP) != NULL) {
		(void)camera_wrap(peer, epoch);
	}
	for (uint8_t type = IPC_ROTATE; type != 0; type = type == IPC_ROTATE ? IPC_SWITCH : 0) {
		while (sent_find(peer, type) != NULL) {
			sent_take(peer, type, &m);
			if (ipc_parse_request(&m, &request) < 0) {
				abort();
			}
			rotated.request = request.request;
			registry_camera_rotated(fixture.registry, peer, &rotated);
		}
	}
}

static void web_answers(void)
{
	while (sent_find(WEB, IPC_TAKE) != NULL) {
		web_confirm_take(WEB);
	}
	while (sent_find(WEB, IPC_CUT) != NULL) {
		web_confirm_cut(WEB);
	}
}

static void web_counts(struct script *s, const struct display *d)
{
	struct ipc_counts m = {.connection = d->connection,
		.stream = script_u8(s) % 8,
		.final = script_u8(s) & 1,
		.sent = script_u16(s),
		.drawn = script_u16(s)};
	struct ipc_stream taken = {.connection = d->connection, .stream = script_u8(s) % 8};

	registry_web_counts(fixture.registry, WEB, &m);
	registry_web_taken(fixture.registry, WEB, &taken);
}

static void owner_acts(struct script *s, const struct display *d)
{
	uint8_t what = script_u8(s);
	const uint8_t *camera = camera_ids[what >> 4 & 1];

	switch (what % 5) {
	case 0:
		(void)registry_grant(fixture.registry, d->id, camera);
		break;
	case 1:
		(void)registry_revoke(fixture.registry, d->id, camera, what + 1U);
		break;
	case 2:
		(void)registry_ignore(fixture.registry, camera);
		break;
	case 3:
		(void)registry_confirm(fixture.registry, camera);
		break;
	default: /* nothing tells the registry */
		(void)store_grant_remove(&fixture.files.store, d->id, camera);
		break;
	}
}

static void camera_comes_again(struct script *s)
{
	static uint64_t peer = 1000;
	uint64_t old = CAMERA + script_u8(s) % 2;

	registry_peer_gone(fixture.registry, old);
	camera_hello(++peer, IDENTITY_SERIAL, old == CAMERA ? "usb:1" : "usb:2", "Again");
	camera_hand_rings(peer);
}

static void step(struct script *s)
{
	uint8_t what = script_u8(s);
	struct display *d = &displays[what >> 7];

	switch (what & 15) {
	case 0:
	case 1:
		log_in(d);
		break;
	case 2:
		say(s, d);
		break;
	case 3:
	case 4:
	case 5:
		say_nearly(s, d);
		break;
	case 6:
		web_says(s, d);
		break;
	case 7:
	case 8:
		cameras_answer(s);
		break;
	case 9:
		web_answers();
		break;
	case 10:
		web_counts(s, d);
		break;
	case 11:
		owner_acts(s, d);
		break;
	case 12:
		fixture_pass_ms(script_u16(s));
		break;
	case 13:
		registry_web_closed(fixture.registry, WEB, d->connection);
		break;
	case 14:
		camera_comes_again(s);
		break;
	default:
		registry_camera_rotation_due(fixture.registry, CAMERA + (what >> 4 & 1));
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct script s = {data, size};

	keeper_begin();
	for (int i = 0; i < STEPS_MAX && s.left > 0; i++) {
		step(&s);
	}
	keeper_end();
	return 0;
}
