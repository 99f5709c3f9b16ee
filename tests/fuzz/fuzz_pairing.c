/*
 * Links: opened, guessed at, spent and outlived in any order. A link answers one right proof, none
 * after five wrong ones, and none when its time is over.
 */
#include "keys.h"
#include "pairing.h"
#include "script.h"

#include <stdio.h>

enum { LINKS = 48, STEPS_MAX = 200 };

/* What the harness knows of each link itself. */
static struct {
	bool made, spent;
	unsigned int wrong;
	uint64_t expires_us;
} links[LINKS];

static void link_secret(
	unsigned int n, uint8_t id[static LINK_ID_BYTES], uint8_t secret[static LINK_SECRET_BYTES])
{
	memset(id, (int)n + 1, LINK_ID_BYTES);
	memset(secret, (int)n + 101, LINK_SECRET_BYTES);
}

static void add(struct pairing *p, uint64_t now_us, unsigned int n, unsigned int lifetime_s)
{
	struct pairing_offer offer = {.owner = n & 1, .cameras_count = n % 3};
	uint8_t id[LINK_ID_BYTES], secret[LINK_SECRET_BYTES];

	if (links[n].made) {
		return; /* ids are random: none comes twice */
	}
	snprintf(offer.name, sizeof(offer.name), "link %u", n);
	link_secret(n, id, secret);
	pairing_add(p, now_us, lifetime_s, id, secret, &offer);
	links[n].made = true;
	links[n].expires_us = now_us + lifetime_s * UINT64_C(1000000);
}

static void spend(struct pairing *p, uint64_t now_us, unsigned int n, uint8_t spoil)
{
	static const uint8_t transcript[DIGEST_BYTES] = "transcript";
	uint8_t id[LINK_ID_BYTES], secret[LINK_SECRET_BYTES], proof[DIGEST_BYTES];
	struct pairing_offer offer = {.cameras_count = 99};
	char name[16];

	link_secret(n, id, secret);
	const struct digest_part parts[] = {{"camgate pair v1", 15}, {transcript, DIGEST_BYTES}};
	if (hmac_sha256(secret, sizeof(secret), parts, 2, proof) < 0) {
		abort();
	}
	proof[spoil % DIGEST_BYTES] ^= spoil;
	enum pairing_result r = pairing_spend(p, now_us, id, transcript, proof, &offer);

	if (r != PAIRING_ACCEPTED) {
		links[n].wrong += r == PAIRING_WRONG_PROOF;
		if (offer.cameras_count != 99 || links[n].wrong > PAIRING_PROOFS_MAX) {
			abort();
		}
		return;
	}
	snprintf(name, sizeof(name), "link %u", n);
	if (spoil != 0 || !links[n].made || links[n].spent || now_us > links[n].expires_us ||
		links[n].wrong >= PAIRING_PROOFS_MAX || strcmp(offer.name, name) != 0 ||
		offer.owner != (n & 1) || offer.cameras_count != n % 3) {
		abort();
	}
	links[n].spent = true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct script s = {data, size};
	struct pairing p;
	uint64_t now_us = 1000000;

	pairing_init(&p);
	memset(links, 0, sizeof(links));
	for (int i = 0; i < STEPS_MAX && s.left > 0; i++) {
		uint8_t what = script_u8(&s);
		unsigned int n = script_u8(&s) % LINKS;

		switch (what % 4) {
		case 0:
			add(&p, now_us, n, 1 + what);
			break;
		case 1:
			now_us += (uint64_t)n * n * 100000;
			break;
		case 2:
			spend(&p, now_us, n, script_u8(&s));
			break;
		default:
			spend(&p, now_us, n, 0);
			break;
		}
	}
	pairing_finish(&p);
	return 0;
}
