/*
 * The hub's half of pairing and login (web/PROTOCOL.md, "Pairing and login"): the challenge of one
 * connection, and whether an answer to it is good. Also the reasons of refusal, which the journal
 * and `status` tell and the network never hears.
 *
 * Pure over the caller's random bytes. A challenge is good for one answer, right or wrong. Belongs
 * to one thread.
 */
#ifndef CAMGATE_LOGIN_H
#define CAMGATE_LOGIN_H

#include "pairing.h"
#include "store.h"

enum refusal {
	REFUSED_NOT = 0,
	REFUSED_MALFORMED, /* not one of our messages, or of a wrong length */
	REFUSED_OUT_OF_ORDER, /* a right message at the wrong time */
	REFUSED_VERSION, /* a protocol version that was not offered */
	REFUSED_UNKNOWN_DISPLAY, /* never paired, or removed */
	REFUSED_SIGNATURE, /* wrong signature, session or counter */
	REFUSED_LINK_UNKNOWN,
	REFUSED_LINK_SPENT,
	REFUSED_LINK_EXPIRED,
	REFUSED_PROOF,
	REFUSED_PAIRED_ALREADY,
	REFUSED_NAME,
	REFUSED_STORE, /* the pairing could not be put on disk */
	REFUSED_MIX_UPS, /* reported twice within a minute */
	REFUSED_NOT_OWNER, /* asked for what only an owner may */
	REFUSED_SUSPENDED, /* the display, or all of its kind */
	REFUSED_BUSY,
	REFUSAL_COUNT,
};

struct login {
	uint8_t challenge[WIRE_CHALLENGE_BYTES]; /* as sent */
	uint8_t session[SESSION_ID_BYTES];
	bool answered;
};

/* session and nonce are fresh random bytes. 0 or -errno. */
int login_init(struct login *l, const uint8_t session[static SESSION_ID_BYTES],
	const uint8_t nonce[static NONCE_BYTES], const uint8_t hub_public[static POINT_BYTES]);

/* Takes the challenge's one answer. data: a LOGIN, whole. On REFUSED_NOT *ret_display is the
 * display as the store knows it and transcript is T. */
__attribute__((warn_unused_result)) enum refusal login_verify(struct login *l, const char *origin,
	const uint8_t *data, size_t size, struct store *store, struct store_display *ret_display,
	uint8_t transcript[static DIGEST_BYTES]);
/* The same for a PAIR: spends the link. On REFUSED_NOT *ret_display holds keys, id, name and owner
 * flag of a display that is not in the store yet, and *ret_offer what it is to be granted. */
__attribute__((warn_unused_result)) enum refusal login_verify_pair(struct login *l,
	const char *origin, const uint8_t *data, size_t size, struct store *store,
	struct pairing *pairing, uint64_t now_us, struct store_display *ret_display,
	struct pairing_offer *ret_offer, uint8_t transcript[static DIGEST_BYTES]);

/* "wrong signature": for the journal. */
const char *refusal_text(enum refusal refusal);

#endif
