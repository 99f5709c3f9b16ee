/*
 * From the network to the login: bytes into libwebsockets over TCP (without TLS), through the web
 * role's own callbacks, session and link, to the keeper's registry and login. Websocket framing,
 * HTTP, CHALLENGE, LOGIN and PAIR included.
 *
 * Nobody is admitted without a LOGIN or PAIR that was right in every byte, and who is not admitted
 * hears one CHALLENGE and nothing else.
 */
#include "network.h"

enum { STEPS_MAX = 24, LINK = 7, STRANGER = 2 };

static const char upgrade[] =
	"GET /socket HTTP/1.1\r\nHost: hub.local:8443\r\nUpgrade: websocket\r\n"
	"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
	"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
	"Sec-WebSocket-Protocol: camgate.v1\r\nOrigin: https://hub.local:8443\r\n\r\n";

/* One websocket message; split: in two frames, the first of so many bytes. */
static void send_message(const uint8_t *data, size_t size, size_t split)
{
	uint8_t out[1024 + 16];
	size_t first = split > 0 && split < size ? split : size;

	for (size_t at = 0, n = first; at < size; at += n, n = size - at) {
		size_t used = 0;

		out[used++] = (uint8_t)((at == 0 ? 2 : 0) | (at + n == size ? 0x80 : 0));
		out[used++] = (uint8_t)(0x80 | (n < 126 ? n : 126));
		if (n >= 126) {
			out[used++] = (uint8_t)(n >> 8);
			out[used++] = (uint8_t)n;
		}
		memset(out + used, 0, 4); /* a mask of zeroes */
		used += 4;
		memcpy(out + used, data + at, n);
		send_bytes(out, used + n);
	}
}

/* ---- what an input does ---- */

static void log_in(struct script *s, struct display *d)
{
	uint8_t message[WIRE_DISPLAY_MESSAGE_MAX_BYTES];
	size_t split = script_u8(s);
	size_t size;

	memcpy(d->challenge, challenge, sizeof(challenge));
	memcpy(d->session, session, sizeof(session));
	book_enter(d, connection);
	d->sent = 0;
	size = display_make_login(d, message, sizeof(message));
	honest += !script_spoil(s, message, size);
	send_message(message, size, split);
}

static void pair_up(struct script *s)
{
	static const char label[] = "camgate pair v1";
	struct display *d = &displays[STRANGER];
	struct wire_pair pair = {.version = WIRE_VERSION, .nonce = {1}, .name = "Garden"};
	uint8_t secret[LINK_SECRET_BYTES], transcript[DIGEST_BYTES];
	uint8_t message[WIRE_DISPLAY_MESSAGE_MAX_BYTES], to_sign[WIRE_PAIR_SIGNED_MAX_BYTES];
	const struct digest_part proven[] = {
		{label, sizeof(label) - 1}, {transcript, DIGEST_BYTES}};
	size_t split = script_u8(s);
	ssize_t n;

	memset(secret, LINK, sizeof(secret));
	memset(pair.link_id, LINK, sizeof(pair.link_id));
	memcpy(pair.sign_public, d->sign.public, POINT_BYTES);
	memcpy(pair.kem_public, d->kem.public, POINT_BYTES);
	transcript_of(
		WIRE_VERSION, challenge, "https://hub.local:8443", d->id, pair.nonce, transcript);
	must(hmac_sha256(secret, sizeof(secret), proven, 2, pair.proof) == 0 &&
		key_sign(&d->sign, label, to_sign, wire_pair_signed(&pair, transcript, to_sign),
			pair.signature) == 0);
	book_enter(d, connection);
	memcpy(d->session, session, sizeof(session));
	d->sent = 0;
	n = wire_encode_pair(&pair, message, sizeof(message));
	must(n > 0);
	honest += !script_spoil(s, message, (size_t)n);
	send_message(message, (size_t)n, split);
}

static void say_signed(struct script *s, struct display *d)
{
	uint8_t message[WIRE_DISPLAY_MESSAGE_MAX_BYTES];
	struct wire_envelope e = {.type = WIRE_DISPLAY, .counter = d->sent++, .kind = script_u8(s)};
	size_t size;
	uint8_t *body = script_bytes(s, 200, &size);
	ssize_t n;

	memcpy(e.session, session, sizeof(session));
	e.body = body;
	e.body_size = size;
	n = message_sign(&d->sign, &e, message, sizeof(message));
	must(n > 0);
	send_message(message, (size_t)n, 0);
	free(body);
}

static void send_frame(struct script *s)
{
	uint8_t out[300] = {script_u8(s), script_u8(s)};
	size_t size;
	uint8_t *payload = script_bytes(s, 255, &size);

	memcpy(out + 2, payload, size);
	send_bytes(out, size + 2);
	free(payload);
}

static void send_request(struct script *s)
{
	char out[1024];
	char *path = script_text(s, 200);
	char *header = script_text(s, 255);
	int n = snprintf(out, sizeof(out), "GET /%s HTTP/1.1\r\nHost: hub.local:8443\r\n%s\r\n\r\n",
		path, header);

	send_bytes((const uint8_t *)out, (size_t)n);
	free(path);
	free(header);
}

static void step(struct script *s)
{
	uint8_t what = script_u8(s);
	struct display *d = &displays[what >> 4 & 1];
	size_t size;
	uint8_t *bytes;

	switch (what & 7) {
	case 0:
		bytes = script_bytes(s, 255, &size);
		send_bytes(bytes, size);
		free(bytes);
		break;
	case 1:
		send_frame(s);
		break;
	case 2:
		bytes = script_bytes(s, 255, &size);
		send_message(bytes, size, script_u8(s));
		free(bytes);
		break;
	case 3:
		log_in(s, d);
		break;
	case 4:
		pair_up(s);
		break;
	case 5:
		say_signed(s, d);
		break;
	case 6:
		send_request(s);
		break;
	default:
		fixture_pass_ms(script_u16(s));
		turn();
		break;
	}
}

/* Of a websocket that was never admitted: one CHALLENGE, and what belongs to the protocol. */
static void check_silence(void)
{
	const uint8_t *head = memmem(heard, heard_size, "\r\n\r\n", 4);
	size_t at = head ? (size_t)(head - heard) + 4 : heard_size;
	unsigned int messages = 0;

	if (heard_size < 12 || memcmp(heard, "HTTP/1.1 101", 12) != 0) {
		return; /* a page */
	}
	while (at + 2 <= heard_size) {
		size_t size = heard[at + 1];
		uint8_t opcode = heard[at] & 15;

		must(size < 126 && at + 2 + size <= heard_size);
		if (opcode < 8) {
			must(heard[at] == 0x82 && size == WIRE_CHALLENGE_BYTES &&
				memcmp(heard + at + 2, challenge, size) == 0 && ++messages == 1);
		}
		at += 2 + size;
	}
	must(at == heard_size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct script s = {data, size};
	const struct pairing_offer offer = {.owner = true};
	uint8_t id[LINK_ID_BYTES], secret[LINK_SECRET_BYTES];

	keeper_forward = NULL;
	keeper_begin();
	keeper_forward = forward;
	memset(id, LINK, sizeof(id));
	memset(secret, LINK, sizeof(secret));
	pairing_add(&fixture.pairing, fixture.now_us, 600, id, secret, &offer);
	heard_size = 0;
	honest = admitted = 0;
	challenged = false;
	open_client();
	if (!(script_u8(&s) & 1)) {
		send_bytes((const uint8_t *)upgrade, sizeof(upgrade) - 1);
		must(challenged);
	}
	for (int i = 0; i < STEPS_MAX && s.left > 0; i++) {
		step(&s);
	}
	if (admitted == 0) {
		check_silence();
	}
	close_client();
	keeper_end();
	return 0;
}
