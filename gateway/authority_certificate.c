#include "authority_certificate.h"
#include <arpa/inet.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

enum { DAY_S = 24 * 60 * 60, CA_DAYS = 25 * 365, SERIAL_BYTES = 16 };

/* Networks that are private, on this link or this machine (RFC 1918, 3927, 4193, 4291). */
static const struct network {
	int family;
	unsigned int bits;
	uint8_t address[16];
} private_networks[] = {
	{AF_INET, 8, {10}},
	{AF_INET, 12, {172, 16}},
	{AF_INET, 16, {192, 168}},
	{AF_INET, 16, {169, 254}},
	{AF_INET, 8, {127}},
	{AF_INET6, 7, {0xfc}},
	{AF_INET6, 10, {0xfe, 0x80}},
	{AF_INET6, 128, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}},
};

static size_t family_bytes(int family)
{
	return family == AF_INET ? 4 : 16;
}

static bool in_network(const struct network *n, const uint8_t *address)
{
	for (unsigned int bit = 0; bit < n->bits; bit++) {
		if (((n->address[bit / 8] ^ address[bit / 8]) >> (7 - bit % 8)) & 1) {
			return false;
		}
	}
	return true;
}

bool certificate_address_private(const char *address)
{
	uint8_t bytes[16];
	int family = strchr(address, ':') != NULL ? AF_INET6 : AF_INET;

	if (inet_pton(family, address, bytes) != 1) {
		return false;
	}
	for (size_t i = 0; i < sizeof(private_networks) / sizeof(private_networks[0]); i++) {
		if (private_networks[i].family == family &&
			in_network(&private_networks[i], bytes)) {
			return true;
		}
	}
	return false;
}

static bool is_address(const char *text)
{
	uint8_t bytes[16];

	return inet_pton(strchr(text, ':') != NULL ? AF_INET6 : AF_INET, text, bytes) == 1;
}

static GENERAL_NAME *name_create(int type, const void *data, size_t size)
{
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_STRING *value = type == GEN_DNS ? (ASN1_STRING *)ASN1_IA5STRING_new()
					     : (ASN1_STRING *)ASN1_OCTET_STRING_new();

	if (name == NULL || value == NULL || ASN1_STRING_set(value, data, (int)size) != 1) {
		ASN1_STRING_free(value);
		GENERAL_NAME_free(name);
		return NULL;
	}
	GENERAL_NAME_set0_value(name, type, value);
	return name;
}

static GENERAL_NAME *name_of(const char *text)
{
	uint8_t bytes[16];
	int family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;

	if (inet_pton(family, text, bytes) == 1) {
		return name_create(GEN_IPADD, bytes, family_bytes(family));
	}
	return name_create(GEN_DNS, text, strlen(text));
}

/* A subtree owns its name from here on, whatever the outcome. */
static int add_subtree(NAME_CONSTRAINTS *constraints, GENERAL_NAME *name)
{
	GENERAL_SUBTREE *subtree = GENERAL_SUBTREE_new();

	if (name == NULL || subtree == NULL) {
		GENERAL_NAME_free(name);
		GENERAL_SUBTREE_free(subtree);
		return 0;
	}
	GENERAL_NAME_free(subtree->base);
	subtree->base = name;
	if (constraints->permittedSubtrees == NULL) {
		constraints->permittedSubtrees = sk_GENERAL_SUBTREE_new_null();
	}
	if (constraints->permittedSubtrees == NULL ||
		sk_GENERAL_SUBTREE_push(constraints->permittedSubtrees, subtree) == 0) {
		GENERAL_SUBTREE_free(subtree);
		return 0;
	}
	return 1;
}

/* Address and mask, one after the other (RFC 5280, section 4.2.1.10). */
static GENERAL_NAME *network_name(const struct network *n)
{
	uint8_t bytes[32] = {0};
	size_t size = family_bytes(n->family);

	memcpy(bytes, n->address, size);
	for (unsigned int bit = 0; bit < n->bits; bit++) {
		bytes[size + bit / 8] |= (uint8_t)(0x80 >> (bit % 8));
	}
	return name_create(GEN_IPADD, bytes, 2 * size);
}

static int add_constraints(X509 *x, const struct address_list *names)
{
	NAME_CONSTRAINTS *constraints = NAME_CONSTRAINTS_new();
	int ok = constraints != NULL;

	for (unsigned int i = 0; ok && i < names->count; i++) {
		if (!is_address(names->text[i])) {
			ok = add_subtree(constraints, name_of(names->text[i]));
		}
	}
	for (size_t i = 0; ok && i < sizeof(private_networks) / sizeof(private_networks[0]); i++) {
		ok = add_subtree(constraints, network_name(&private_networks[i]));
	}
	ok = ok && X509_add1_ext_i2d(x, NID_name_constraints, constraints, 1, 0) == 1;
	NAME_CONSTRAINTS_free(constraints);
	return ok;
}

static int add_name(GENERAL_NAMES *list, const char *text)
{
	GENERAL_NAME *name = name_of(text);

	if (name == NULL || sk_GENERAL_NAME_push(list, name) == 0) {
		GENERAL_NAME_free(name);
		return 0;
	}
	return 1;
}

static int add_alternative_names(
	X509 *x, const struct address_list *names, const struct address_list *addresses)
{
	GENERAL_NAMES *list = GENERAL_NAMES_new();
	int ok = list != NULL;

	for (unsigned int i = 0; ok && i < names->count; i++) {
		if (!is_address(names->text[i]) || certificate_address_private(names->text[i])) {
			ok = add_name(list, names->text[i]);
		}
	}
	for (unsigned int i = 0; ok && i < addresses->count; i++) {
		if (certificate_address_private(addresses->text[i])) {
			ok = add_name(list, addresses->text[i]);
		}
	}
	ok = ok && X509_add1_ext_i2d(x, NID_subject_alt_name, list, 0, 0) == 1;
	GENERAL_NAMES_free(list);
	return ok;
}

/* Extensions whose text is ours alone. */
static int add_extension(X509 *x, const X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;
	X509_EXTENSION *extension;
	int ok;

	X509V3_set_ctx(&context, (X509 *)issuer, x, NULL, NULL, 0);
	X509V3_set_ctx_nodb(&context);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	ok = extension != NULL && X509_add_ext(x, extension, -1) == 1;
	X509_EXTENSION_free(extension);
	return ok;
}

static int set_serial(X509 *x)
{
	uint8_t bytes[SERIAL_BYTES];
	BIGNUM *number;
	int ok;

	random_bytes(bytes, sizeof(bytes));
	bytes[0] = (uint8_t)((bytes[0] & 0x7f) | 0x40); /* positive, and always of this length */
	number = BN_bin2bn(bytes, sizeof(bytes), NULL);
	ok = number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x)) != NULL;
	BN_free(number);
	return ok;
}

static int set_time(ASN1_TIME *time, int64_t s)
{
	return ASN1_TIME_set(time, (time_t)s) != NULL;
}

/* A name that tells the CAs of several hubs apart, and stays the same over renewals. */
static int set_ca_name(X509_NAME *name, const struct key_pair *ca)
{
	char text[64];
	uint8_t digest[DIGEST_BYTES];
	struct digest_part part = {ca->public, sizeof(ca->public)};

	if (digest_sha256(&part, 1, digest) < 0) {
		return 0;
	}
	snprintf(text, sizeof(text), "camgate hub CA %02x%02x%02x%02x", digest[0], digest[1],
		digest[2], digest[3]);
	return X509_NAME_add_entry_by_NID(
		name, NID_commonName, MBSTRING_ASC, (const unsigned char *)text, -1, -1, 0);
}

static int64_t sane_clock(int64_t now_s)
{
	return now_s < AUTHORITY_CLOCK_FLOOR_S ? AUTHORITY_CLOCK_FLOOR_S : now_s;
}

X509 *certificate_make_ca(
	const struct key_pair *ca, const struct address_list *names, int64_t now_s)
{
	X509 *x = X509_new();
	/* A clock that is wrong by years must not make the CA younger than its leaf. */
	int64_t from_s = AUTHORITY_CLOCK_FLOOR_S - 365 * (int64_t)DAY_S;
	int ok = x != NULL && X509_set_version(x, X509_VERSION_3) == 1 && set_serial(x) &&
		 set_time(X509_getm_notBefore(x), from_s) &&
		 set_time(X509_getm_notAfter(x), sane_clock(now_s) + (int64_t)CA_DAYS * DAY_S) &&
		 set_ca_name(X509_get_subject_name(x), ca) &&
		 X509_set_issuer_name(x, X509_get_subject_name(x)) == 1 &&
		 X509_set_pubkey(x, ca->pkey) == 1 &&
		 add_extension(x, x, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
		 add_extension(x, x, NID_key_usage, "critical,keyCertSign,cRLSign") &&
		 add_extension(x, x, NID_subject_key_identifier, "hash") &&
		 add_constraints(x, names) && X509_sign(x, ca->pkey, EVP_sha256()) > 0;

	if (!ok) {
		X509_free(x);
		return NULL;
	}
	return x;
}

X509 *certificate_make_leaf(const struct key_pair *leaf, const struct key_pair *ca,
	const X509 *ca_certificate, const struct address_list *names,
	const struct address_list *addresses, int64_t now_s)
{
	static const unsigned char subject[] = "camgate hub";
	X509 *x = X509_new();
	int64_t from_s = sane_clock(now_s) - (int64_t)AUTHORITY_BACKDATED_DAYS * DAY_S;
	int ok = x != NULL && X509_set_version(x, X509_VERSION_3) == 1 && set_serial(x) &&
		 set_time(X509_getm_notBefore(x), from_s) &&
		 set_time(X509_getm_notAfter(x),
			 from_s + (int64_t)AUTHORITY_LEAF_DAYS * DAY_S - 1) &&
		 X509_NAME_add_entry_by_NID(X509_get_subject_name(x), NID_commonName, MBSTRING_ASC,
			 subject, -1, -1, 0) == 1 &&
		 X509_set_issuer_name(x, X509_get_subject_name(ca_certificate)) == 1 &&
		 X509_set_pubkey(x, leaf->pkey) == 1 &&
		 add_extension(x, ca_certificate, NID_basic_constraints, "critical,CA:FALSE") &&
		 add_extension(x, ca_certificate, NID_key_usage, "critical,digitalSignature") &&
		 add_extension(x, ca_certificate, NID_ext_key_usage, "serverAuth") &&
		 add_extension(x, ca_certificate, NID_subject_key_identifier, "hash") &&
		 add_extension(x, ca_certificate, NID_authority_key_identifier, "keyid:always") &&
		 add_alternative_names(x, names, addresses) &&
		 X509_sign(x, ca->pkey, EVP_sha256()) > 0;

	if (!ok) {
		X509_free(x);
		return NULL;
	}
	return x;
}

bool certificate_ca_fits(X509 *ca_certificate, const struct key_pair *ca, X509 *leaf)
{
	NAME_CONSTRAINTS *constraints;
	bool fits;

	/* The check of a certificate's purpose reads its extensions; until then it has no names. */
	if (X509_verify(ca_certificate, ca->pkey) != 1 || X509_check_purpose(leaf, -1, 0) != 1) {
		return false;
	}
	constraints = X509_get_ext_d2i(ca_certificate, NID_name_constraints, NULL, NULL);
	fits = constraints != NULL && NAME_CONSTRAINTS_check(leaf, constraints) == X509_V_OK;
	NAME_CONSTRAINTS_free(constraints);
	return fits;
}

static bool names_it(X509 *leaf, const char *text)
{
	if (is_address(text)) {
		return !certificate_address_private(text) || X509_check_ip_asc(leaf, text, 0) == 1;
	}
	return X509_check_host(leaf, text, 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL) == 1;
}

/* Certificates are renewed by a clock that was set; without one nothing can be said. */
static bool in_time(const X509 *leaf, int64_t now_s)
{
	time_t now = (time_t)now_s;
	time_t later = (time_t)(now_s + (int64_t)AUTHORITY_RENEW_DAYS * DAY_S);

	if (now_s < AUTHORITY_CLOCK_FLOOR_S) {
		return true;
	}
	return X509_cmp_time(X509_get0_notBefore(leaf), &now) < 0 &&
	       X509_cmp_time(X509_get0_notAfter(leaf), &later) > 0;
}

bool certificate_leaf_fits(X509 *leaf, const struct key_pair *key, const struct key_pair *ca,
	const struct address_list *names, const struct address_list *addresses, int64_t now_s)
{
	EVP_PKEY *public = X509_get0_pubkey(leaf);

	if (public == NULL || EVP_PKEY_eq(public, key->pkey) != 1 ||
		X509_verify(leaf, ca->pkey) != 1 || !in_time(leaf, now_s)) {
		return false;
	}
	for (unsigned int i = 0; i < names->count; i++) {
		if (!names_it(leaf, names->text[i])) {
			return false;
		}
	}
	for (unsigned int i = 0; i < addresses->count; i++) {
		if (!names_it(leaf, addresses->text[i])) {
			return false;
		}
	}
	return true;
}
