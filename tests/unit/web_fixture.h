/*
 * A web role in a process of its own, a keeper played by the test, and a display that speaks just
 * enough TLS and websocket. Everything on 127.0.0.1; every wait ends after WAIT_MS.
 */
#ifndef CAMGATE_WEB_FIXTURE_H
#define CAMGATE_WEB_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "gateway/clock.h"
#include "gateway/ipc.h"
#include "gateway/options.h"
#include "gateway/ring.h"
#include "web/front.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WAIT_MS = 4000, TEXT_BYTES = 8192, CLIENT_BYTES = 70000 };

struct fixture {
	char dir[64];
	pid_t web;
	int keeper; /* our end */
	uint16_t port;
	uint8_t buffer[IPC_MESSAGE_MAX_BYTES];
	struct ipc_message message; /* the last one received */
	struct ipc_refusals refused; /* all that the role told of, at any time */
	SSL_CTX *tls;
};

struct client {
	int fd;
	SSL *ssl;
	uint8_t message[CLIENT_BYTES];
	size_t size;
};

/* ---- the keeper ---- */

static inline void keeper_send(struct fixture *f, const uint8_t *data, ssize_t size)
{
	assert_true(size > 0);
	assert_int_equal(ipc_send(f->keeper, data, (size_t)size, NULL, 0), 0);
}

static inline void keeper_receive_any(struct fixture *f)
{
	struct pollfd p = {.fd = f->keeper, .events = POLLIN};

	assert_int_equal(poll(&p, 1, WAIT_MS), 1);
	assert_int_equal(ipc_receive(f->keeper, f->buffer, sizeof f->buffer, &f->message), 0);
}

/* Refusals come when the role gets to it: they are added up in f->refused. */
static inline void keeper_note_refusals(struct fixture *f)
{
	struct ipc_refusals some;

	assert_int_equal(ipc_parse_refusals(&f->message, &some), 0);
	for (size_t i = 0; i < WEB_REFUSALS; i++) {
		f->refused.counts[i] += some.counts[i];
	}
}

/* The next message that is not of the type `skip`, in f->message. */
static inline void keeper_receive(struct fixture *f, uint8_t type, uint8_t skip)
{
	do {
		keeper_receive_any(f);
		if (f->message.type == IPC_REFUSALS && type != IPC_REFUSALS) {
			keeper_note_refusals(f);
		}
	} while (f->message.type == skip ||
		 (f->message.type == IPC_REFUSALS && type != IPC_REFUSALS));
	assert_int_equal(f->message.type, type);
}

/* Until at least n refusals of this kind were told of; other tests of the same role may add some.
 */
static inline void keeper_await_refusals(struct fixture *f, enum web_refusal refusal, uint32_t n)
{
	while (f->refused.counts[refusal] < n) {
		keeper_receive(f, IPC_REFUSALS, 0);
		keeper_note_refusals(f);
	}
}

static inline void make_certificate(BIO *certificate, BIO *key)
{
	EVP_PKEY *pkey = EVP_EC_gen("P-256");
	X509 *x = X509_new();

	assert_non_null(pkey);
	X509_gmtime_adj(X509_getm_notBefore(x), -60);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
		(const unsigned char *)"localhost", -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	X509_set_pubkey(x, pkey);
	assert_true(X509_sign(x, pkey, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_bio_X509(certificate, x), 1);
	assert_int_equal(PEM_write_bio_PrivateKey(key, pkey, NULL, NULL, 0, NULL, NULL), 1);
	X509_free(x);
	EVP_PKEY_free(pkey);
}

static inline void keeper_configure(struct fixture *f)
{
	static const uint8_t ca[] = {0x30, 0x03, 1, 2, 3};
	struct ipc_web_config *c = calloc(1, sizeof *c);
	uint8_t out[16384];
	BIO *certificate = BIO_new(BIO_s_mem());
	BIO *key = BIO_new(BIO_s_mem());
	char *text;

	make_certificate(certificate, key);
	c->reader = 1;
	c->certificate_pem_size = (size_t)BIO_get_mem_data(certificate, &text);
	c->certificate_pem = (const uint8_t *)text;
	c->key_pem_size = (size_t)BIO_get_mem_data(key, &text);
	c->key_pem = (const uint8_t *)text;
	c->ca_der = ca;
	c->ca_der_size = sizeof ca;
	c->hosts_count = 2;
	(void)snprintf(c->hosts[0], sizeof c->hosts[0], "localhost");
	(void)snprintf(c->hosts[1], sizeof c->hosts[1], "hub.local");
	keeper_send(f, out, ipc_encode_web_config(c, out, sizeof out));
	BIO_free(certificate);
	BIO_free(key);
	free(c);
}

static inline int fixture_start(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct options o = {.ready_fd = -1};
	int listener, keeper, ready[2];
	char byte, name[64];
	pid_t pid;
	uid_t uid;

	(void)snprintf(f->dir, sizeof f->dir, "/tmp/camgate-web-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	(void)snprintf(o.socket_dir, sizeof o.socket_dir, "%s", f->dir);
	keeper = ipc_listen(f->dir, "web");
	assert_true(keeper >= 0);
	listener = front_listen("127.0.0.1:0");
	assert_true(listener >= 0);
	assert_int_equal(front_name(listener, &f->port, name, sizeof name), 0);
	assert_int_equal(pipe(ready), 0);
	f->web = fork();
	if (f->web == 0) {
		(void)close(keeper);
		(void)close(ready[0]);
		o.listen_fd = listener;
		o.ready_fd = ready[1];
		_exit(web_main(&o));
	}
	(void)close(listener);
	(void)close(ready[1]);
	struct pollfd p = {.fd = keeper, .events = POLLIN};
	assert_int_equal(poll(&p, 1, WAIT_MS), 1);
	f->keeper = ipc_accept(keeper, &pid, &uid);
	assert_true(f->keeper >= 0);
	(void)close(keeper);
	keeper_receive(f, IPC_LEASH, 0);
	ipc_message_finish(&f->message);
	keeper_receive(f, IPC_WEB_HELLO, 0);
	keeper_configure(f);
	keeper_receive(f, IPC_SANDBOX, 0);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	(void)close(ready[0]);
	f->tls = SSL_CTX_new(TLS_client_method());
	*state = f;
	return 0;
}

/* Ends the web role, with a signal that it must still be there for, or waits until it ends itself.
 * Returns its exit code. */
static inline int fixture_end_web(struct fixture *f, int number)
{
	int status = -1;

	if (number) {
		assert_int_equal(waitpid(f->web, &status, WNOHANG), 0);
		(void)kill(f->web, number);
	}
	assert_int_equal(waitpid(f->web, &status, 0), f->web);
	f->web = 0;
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static inline int fixture_stop(void **state)
{
	struct fixture *f = *state;

	if (f->web > 0) {
		assert_int_equal(fixture_end_web(f, SIGTERM), 0);
	}
	(void)close(f->keeper);
	char path[96];
	(void)snprintf(path, sizeof path, "%s/web", f->dir);
	(void)unlink(path);
	(void)rmdir(f->dir);
	SSL_CTX_free(f->tls);
	free(f);
	return 0;
}

static inline void tell(struct fixture *f, uint64_t connection, const uint8_t *bytes, size_t size)
{
	struct ipc_relay m = {.connection = connection, .bytes = bytes, .size = size};
	uint8_t out[2048];

	keeper_send(f, out, ipc_encode_relay(IPC_TELL, &m, out, sizeof out));
}

/* ---- the display ---- */

static inline int client_dial(const struct fixture *f)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(f->port)};
	struct timeval patience = {.tv_sec = WAIT_MS / 1000};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
	return fd;
}

static inline struct client *client_open(struct fixture *f)
{
	struct client *c = calloc(1, sizeof *c);

	c->fd = client_dial(f);
	c->ssl = SSL_new(f->tls);
	SSL_set_fd(c->ssl, c->fd);
	assert_int_equal(SSL_connect(c->ssl), 1);
	return c;
}

static inline void client_close(struct client *c)
{
	SSL_free(c->ssl);
	(void)close(c->fd);
	free(c);
}

static inline void client_write(struct client *c, const void *data, size_t size)
{
	assert_int_equal(SSL_write(c->ssl, data, (int)size), (int)size);
}

/* One answer's head (and nothing of its body) as text; the empty string when the hub hung up. */
static inline const char *client_ask(struct client *c, const char *request)
{
	static char text[TEXT_BYTES];
	size_t n = 0;

	client_write(c, request, strlen(request));
	while (n < sizeof text - 1 && SSL_read(c->ssl, text + n, 1) == 1) {
		n++;
		if (n >= 4 && memcmp(text + n - 4, "\r\n\r\n", 4) == 0) {
			break;
		}
	}
	text[n] = '\0';
	return text;
}

static inline bool client_read(struct client *c, uint8_t *out, size_t size)
{
	for (size_t n = 0; n < size;) {
		int r = SSL_read(c->ssl, out + n, (int)(size - n));

		if (r <= 0) {
			return false;
		}
		n += (size_t)r;
	}
	return true;
}

/* The next websocket message in c->message; returns its opcode, -1 when the connection is over. */
static inline int client_receive(struct client *c)
{
	uint8_t head[10];
	size_t size;

	if (!client_read(c, head, 2)) {
		return -1;
	}
	size = head[1] & 0x7f;
	if (size == 126) {
		if (!client_read(c, head + 2, 2)) {
			return -1;
		}
		size = (size_t)head[2] << 8 | head[3];
	}
	assert_true(size <= sizeof c->message);
	if (!client_read(c, c->message, size)) {
		return -1;
	}
	c->size = size;
	return head[0] & 0x0f;
}

static inline void client_send(struct client *c, int opcode, const void *data, size_t size)
{
	uint8_t out[4096 + 8] = {
		(uint8_t)(0x80 | opcode), (uint8_t)(0x80 | (size < 126 ? size : 126))};
	size_t n = 2;

	assert_true(size <= 4096);
	if (size >= 126) {
		out[n++] = (uint8_t)(size >> 8);
		out[n++] = (uint8_t)size;
	}
	n += 4; /* a mask of zeroes */
	memcpy(out + n, data, size);
	client_write(c, out, n + size);
}

/* Fills in the port wherever the text has a '%'. */
static inline const char *with_port(const struct fixture *f, const char *text)
{
	static char out[TEXT_BYTES];
	size_t n = 0;

	for (; *text; text++) {
		if (*text == '%') {
			n += (size_t)snprintf(out + n, sizeof out - n, "%u", f->port);
		} else {
			out[n++] = *text;
		}
	}
	out[n] = '\0';
	return out;
}

#define UPGRADE                                                                                    \
	"GET /socket HTTP/1.1\r\nHost: localhost:%\r\nUpgrade: websocket\r\n"                      \
	"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"                                     \
	"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"                                          \
	"Sec-WebSocket-Protocol: camgate.v1\r\nOrigin: https://localhost:%\r\n\r\n"

/* A websocket that the keeper knows of; *ret_connection is its number. */
static inline struct client *client_upgrade(struct fixture *f, uint64_t *ret_connection)
{
	struct client *c = client_open(f);
	struct ipc_opened opened;

	assert_memory_equal(client_ask(c, with_port(f, UPGRADE)), "HTTP/1.1 101", 12);
	keeper_receive(f, IPC_OPENED, 0);
	assert_int_equal(ipc_parse_opened(&f->message, &opened), 0);
	assert_string_equal(opened.origin, with_port(f, "https://localhost:%"));
	*ret_connection = opened.connection;
	return c;
}

static inline void expect_close(struct client *c, unsigned int status)
{
	assert_int_equal(client_receive(c), 8);
	assert_int_equal(c->size, 2);
	assert_int_equal(c->message[0] << 8 | c->message[1], status);
}

#endif
