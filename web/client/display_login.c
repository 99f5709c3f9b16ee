#include "display_state.h"

#include <errno.h>
#include <string.h>

static int display_send_login(struct display *d, const uint8_t nonce[static NONCE_BYTES])
{
	struct wire_login login = {.version = WIRE_VERSION};
	memcpy(login.display, d->keys->id, DISPLAY_ID_BYTES);
	memcpy(login.nonce, nonce, NONCE_BYTES);
	int r = key_sign(
		&d->keys->sign, "camgate login v1", d->transcript, DIGEST_BYTES, login.signature);
	uint8_t message[WIRE_DISPLAY_MESSAGE_MAX_BYTES];
	ssize_t n = r < 0 ? r : wire_encode_login(&login, message, sizeof(message));
	if (n > 0) {
		d->send(d->sender, message, (size_t)n);
	}
	return n < 0 ? (int)n : 0;
}

static int display_send_pair(struct display *d, const uint8_t nonce[static NONCE_BYTES])
{
	static const char label[] = "camgate pair v1";
	struct wire_pair pair = {.version = WIRE_VERSION};
	memcpy(pair.link_id, d->link.id, LINK_ID_BYTES);
	memcpy(pair.sign_public, d->keys->sign.public, POINT_BYTES);
	memcpy(pair.kem_public, d->keys->kem.public, POINT_BYTES);
	memcpy(pair.nonce, nonce, NONCE_BYTES);
	memcpy(pair.name, d->name, sizeof(pair.name));
	const struct digest_part proven[] = {
		{label, sizeof(label) - 1}, {d->transcript, DIGEST_BYTES}};
	int r = hmac_sha256(d->link.secret, LINK_SECRET_BYTES, proven, 2, pair.proof);
	uint8_t to_sign[WIRE_PAIR_SIGNED_MAX_BYTES];
	size_t to_sign_size = wire_pair_signed(&pair, d->transcript, to_sign);
	if (r == 0) {
		r = key_sign(&d->keys->sign, label, to_sign, to_sign_size, pair.signature);
	}
	uint8_t message[WIRE_DISPLAY_MESSAGE_MAX_BYTES];
	ssize_t n = r < 0 ? r : wire_encode_pair(&pair, message, sizeof(message));
	if (n > 0) {
		d->send(d->sender, message, (size_t)n);
	}
	return n < 0 ? (int)n : 0;
}

int display_take_challenge(struct display *d, const uint8_t *message, size_t size)
{
	struct wire_challenge c;
	uint8_t fingerprint[FINGERPRINT_BYTES];
	if (wire_parse_challenge(message, size, &c) < 0) {
		return -EBADMSG;
	}
	hub_fingerprint_of(c.hub_public, fingerprint);
	if (memcmp(fingerprint, d->pinned, FINGERPRINT_BYTES) != 0) {
		return -EKEYREJECTED;
	}
	if (c.version_min > WIRE_VERSION || c.version_max < WIRE_VERSION) {
		return -EPROTONOSUPPORT;
	}
	memcpy(d->session, c.session, SESSION_ID_BYTES);
	memcpy(d->hub_public, c.hub_public, POINT_BYTES);
	uint8_t nonce[NONCE_BYTES];
	random_bytes(nonce, sizeof(nonce));
	transcript_of(WIRE_VERSION, message, d->origin, d->keys->id, nonce, d->transcript);
	d->phase = PHASE_WELCOME;
	return d->pairing ? display_send_pair(d, nonce) : display_send_login(d, nonce);
}

int display_take_welcome(struct display *d, const struct wire_envelope *e)
{
	struct wire_welcome w;
	if (wire_parse_welcome(e->body, e->body_size, &w) < 0 ||
		memcmp(w.transcript, d->transcript, DIGEST_BYTES) != 0 ||
		memcmp(w.display, d->keys->id, DISPLAY_ID_BYTES) != 0) {
		return -EBADMSG;
	}
	memcpy(d->home, w.home, HOME_ID_BYTES);
	d->phase = PHASE_OPEN;
	d->pairing = false;
	explicit_bzero(&d->link, sizeof(d->link));
	/* What it was granted before may be gone: the hub tells everything anew. */
	for (size_t i = 0; i < DISPLAY_CAMERAS_MAX; i++) {
		d->cameras[i].camera.state = CAMERA_OFFLINE;
	}
	if (d->callbacks.welcome != NULL) {
		d->callbacks.welcome(d->user, &w);
	}
	return 0;
}
