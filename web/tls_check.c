#include "tls.h"
#include "gateway/log.h"

#include <errno.h>
#include <openssl/err.h>

enum { TURNS_MAX = 8 };

static void note_alert(const SSL *ssl, int where, int alert)
{
	struct tls *t = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	if (t && where == SSL_CB_WRITE_ALERT && (alert & 0xff) == SSL_AD_INTERNAL_ERROR) {
		t->suspected = true;
	}
}

void tls_watch(struct tls *t)
{
	(void)SSL_CTX_set_app_data(t->context, t);
	SSL_CTX_set_info_callback(t->context, note_alert);
	t->suspected = true;
}

/* Between two ends in this process: whatever a peer does, it has no part in this. */
static bool shakes_hands(SSL *here, SSL *there)
{
	BIO *a = NULL, *b = NULL;

	if (!here || !there || BIO_new_bio_pair(&a, 0, &b, 0) != 1) {
		return false;
	}
	SSL_set_bio(here, a, a);
	SSL_set_bio(there, b, b);
	SSL_set_accept_state(here);
	SSL_set_connect_state(there);
	for (int i = 0; i < TURNS_MAX; i++) {
		(void)SSL_do_handshake(there);
		(void)SSL_do_handshake(here);
		if (SSL_is_init_finished(here) && SSL_is_init_finished(there)) {
			return true;
		}
	}
	return false;
}

int tls_check(struct tls *t)
{
	SSL_CTX *client;
	SSL *here, *there;
	bool works;

	if (!t->suspected || !t->context) {
		return 0;
	}
	client = SSL_CTX_new(TLS_client_method());
	here = SSL_new(t->context);
	there = client ? SSL_new(client) : NULL;
	works = shakes_hands(here, there);
	SSL_free(here);
	SSL_free(there);
	SSL_CTX_free(client);
	ERR_clear_error();
	t->suspected = !works;
	if (!works) {
		log_error("TLS does not work any more in this process, perhaps because there was "
			  "no memory once; ending it, so that another one starts");
		return -EIO;
	}
	return 0;
}
