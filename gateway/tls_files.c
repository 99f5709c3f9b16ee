#include "tls_files.h"
#include "authority.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TIME_TEXT_BYTES = 32 };

/* What was parsed of the files. */
struct material {
	X509 *leaf;
	STACK_OF(X509) * chain;
	EVP_PKEY *key;
};

__attribute__((format(printf, 3, 4))) static int fault(
	char problem[static TLS_FILES_PROBLEM_BYTES], int error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(problem, TLS_FILES_PROBLEM_BYTES, format, arguments);
	va_end(arguments);
	ERR_clear_error();
	return error;
}

int tls_files_path(const char *configured, char ret[static PATH_MAX],
	char problem[static TLS_FILES_PROBLEM_BYTES])
{
	const char *directory = getenv("CREDENTIALS_DIRECTORY");
	int n;

	if (configured[0] == '/') {
		n = snprintf(ret, PATH_MAX, "%s", configured);
	} else if (directory == NULL || directory[0] != '/') {
		return fault(problem, -ENOENT,
			"\"%.200s\" names a systemd credential, and there is none: add "
			"LoadCredential=%.200s:FILE to camgate-keeper.service, or write a whole "
			"path",
			configured, configured);
	} else {
		n = snprintf(ret, PATH_MAX, "%s/%s", directory, configured);
	}
	if (n < 0 || n >= PATH_MAX) {
		return fault(problem, -ENAMETOOLONG, "the path \"%.200s\" is too long", configured);
	}
	return 0;
}

/* ---- reading ---- */

/* Into secure-heap memory of TLS_FILES_MAX_BYTES; links are followed, as renewal programs use
 * them. */
static int read_file(const char *path, char **ret, size_t *ret_size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char *data = fd >= 0 ? OPENSSL_secure_zalloc(TLS_FILES_MAX_BYTES) : NULL;
	size_t used = 0;
	ssize_t n;
	int r = 0;

	if (fd < 0) {
		return -errno;
	}
	if (data == NULL) {
		(void)close(fd);
		return -ENOMEM;
	}
	while ((n = read(fd, data + used, TLS_FILES_MAX_BYTES - used)) > 0) {
		used += (size_t)n;
		if (used == TLS_FILES_MAX_BYTES) {
			r = -EFBIG;
			break;
		}
	}
	r = n < 0 ? -errno : r;
	(void)close(fd);
	if (r < 0) {
		OPENSSL_secure_clear_free(data, TLS_FILES_MAX_BYTES);
		return r;
	}
	*ret = data;
	*ret_size = used;
	return 0;
}

static int cannot_read(char problem[static TLS_FILES_PROBLEM_BYTES], const char *path, int error)
{
	return fault(problem, error, "cannot read %.300s: %s%s", path, strerror(-error),
		error == -EACCES ? "; let the user of the keeper (camgate-keeper) read it" : "");
}

static int no_passphrase(char *buffer, int size, int writing, void *user)
{
	(void)buffer;
	(void)size;
	(void)writing;
	*(bool *)user = true;
	return -1;
}

static int parse_certificate(const char *pem, size_t size, struct material *m)
{
	BIO *bio = BIO_new_mem_buf(pem, (int)size);
	X509 *above;

	m->chain = sk_X509_new_null();
	m->leaf = bio != NULL && m->chain != NULL ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	while (m->leaf != NULL && (above = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
		if (sk_X509_push(m->chain, above) == 0) {
			X509_free(above);
			break;
		}
	}
	BIO_free(bio);
	ERR_clear_error(); /* the end of the text is an error to PEM_read_bio */
	return m->leaf == NULL ? -EBADMSG : 0;
}

static int parse_key(const char *pem, size_t size, struct material *m, bool *ret_protected)
{
	BIO *bio = BIO_new_mem_buf(pem, (int)size);

	*ret_protected = false;
	m->key = bio == NULL ? NULL
			     : PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, ret_protected);
	BIO_free(bio);
	ERR_clear_error();
	return m->key == NULL ? -EBADMSG : 0;
}

static void material_finish(struct material *m)
{
	X509_free(m->leaf);
	sk_X509_pop_free(m->chain, X509_free);
	EVP_PKEY_free(m->key);
}

/* ---- checking ---- */

/* As the web role will: TLS 1.3, and this library's idea of what is strong enough. */
static bool would_serve(const struct material *m)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	bool ok = context != NULL && SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1 &&
		  SSL_CTX_use_cert_and_key(context, m->leaf, m->key, m->chain, 1) == 1;

	SSL_CTX_free(context);
	ERR_clear_error();
	return ok;
}

static void time_text(const ASN1_TIME *at, char ret[static TIME_TEXT_BYTES])
{
	struct tm tm;

	ret[0] = '\0';
	if (ASN1_TIME_to_tm(at, &tm) == 1) {
		(void)strftime(ret, TIME_TEXT_BYTES, "%Y-%m-%d %H:%M UTC", &tm);
	}
}

/* What browsers will say about it. 0 or 1. */
static int check_validity(const struct material *m, const char *path, int64_t now_s,
	const char *name, char problem[static TLS_FILES_PROBLEM_BYTES])
{
	const ASN1_TIME *first = X509_get0_notBefore(m->leaf);
	const ASN1_TIME *last = X509_get0_notAfter(m->leaf);
	char text[TIME_TEXT_BYTES];
	time_t now = (time_t)now_s;

	/* A machine without a clock cannot tell. */
	if (now_s >= AUTHORITY_CLOCK_FLOOR_S && X509_cmp_time(last, &now) < 0) {
		time_text(last, text);
		return fault(
			problem, 1, "the certificate in %.300s ended on %s; renew it", path, text);
	}
	if (now_s >= AUTHORITY_CLOCK_FLOOR_S && X509_cmp_time(first, &now) > 0) {
		time_text(first, text);
		return fault(problem, 1,
			"the certificate in %.300s begins on %s; is this machine's clock right?",
			path, text);
	}
	if (name != NULL && X509_check_host(m->leaf, name, 0, 0, NULL) != 1 &&
		X509_check_ip_asc(m->leaf, name, 0) != 1) {
		return fault(problem, 1,
			"the certificate in %.300s is not for the name %.200s; have one made for "
			"it, or change name",
			path, name);
	}
	ERR_clear_error();
	return 0;
}

static int parse_both(const char *certificate, const char *certificate_pem, size_t certificate_size,
	const char *key, const char *key_pem, size_t key_size, struct material *m,
	char problem[static TLS_FILES_PROBLEM_BYTES])
{
	bool passphrase;

	if (parse_certificate(certificate_pem, certificate_size, m) < 0) {
		return fault(
			problem, -EBADMSG, "there is no PEM certificate in %.300s", certificate);
	}
	if (parse_key(key_pem, key_size, m, &passphrase) < 0) {
		return fault(problem, -EBADMSG,
			passphrase ? "the private key in %.300s has a passphrase; remove it with "
				     "`openssl pkey`"
				   : "there is no PEM private key in %.300s",
			key);
	}
	if (X509_check_private_key(m->leaf, m->key) != 1) {
		return fault(problem, -EKEYREJECTED,
			"the key in %.300s does not match the certificate in %.300s; the "
			"certificate of the hub must come first there, and be made for this key",
			key, certificate);
	}
	if (!would_serve(m)) {
		return fault(problem, -EKEYREJECTED,
			"TLS 1.3 cannot use the certificate in %.300s: of a kind that it does not "
			"know, or too weak; use ECDSA P-256, or RSA with 2048 bits or more",
			certificate);
	}
	return 0;
}

static int keep(const char *certificate_pem, size_t certificate_size, const char *key_pem,
	size_t key_size, struct tls_files *ret)
{
	struct tls_files t = {.certificate_pem_size = certificate_size, .key_pem_size = key_size};

	t.certificate_pem = OPENSSL_memdup(certificate_pem, certificate_size);
	t.key_pem = OPENSSL_secure_malloc(key_size);
	if (t.certificate_pem == NULL || t.key_pem == NULL) {
		tls_files_finish(&t);
		return -ENOMEM;
	}
	memcpy(t.key_pem, key_pem, key_size);
	*ret = t;
	return 0;
}

int tls_files_read(const char *certificate, const char *key, int64_t now_s, const char *name,
	struct tls_files *ret, char problem[static TLS_FILES_PROBLEM_BYTES])
{
	char *certificate_pem, *key_pem;
	size_t certificate_size, key_size;
	struct material m = {0};
	int verdict = 0, r = read_file(certificate, &certificate_pem, &certificate_size);

	if (r < 0) {
		return cannot_read(problem, certificate, r);
	}
	r = read_file(key, &key_pem, &key_size);
	if (r < 0) {
		OPENSSL_secure_clear_free(certificate_pem, TLS_FILES_MAX_BYTES);
		return cannot_read(problem, key, r);
	}
	r = parse_both(certificate, certificate_pem, certificate_size, key, key_pem, key_size, &m,
		problem);
	if (r == 0) {
		verdict = check_validity(&m, certificate, now_s, name, problem);
		r = keep(certificate_pem, certificate_size, key_pem, key_size, ret);
		if (r < 0) {
			(void)fault(problem, r, "no memory for the certificate");
		}
	}
	material_finish(&m);
	OPENSSL_secure_clear_free(certificate_pem, TLS_FILES_MAX_BYTES);
	OPENSSL_secure_clear_free(key_pem, TLS_FILES_MAX_BYTES);
	return r < 0 ? r : verdict;
}

void tls_files_finish(struct tls_files *t)
{
	OPENSSL_free(t->certificate_pem);
	if (t->key_pem != NULL) {
		OPENSSL_secure_clear_free(t->key_pem, t->key_pem_size);
	}
	*t = (struct tls_files){0};
}
