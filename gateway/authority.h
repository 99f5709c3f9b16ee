/*
 * The hub's keys and certificates, as files in the state directory:
 *
 *   identity.pem   the hub identity key, which displays pin at pairing
 *   ca-key.pem     signs web.pem and nothing else; it never leaves the keeper
 *   ca.pem         what a user may install; constrained to this hub's names and private addresses
 *   web-key.pem    the web role's TLS key, the only one it is given
 *   web.pem        its certificate: the accepted names and the private addresses of this machine
 *
 * Made at first start, written whole or not at all, mode 0600. A damaged file is refused, never
 * replaced: a new identity would lock out every paired display. The certificate is renewed with the
 * same key when it ends within 30 days or lacks a name; while the machine has no clock (any time
 * before AUTHORITY_CLOCK_FLOOR_S) it is left alone. Belongs to the keeper's thread.
 */
#ifndef CAMGATE_AUTHORITY_H
#define CAMGATE_AUTHORITY_H

#include "address.h"
#include "keys.h"

enum {
	AUTHORITY_PROBLEM_BYTES = 512,
	AUTHORITY_LEAF_DAYS = 397,
	AUTHORITY_BACKDATED_DAYS = 14,
	AUTHORITY_RENEW_DAYS = 30,
};
/* 2025-06-01: before this, the clock was never set. */
#define AUTHORITY_CLOCK_FLOOR_S INT64_C(1748736000)

struct authority {
	struct key_pair hub;
	uint8_t fingerprint[FINGERPRINT_BYTES];
	/* For the web role. */
	uint8_t *certificate_pem; /* leaf, then CA */
	size_t certificate_pem_size;
	char *key_pem; /* in the secure heap */
	size_t key_pem_size;
	uint8_t *ca_der;
	size_t ca_der_size;
};

/* names and addresses: as of address.h. now_s: wall clock. may_create: false when displays are
 * paired, so that a lost identity.pem is an error. On failure problem holds a sentence: which file,
 * what to do. 0 or -errno. */
int authority_init(struct authority *a, const char *state_dir, const struct address_list *names,
	const struct address_list *addresses, int64_t now_s, bool may_create,
	char problem[static AUTHORITY_PROBLEM_BYTES]);
/* Renews the certificate if it is time. 1 if it did, 0 if not, -errno with the old one kept. */
int authority_renew(struct authority *a, const char *state_dir, const struct address_list *names,
	const struct address_list *addresses, int64_t now_s);
void authority_finish(struct authority *a);

#endif
