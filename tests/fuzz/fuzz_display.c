/*
 * A hub against a display: messages that the hub's key signed, frames that the camera's key sealed,
 * and what a web role could make of them, in the order and with the contents that the fuzzer chose.
 * A picture is drawn only of a frame that was sealed, with the header that was sealed, within its
 * age, and never two of one.
 */
#include "../unit/fake_hub.h"
#include "script.h"

#include <errno.h>

enum { STEPS_MAX = 60, JPEG_MAX = 2000 };

static struct fake_hub hub;
static bool over; /* the display closed the connection */
static uint8_t nonce[REQUEST_NONCE_BYTES]; /* of its last WATCH or TIME */
static size_t sealed; /* frames that the camera made */

static bool check_picture(void *user, const struct display_picture *p)
{
	(void)user;
	if (++hub.pictures > sealed || p->jpeg_size < 4 || p->jpeg[0] != 0xff ||
		p->jpeg[1] != 0xd8 || p->jpeg[p->jpeg_size - 1] != 0xd9 ||
		memcmp(p->header.camera, hub.camera, CAMERA_ID_BYTES) != 0 ||
		memcmp(p->camera->id, hub.camera, CAMERA_ID_BYTES) != 0 ||
		!wire_name_ok(p->camera->name) || p->age_us < -200000) {
		abort();
	}
	return p->jpeg_size % 3 != 0;
}

/* As fake_hub_init makes it, with our eye on the pictures. */
static void display_again(void)
{
	const struct display_config config = {.keys = &hub.keys,
		.origin = FAKE_ORIGIN,
		.name = "Kitchen",
		.send = fake_on_send,
		.sender = &hub,
		.callbacks = {.picture = check_picture},
		.user = &hub};

	display_destroy(hub.display);
	hub.display = display_create(&config);
	if (!hub.display) {
		abort();
	}
}

/* What the display asked for, and room for what it says next. */
static void read_what_it_said(void)
{
	for (size_t i = 0; i < hub.sent_count; i++) {
		struct wire_envelope e;
		struct wire_watch watch;
		struct wire_time ask;

		if (wire_parse_envelope(hub.sent[i].bytes, hub.sent[i].size, &e) < 0) {
			continue;
		}
		if (e.kind == DISPLAY_WATCH && !wire_parse_watch(e.body, e.body_size, &watch)) {
			memcpy(nonce, watch.nonce, sizeof(nonce));
		}
		if (e.kind == DISPLAY_TIME && !wire_parse_time(e.body, e.body_size, &ask)) {
			memcpy(nonce, ask.nonce, sizeof(nonce));
		}
	}
	hub.sent_count = 0;
}

static void connect_again(void)
{
	hub.sent_count = 0;
	display_restart(hub.display);
	hub.stream = 1;
	hub.frame = 0;
	fake_open(&hub);
	over = false;
}

static void note(int r)
{
	if (r != 0 && r != -EBADMSG && r != -EKEYREJECTED && r != -EPROTONOSUPPORT) {
		abort();
	}
	over = over || r < 0;
}

static void send_any(struct script *s, bool signed_by_hub)
{
	uint8_t kind = script_u8(s);
	size_t size;
	uint8_t *bytes = script_bytes(s, 255, &size);

	note(signed_by_hub ? fake_tell(&hub, kind, bytes, (ssize_t)size)
			   : fake_feed(&hub, bytes, size));
	free(bytes);
}

static void send_camera(struct script *s)
{
	struct wire_camera c = fake_camera(&hub);
	uint8_t body[256];
	ssize_t n = wire_encode_camera(&c, body, sizeof(body));

	(void)script_spoil(s, body, (size_t)n);
	note(fake_tell(&hub, HUB_CAMERA, body, n));
}

static void send_key(struct script *s)
{
	uint8_t purpose = (uint8_t)(1 + script_u8(s) % 4);
	uint8_t which = script_u8(s);
	uint32_t epoch = which & 1 ? epochs_prepare(hub.epochs) : epochs_current(hub.epochs);
	struct fake_wrap w = fake_key(&hub, purpose, epoch);

	memcpy(w.nonce, nonce, sizeof(w.nonce));
	if (which & 2) {
		w.key.stream = script_u8(s);
	}
	if (which & 4) {
		w.clock_us += (uint64_t)(int64_t)(int8_t)script_u8(s) << (script_u8(s) % 56);
	}
	if (which & 8) {
		w.nonce[0] ^= 1;
	}
	if (which & 16) {
		w.key.generation[0] ^= 1;
	}
	if (which & 32) {
		w.recipient = hub.camera_kem.public;
	}
	note(fake_send_key(&hub, &w));
}

static void send_frame(struct script *s, bool any_picture)
{
	static uint8_t jpeg[JPEG_MAX];
	struct wire_frame_header header = fake_header(&hub);
	uint8_t which = script_u8(s);
	size_t size = 17 + script_u16(s) % (JPEG_MAX - 17);

	fake_jpeg(jpeg, size, FAKE_WIDTH, FAKE_HEIGHT);
	for (int i = 0; any_picture && i < 4; i++) {
		(void)script_spoil(s, jpeg, size);
	}
	if (which & 1) {
		header.capture_us += (uint64_t)(int64_t)(int8_t)script_u8(s) * 100000;
	}
	if (which & 2) {
		header.width = script_u16(s);
	}
	if (which & 4) {
		header.flags = script_u8(s);
		header.rendition = script_u8(s) % 2;
	}
	ssize_t n = epoch_seal(
		hub.epochs, &header, jpeg, size, hub.now_us, hub.sealed, sizeof(hub.sealed));
	if (n < 0) {
		return; /* the epoch is over */
	}
	hub.sealed_size = (size_t)n;
	sealed++;
	if (which & 8) {
		(void)script_spoil(s, hub.sealed, hub.sealed_size);
	}
	if (which & 16) {
		hub.frame += (uint32_t)(int8_t)script_u8(s);
	}
	note(fake_send_sealed(&hub));
	if (which & 32 && !over) {
		note(fake_send_sealed(&hub)); /* once more, under the next number */
	}
}

static void send_piece(struct script *s)
{
	uint32_t frame = hub.frame + script_u8(s) % 3;
	uint32_t offset = script_u16(s) % 512;
	size_t size = 1 + script_u16(s) % 1024;
	struct wire_abort a = {.stream = hub.stream, .frame = frame};
	uint8_t out[16];

	if (size == 1) {
		note(fake_feed(&hub, out, (size_t)wire_encode_abort(&a, out, sizeof(out))));
		return;
	}
	hub.frame = frame;
	note(fake_send_piece(&hub, frame, offset, size, offset + size + script_u16(s)));
}

static void display_acts(struct script *s)
{
	uint8_t what = script_u8(s);
	int stream;

	if (what % 4 == 0) {
		(void)display_unwatch(hub.display, hub.stream);
		return;
	}
	hub.now_us += what % 4 == 1 ? 0 : (uint64_t)script_u16(s) * 1000;
	display_tick(hub.display, hub.now_us);
	if (what % 4 != 3) {
		stream = display_watch(hub.display, hub.camera, hub.now_us);
		if (stream > 0) {
			hub.stream = (uint16_t)stream;
			hub.frame = 0;
		}
	}
}

static void step(struct script *s)
{
	switch (script_u8(s) % 12) {
	case 0:
		send_any(s, false);
		break;
	case 1:
		send_any(s, true);
		break;
	case 2:
		send_camera(s);
		break;
	case 3:
	case 4:
		send_key(s);
		break;
	case 5:
	case 6:
		send_frame(s, false);
		break;
	case 7:
		send_frame(s, true);
		break;
	case 8:
		send_piece(s);
		break;
	case 9:
	case 10:
		display_acts(s);
		break;
	default:
		if (script_u8(s) & 1) {
			(void)epochs_break(hub.epochs, hub.now_us);
		} else {
			(void)epochs_switch(hub.epochs, hub.now_us);
		}
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct script s = {data, size};

	fake_hub_init(&hub, true);
	display_again();
	sealed = 0;
	connect_again();
	for (int i = 0; i < STEPS_MAX && s.left > 0; i++) {
		if (over) {
			connect_again();
		}
		step(&s);
		read_what_it_said();
	}
	fake_hub_finish(&hub);
	return 0;
}
