/*
 * The two certificates of the hub (RFC 5280): pure functions over keys, names and time. X509
 * objects belong to the caller. NULL: no memory, or a name that cannot be.
 */
#ifndef CAMGATE_AUTHORITY_CERTIFICATE_H
#define CAMGATE_AUTHORITY_CERTIFICATE_H

#include "authority.h"
#include <openssl/x509.h>

/* Self-signed, path length 0, with critical name constraints: these host names and all private
 * addresses (RFC 5280, section 4.2.1.10). */
X509 *certificate_make_ca(
	const struct key_pair *ca, const struct address_list *names, int64_t now_s);
/* For servers; addresses that are not private are left out, for the CA may not sign them. */
X509 *certificate_make_leaf(const struct key_pair *leaf, const struct key_pair *ca,
	const X509 *ca_certificate, const struct address_list *names,
	const struct address_list *addresses, int64_t now_s);
/* True if ca_certificate is of this key and may sign a leaf for these names. */
bool certificate_ca_fits(X509 *ca_certificate, const struct key_pair *ca, X509 *leaf);
/* True if the leaf is of these keys, names everything, and need not be renewed at now_s. */
bool certificate_leaf_fits(X509 *leaf, const struct key_pair *key, const struct key_pair *ca,
	const struct address_list *names, const struct address_list *addresses, int64_t now_s);
/* True for numeric addresses of networks that nobody else can be reached at. */
bool certificate_address_private(const char *address);

#endif
