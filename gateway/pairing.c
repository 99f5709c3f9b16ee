#include "pairing.h"
#include "keys.h"
#include <string.h>

static const char proof_label[] = "camgate pair v1";

void pairing_init(struct pairing *p)
{
	memset(p, 0, sizeof(*p));
}

void pairing_finish(struct pairing *p)
{
	explicit_bzero(p, sizeof(*p));
}

static struct pairing_link *find(struct pairing *p, const uint8_t id[static LINK_ID_BYTES])
{
	for (size_t i = 0; i < PAIRING_LINKS_MAX; i++) {
		struct pairing_link *l = &p->links[i];

		if (l->state != PAIRING_FREE && memcmp(l->id, id, LINK_ID_BYTES) == 0) {
			return l;
		}
	}
	return NULL;
}

static void close_link(struct pairing_link *l, enum pairing_state state)
{
	explicit_bzero(l->secret, sizeof(l->secret));
	l->state = state;
}

/* A free place, otherwise the oldest of the spent and expired ones, otherwise the oldest. */
static struct pairing_link *make_room(struct pairing *p, uint64_t now_us)
{
	struct pairing_link *best = NULL;
	bool best_over = false;

	for (size_t i = 0; i < PAIRING_LINKS_MAX; i++) {
		struct pairing_link *l = &p->links[i];
		bool over = l->state != PAIRING_OPEN || now_us >= l->expires_us;

		if (l->state == PAIRING_FREE) {
			return l;
		}
		if (best == NULL || (over && !best_over) ||
			(over == best_over && l->made < best->made)) {
			best = l;
			best_over = over;
		}
	}
	return best;
}

void pairing_add(struct pairing *p, uint64_t now_us, unsigned int lifetime_s,
	const uint8_t id[static LINK_ID_BYTES], const uint8_t secret[static LINK_SECRET_BYTES],
	const struct pairing_offer *offer)
{
	struct pairing_link *l = make_room(p, now_us);

	explicit_bzero(l, sizeof(*l));
	l->state = PAIRING_OPEN;
	l->made = ++p->made;
	l->expires_us = now_us + (uint64_t)lifetime_s * 1000000;
	l->offer = *offer;
	memcpy(l->id, id, LINK_ID_BYTES);
	memcpy(l->secret, secret, LINK_SECRET_BYTES);
}

enum pairing_result pairing_spend(struct pairing *p, uint64_t now_us,
	const uint8_t id[static LINK_ID_BYTES], const uint8_t transcript[static DIGEST_BYTES],
	const uint8_t proof[static DIGEST_BYTES], struct pairing_offer *ret_offer)
{
	struct digest_part parts[] = {
		{proof_label, sizeof(proof_label) - 1}, {transcript, DIGEST_BYTES}};
	struct pairing_link *l = find(p, id);
	uint8_t expected[DIGEST_BYTES];
	bool right;

	if (l == NULL) {
		return PAIRING_UNKNOWN;
	}
	if (l->state == PAIRING_OPEN && now_us >= l->expires_us) {
		close_link(l, PAIRING_LAPSED);
	}
	if (l->state != PAIRING_OPEN) {
		return l->state == PAIRING_LAPSED ? PAIRING_EXPIRED : PAIRING_SPENT;
	}
	right = hmac_sha256(l->secret, sizeof(l->secret), parts, 2, expected) == 0 &&
		bytes_equal(expected, proof, sizeof(expected));
	explicit_bzero(expected, sizeof(expected));
	if (!right) {
		if (++l->wrong_proofs >= PAIRING_PROOFS_MAX) {
			close_link(l, PAIRING_GUESSED);
		}
		return PAIRING_WRONG_PROOF;
	}
	close_link(l, PAIRING_USED);
	*ret_offer = l->offer;
	return PAIRING_ACCEPTED;
}
