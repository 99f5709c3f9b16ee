/*
 * One-time links: who may pair, kept in memory only, so that none outlives the keeper.
 *
 * Pure over the caller's time and random bytes. A link is good for one PAIR: the first right proof
 * spends it, five wrong ones do too, and so does time. Spent links stay, without their secret,
 * until newer ones need the room, so that the journal can say why a link was refused. Belongs to
 * one thread.
 */
#ifndef CAMGATE_PAIRING_H
#define CAMGATE_PAIRING_H

#include "wire.h"

enum {
	PAIRING_LINKS_MAX = 32,
	PAIRING_CAMERAS_MAX = 32,
	PAIRING_PROOFS_MAX = 5,
	PAIRING_LIFETIME_S = 15 * 60,
	PAIRING_LIFETIME_MAX_S = 24 * 60 * 60,
};

/* What the display gets that spends the link. */
struct pairing_offer {
	char name[NAME_MAX_BYTES + 1]; /* empty: whatever the display likes to be called */
	bool owner;
	uint8_t kind; /* enum display_kind */
	unsigned int cameras_count;
	uint8_t cameras[PAIRING_CAMERAS_MAX][CAMERA_ID_BYTES];
};

enum pairing_state {
	PAIRING_FREE = 0,
	PAIRING_OPEN,
	PAIRING_USED,
	PAIRING_GUESSED,
	PAIRING_LAPSED
};

struct pairing_link {
	enum pairing_state state;
	uint64_t made, expires_us;
	unsigned int wrong_proofs;
	uint8_t id[LINK_ID_BYTES];
	uint8_t secret[LINK_SECRET_BYTES];
	struct pairing_offer offer;
};

struct pairing {
	uint64_t made; /* links so far: tells the oldest */
	struct pairing_link links[PAIRING_LINKS_MAX];
};

enum pairing_result {
	PAIRING_ACCEPTED = 0,
	PAIRING_UNKNOWN,
	PAIRING_EXPIRED,
	PAIRING_SPENT,
	PAIRING_WRONG_PROOF,
};

void pairing_init(struct pairing *p);
/* Wipes all secrets. */
void pairing_finish(struct pairing *p);
/* Opens a link with this id and secret. When all places are taken the oldest spent link makes room,
 * otherwise the oldest one. */
void pairing_add(struct pairing *p, uint64_t now_us, unsigned int lifetime_s,
	const uint8_t id[static LINK_ID_BYTES], const uint8_t secret[static LINK_SECRET_BYTES],
	const struct pairing_offer *offer);
/* Checks a proof, HMAC-SHA256(secret, "camgate pair v1" ‖ transcript). *ret_offer is written only
 * when the answer is PAIRING_ACCEPTED; the link is spent then, whatever becomes of the connection.
 */
__attribute__((warn_unused_result)) enum pairing_result pairing_spend(struct pairing *p,
	uint64_t now_us, const uint8_t id[static LINK_ID_BYTES],
	const uint8_t transcript[static DIGEST_BYTES], const uint8_t proof[static DIGEST_BYTES],
	struct pairing_offer *ret_offer);

#endif
