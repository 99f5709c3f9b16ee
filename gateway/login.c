#include "login.h"
#include "keys.h"
#include <errno.h>
#include <string.h>

int login_init(struct login *l, const uint8_t session[static SESSION_ID_BYTES],
	const uint8_t nonce[static NONCE_BYTES], const uint8_t hub_public[static POINT_BYTES])
{
	struct wire_challenge c = {.version_min = WIRE_VERSION, .version_max = WIRE_VERSION};
	ssize_t size;

	memset(l, 0, sizeof(*l));
	memcpy(l->session, session, sizeof(l->session));
	memcpy(c.session, session, sizeof(c.session));
	memcpy(c.nonce, nonce, sizeof(c.nonce));
	memcpy(c.hub_public, hub_public, sizeof(c.hub_public));
	size = wire_encode_challenge(&c, l->challenge, sizeof(l->challenge));
	return size == WIRE_CHALLENGE_BYTES ? 0 : -EINVAL;
}

enum refusal login_verify(struct login *l, const char *origin, const uint8_t *data, size_t size,
	struct store *store, struct store_display *ret_display,
	uint8_t transcript[static DIGEST_BYTES])
{
	struct wire_login m;
	struct store_display d;
	int result;

	if (l->answered) {
		return REFUSED_OUT_OF_ORDER;
	}
	l->answered = true;
	if (wire_parse_login(data, size, &m) < 0) {
		return REFUSED_MALFORMED;
	}
	if (m.version != WIRE_VERSION) {
		return REFUSED_VERSION;
	}
	result = store_display_get(store, m.display, &d);
	if (result < 0) {
		return result == -ENOENT ? REFUSED_UNKNOWN_DISPLAY : REFUSED_STORE;
	}
	transcript_of(m.version, l->challenge, origin, m.display, m.nonce, transcript);
	if (key_verify(d.sign_public, "camgate login v1", transcript, DIGEST_BYTES, m.signature) <
		0) {
		return REFUSED_SIGNATURE;
	}
	*ret_display = d;
	return REFUSED_NOT;
}

static enum refusal refusal_of(enum pairing_result result)
{
	switch (result) {
	case PAIRING_ACCEPTED:
		return REFUSED_NOT;
	case PAIRING_UNKNOWN:
		return REFUSED_LINK_UNKNOWN;
	case PAIRING_EXPIRED:
		return REFUSED_LINK_EXPIRED;
	case PAIRING_SPENT:
		return REFUSED_LINK_SPENT;
	case PAIRING_WRONG_PROOF:
		break;
	}
	return REFUSED_PROOF;
}

static int verify_pair_signature(
	const struct wire_pair *m, const uint8_t transcript[static DIGEST_BYTES])
{
	uint8_t covered[WIRE_PAIR_SIGNED_MAX_BYTES];
	size_t size = wire_pair_signed(m, transcript, covered);

	return key_verify(m->sign_public, "camgate pair v1", covered, size, m->signature);
}

/* The keys are stored and used for years: a point that is not on the curve never gets that far. */
static bool point_ok(const uint8_t point[static POINT_BYTES])
{
	EVP_PKEY *pkey = NULL;

	if (point_to_pkey(point, &pkey) < 0) {
		return false;
	}
	EVP_PKEY_free(pkey);
	return true;
}

enum refusal login_verify_pair(struct login *l, const char *origin, const uint8_t *data,
	size_t size, struct store *store, struct pairing *pairing, uint64_t now_us,
	struct store_display *ret_display, struct pairing_offer *ret_offer,
	uint8_t transcript[static DIGEST_BYTES])
{
	struct wire_pair m;
	struct store_display d = {0}, known;
	struct pairing_offer offer;
	enum refusal refusal;
	int result;

	if (l->answered) {
		return REFUSED_OUT_OF_ORDER;
	}
	l->answered = true;
	if (wire_parse_pair(data, size, &m) < 0) {
		return REFUSED_MALFORMED;
	}
	if (m.version != WIRE_VERSION) {
		return REFUSED_VERSION;
	}
	display_id_of(m.sign_public, m.kem_public, d.id);
	transcript_of(m.version, l->challenge, origin, d.id, m.nonce, transcript);
	/* The proof comes first: without it nobody learns by trying whether a display is known. */
	refusal =
		refusal_of(pairing_spend(pairing, now_us, m.link_id, transcript, m.proof, &offer));
	if (refusal != REFUSED_NOT) {
		return refusal;
	}
	if (!point_ok(m.sign_public) || !point_ok(m.kem_public) ||
		verify_pair_signature(&m, transcript) < 0) {
		return REFUSED_SIGNATURE;
	}
	if (!wire_name_ok(m.name)) {
		return REFUSED_NAME;
	}
	result = store_display_get(store, d.id, &known);
	if (result != -ENOENT) {
		return result == 0 ? REFUSED_PAIRED_ALREADY : REFUSED_STORE;
	}
	memcpy(d.sign_public, m.sign_public, sizeof(d.sign_public));
	memcpy(d.kem_public, m.kem_public, sizeof(d.kem_public));
	memcpy(d.name, offer.name[0] != 0 ? offer.name : m.name, sizeof(d.name));
	d.owner = offer.owner;
	d.kind = offer.kind;
	*ret_display = d;
	*ret_offer = offer;
	return REFUSED_NOT;
}

const char *refusal_text(enum refusal refusal)
{
	static const char *const texts[REFUSAL_COUNT] = {
		[REFUSED_NOT] = "none",
		[REFUSED_MALFORMED] = "malformed message",
		[REFUSED_OUT_OF_ORDER] = "message out of order",
		[REFUSED_VERSION] = "unknown protocol version",
		[REFUSED_UNKNOWN_DISPLAY] = "unknown display",
		[REFUSED_SIGNATURE] = "wrong signature",
		[REFUSED_LINK_UNKNOWN] = "unknown link",
		[REFUSED_LINK_SPENT] = "link already used",
		[REFUSED_LINK_EXPIRED] = "link expired",
		[REFUSED_PROOF] = "wrong link secret",
		[REFUSED_PAIRED_ALREADY] = "display is paired already",
		[REFUSED_NAME] = "bad name",
		[REFUSED_STORE] = "store failed",
		[REFUSED_MIX_UPS] = "repeated mix-up reports",
		[REFUSED_NOT_OWNER] = "not an owner",
		[REFUSED_SUSPENDED] = "suspended",
		[REFUSED_BUSY] = "busy",
	};

	return (size_t)refusal < REFUSAL_COUNT ? texts[refusal] : "unknown";
}
