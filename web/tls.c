#include "tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdbool.h>
#include <sys/auxv.h>

enum { PEM_MAX_BYTES = 1 << 20 };

static bool has_aes_instructions(void)
{
#if defined(__x86_64__) || defined(__i386__)
	return __builtin_cpu_supports("aes");
#elif defined(__aarch64__)
	return (getauxval(AT_HWCAP) & (1UL << 3)) != 0; /* HWCAP_AES */
#elif defined(__arm__)
	return (getauxval(AT_HWCAP2) & (1UL << 0)) != 0; /* HWCAP2_AES */
#else
	return false;
#endif
}

static int no_passphrase(char *buffer, int size, int writing, void *user)
{
	(void)buffer;
	(void)size;
	(void)writing;
	(void)user;
	return 0;
}

static int read_chain(const uint8_t *pem, size_t size, X509 **ret_leaf, STACK_OF(X509) * *ret_chain)
{
	BIO *bio = BIO_new_mem_buf(pem, (int)size);
	STACK_OF(X509) *chain = sk_X509_new_null();
	X509 *leaf = NULL;
	X509 *above;

	if (bio && chain) {
		leaf = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
	}
	while (leaf && (above = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL))) {
		if (!sk_X509_push(chain, above)) {
			X509_free(above);
			break;
		}
	}
	ERR_clear_error(); /* the end of the text is an error to PEM_read_bio */
	BIO_free(bio);
	if (!leaf) {
		sk_X509_pop_free(chain, X509_free);
		return -EBADMSG;
	}
	*ret_leaf = leaf;
	*ret_chain = chain;
	return 0;
}

static EVP_PKEY *read_key(const uint8_t *pem, size_t size)
{
	BIO *bio = BIO_new_mem_buf(pem, (int)size);
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;

	BIO_free(bio);
	return key;
}

int tls_load(struct tls *t, const uint8_t *certificate_pem, size_t certificate_size,
	const uint8_t *key_pem, size_t key_size)
{
	struct tls new = {.context = t->context, .suspected = t->suspected};
	int r;

	if (certificate_size > PEM_MAX_BYTES || key_size > PEM_MAX_BYTES) {
		return -EBADMSG;
	}
	r = read_chain(certificate_pem, certificate_size, &new.leaf, &new.chain);
	if (r < 0) {
		return r;
	}
	new.key = read_key(key_pem, key_size);
	if (!new.key || X509_check_private_key(new.leaf, new.key) != 1) {
		ERR_clear_error();
		tls_finish(&new);
		return -EBADMSG;
	}
	tls_finish(t);
	*t = new;
	return 0;
}

int tls_install(struct tls *t)
{
	if (!t->context || !t->leaf) {
		return -ENODATA;
	}
	/* One call for all three: in between, leaf and key would not fit each other. */
	if (SSL_CTX_use_cert_and_key(t->context, t->leaf, t->key, t->chain, 1) != 1) {
		ERR_clear_error();
		return -EBADMSG;
	}
	return 0;
}

int tls_set_up(struct tls *t, SSL_CTX *context)
{
	/* Clients that prefer ChaCha20 have no AES instructions themselves. */
	const char *suites = has_aes_instructions() ? "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_"
						      "POLY1305_SHA256:TLS_AES_256_GCM_SHA384"
						    : "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_"
						      "GCM_SHA256:TLS_AES_256_GCM_SHA384";

	if (SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) != 1 ||
		SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) != 1 ||
		SSL_CTX_set_ciphersuites(context, suites) != 1 ||
		SSL_CTX_set_num_tickets(context, 0) != 1 ||
		SSL_CTX_set_max_early_data(context, 0) != 1 ||
		SSL_CTX_set_recv_max_early_data(context, 0) != 1) {
		ERR_clear_error();
		return -EIO;
	}
	(void)SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	(void)SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
						   SSL_OP_CIPHER_SERVER_PREFERENCE |
						   SSL_OP_PRIORITIZE_CHACHA);
	t->context = context;
	tls_watch(t);
	return tls_install(t);
}

void tls_finish(struct tls *t)
{
	X509_free(t->leaf);
	sk_X509_pop_free(t->chain, X509_free);
	EVP_PKEY_free(t->key);
	*t = (struct tls){.context = t->context};
}
