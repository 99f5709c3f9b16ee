#include "authority.h"
#include "authority_certificate.h"
#include "authority_file.h"
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

/* What the certificates are made of. */
struct issuer {
	const char *state_dir;
	const struct address_list *names, *addresses;
	int64_t now_s;
	struct key_pair ca, web;
};

static void describe(char problem[static AUTHORITY_PROBLEM_BYTES], const char *state_dir,
	const char *name, int error)
{
	if (error == -EBADMSG) {
		snprintf(problem, AUTHORITY_PROBLEM_BYTES,
			"%.300s/%s is damaged; restore it from a backup, or move it away to have a "
			"new "
			"one made",
			state_dir, name);
	} else {
		snprintf(problem, AUTHORITY_PROBLEM_BYTES, "cannot use %.300s/%s: %s", state_dir,
			name, strerror(-error));
	}
}

static int make_key(const char *state_dir, const char *name, struct key_pair *ret)
{
	struct key_pair made;
	char *pem;
	size_t size;
	int result = key_pair_generate(&made);

	if (result < 0) {
		return result;
	}
	result = key_pair_to_pem(&made, &pem, &size);
	if (result == 0) {
		result = authority_file_write(state_dir, name, pem, size);
		OPENSSL_secure_clear_free(pem, size);
	}
	if (result < 0) {
		key_pair_finish(&made);
		return result;
	}
	*ret = made;
	return 0;
}

/* Reads the key of this name, or makes it where there is none and that is allowed. */
static int load_key(const char *state_dir, const char *name, bool may_create, struct key_pair *ret)
{
	char *pem;
	size_t size;
	int result = authority_file_read(state_dir, name, &pem, &size);

	if (result == -ENOENT && may_create) {
		return make_key(state_dir, name, ret);
	}
	if (result < 0) {
		return result;
	}
	result = key_pair_from_pem(pem, size, ret);
	OPENSSL_secure_clear_free(pem, AUTHORITY_FILE_MAX_BYTES);
	return result < 0 ? -EBADMSG : 0;
}

/* NULL where there is none or it is damaged: certificates can be made again. */
static X509 *load_certificate(const char *state_dir, const char *name)
{
	X509 *x = NULL;
	BIO *bio;
	char *pem;
	size_t size;

	if (authority_file_read(state_dir, name, &pem, &size) < 0) {
		return NULL;
	}
	bio = BIO_new_mem_buf(pem, (int)size);
	if (bio != NULL) {
		x = PEM_read_bio_X509(bio, NULL, NULL, NULL);
		BIO_free(bio);
	}
	OPENSSL_secure_clear_free(pem, AUTHORITY_FILE_MAX_BYTES);
	return x;
}

/* Both certificates as one PEM text, or the one if b is NULL. The caller frees *ret. */
static int to_pem(X509 *a, X509 *b, uint8_t **ret, size_t *ret_size)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *data;
	long size;

	if (bio == NULL || PEM_write_bio_X509(bio, a) != 1 ||
		(b != NULL && PEM_write_bio_X509(bio, b) != 1)) {
		BIO_free(bio);
		return -ENOMEM;
	}
	size = BIO_get_mem_data(bio, &data);
	*ret = size > 0 ? OPENSSL_memdup(data, (size_t)size) : NULL;
	*ret_size = (size_t)size;
	BIO_free(bio);
	return *ret == NULL ? -ENOMEM : 0;
}

static int save_certificate(const char *state_dir, const char *name, X509 *x)
{
	uint8_t *pem;
	size_t size;
	int result = to_pem(x, NULL, &pem, &size);

	if (result == 0) {
		result = authority_file_write(state_dir, name, pem, size);
		OPENSSL_free(pem);
	}
	return result;
}

/* A new leaf, under the CA that is there if it may sign it, otherwise under a new one of the same
 * key. *ca (may be NULL before) and *leaf are replaced. */
static int issue(const struct issuer *i, X509 **ca, X509 **leaf)
{
	X509 *authority = *ca, *made = NULL;
	int result = 0;

	if (authority != NULL) {
		made = certificate_make_leaf(
			&i->web, &i->ca, authority, i->names, i->addresses, i->now_s);
	}
	if (made == NULL || !certificate_ca_fits(authority, &i->ca, made)) {
		X509_free(made);
		authority = certificate_make_ca(&i->ca, i->names, i->now_s);
		made = authority == NULL ? NULL
					 : certificate_make_leaf(&i->web, &i->ca, authority,
						   i->names, i->addresses, i->now_s);
		result = made == NULL ? -ENOMEM
				      : save_certificate(i->state_dir, "ca.pem", authority);
	}
	if (result == 0) {
		result = save_certificate(i->state_dir, "web.pem", made);
	}
	if (result < 0) {
		if (authority != *ca) {
			X509_free(authority);
		}
		X509_free(made);
		return result;
	}
	if (authority != *ca) {
		X509_free(*ca);
	}
	X509_free(*leaf);
	*ca = authority;
	*leaf = made;
	return 0;
}

static int hand_out(struct authority *a, X509 *ca, X509 *leaf)
{
	uint8_t *pem, *der = NULL;
	size_t pem_size;
	int der_size, result = to_pem(leaf, ca, &pem, &pem_size);

	if (result < 0) {
		return result;
	}
	der_size = i2d_X509(ca, &der);
	if (der_size < 0) {
		OPENSSL_free(pem);
		return -ENOMEM;
	}
	OPENSSL_free(a->certificate_pem);
	OPENSSL_free(a->ca_der);
	a->certificate_pem = pem;
	a->certificate_pem_size = pem_size;
	a->ca_der = der;
	a->ca_der_size = (size_t)der_size;
	return 0;
}

/* 1 if a certificate was made, 0 if the one there will do, or -errno. */
static int ensure_certificate(struct authority *a, const struct issuer *i)
{
	X509 *ca = load_certificate(i->state_dir, "ca.pem");
	X509 *leaf = load_certificate(i->state_dir, "web.pem");
	bool fits = ca != NULL && leaf != NULL && certificate_ca_fits(ca, &i->ca, leaf) &&
		    certificate_leaf_fits(leaf, &i->web, &i->ca, i->names, i->addresses, i->now_s);
	int result = fits ? 0 : issue(i, &ca, &leaf);

	if (result == 0 && (!fits || a->certificate_pem == NULL)) {
		result = hand_out(a, ca, leaf);
	}
	X509_free(ca);
	X509_free(leaf);
	return result < 0 ? result : !fits;
}

static int load_issuer(struct issuer *i, char problem[static AUTHORITY_PROBLEM_BYTES])
{
	int result = load_key(i->state_dir, "ca-key.pem", true, &i->ca);

	if (result < 0) {
		describe(problem, i->state_dir, "ca-key.pem", result);
		return result;
	}
	result = load_key(i->state_dir, "web-key.pem", true, &i->web);
	if (result < 0) {
		describe(problem, i->state_dir, "web-key.pem", result);
		key_pair_finish(&i->ca);
	}
	return result;
}

static int load_identity(struct authority *a, const char *state_dir, bool may_create,
	char problem[static AUTHORITY_PROBLEM_BYTES])
{
	int result = load_key(state_dir, "identity.pem", may_create, &a->hub);

	if (result == -ENOENT) {
		snprintf(problem, AUTHORITY_PROBLEM_BYTES,
			"%.300s/identity.pem is missing, and the paired displays trust no other; "
			"restore "
			"it from a backup, or move camgate.db away to start anew",
			state_dir);
	} else if (result < 0) {
		describe(problem, state_dir, "identity.pem", result);
	} else {
		hub_fingerprint_of(a->hub.public, a->fingerprint);
	}
	return result;
}

int authority_init(struct authority *a, const char *state_dir, const struct address_list *names,
	const struct address_list *addresses, int64_t now_s, bool may_create,
	char problem[static AUTHORITY_PROBLEM_BYTES])
{
	struct issuer i = {
		.state_dir = state_dir, .names = names, .addresses = addresses, .now_s = now_s};
	int result;

	*a = (struct authority){0};
	result = load_identity(a, state_dir, may_create, problem);
	if (result < 0) {
		return result;
	}
	result = load_issuer(&i, problem);
	if (result < 0) {
		goto fail;
	}
	result = ensure_certificate(a, &i);
	if (result >= 0) {
		result = key_pair_to_pem(&i.web, &a->key_pem, &a->key_pem_size);
	}
	key_pair_finish(&i.ca);
	key_pair_finish(&i.web);
	if (result < 0) {
		describe(problem, state_dir, "web.pem", result);
		goto fail;
	}
	return 0;
fail:
	authority_finish(a);
	return result;
}

int authority_renew(struct authority *a, const char *state_dir, const struct address_list *names,
	const struct address_list *addresses, int64_t now_s)
{
	char problem[AUTHORITY_PROBLEM_BYTES];
	struct issuer i = {
		.state_dir = state_dir, .names = names, .addresses = addresses, .now_s = now_s};
	int result = load_issuer(&i, problem);

	if (result < 0) {
		return result;
	}
	result = ensure_certificate(a, &i);
	key_pair_finish(&i.ca);
	key_pair_finish(&i.web);
	return result;
}

void authority_finish(struct authority *a)
{
	key_pair_finish(&a->hub);
	OPENSSL_free(a->certificate_pem);
	OPENSSL_secure_clear_free(a->key_pem, a->key_pem_size);
	OPENSSL_free(a->ca_der);
	*a = (struct authority){0};
}
