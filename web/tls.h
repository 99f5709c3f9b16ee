/*
 * TLS as this hub speaks it: 1.3 only, no tickets, no early data, HTTP/1.1 only; ChaCha20 first
 * where the processor has no AES instructions. Certificate and key come from the keeper, from
 * memory.
 *
 * 0 or -errno. One thread.
 */
#ifndef CAMGATE_TLS_H
#define CAMGATE_TLS_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tls {
	SSL_CTX *context; /* libwebsockets', borrowed; NULL until it has made it */
	X509 *leaf;
	STACK_OF(X509) * chain; /* above the leaf */
	EVP_PKEY *key;
	bool suspected; /* not to work: a handshake ended by an error inside, or none was tried */
};

/* Reads a chain (leaf first) and its key. On failure *t is as before. -EBADMSG, -ENOMEM. */
int tls_load(struct tls *t, const uint8_t *certificate_pem, size_t certificate_size,
	const uint8_t *key_pem, size_t key_size);
/* Sets up the context that libwebsockets made, with what was loaded. */
int tls_set_up(struct tls *t, SSL_CTX *context);
/* Puts what was loaded into the context; connections that exist keep what they have. */
int tls_install(struct tls *t);
/* Notes in *t, which must stay where it is, which handshakes end by an error inside. Part of
 * tls_set_up. */
void tls_watch(struct tls *t);
/* Shakes hands with itself if there is a suspicion. OpenSSL that had no memory when it needed some
 * may fail for ever after, and no display would ever come in again. -EIO, told: it does not work.
 */
int tls_check(struct tls *t);
void tls_finish(struct tls *t);

#endif
