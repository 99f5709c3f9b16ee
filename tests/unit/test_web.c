/* The whole web role in a process, with a keeper played by the test. */
#include "web_fixture.h"

static void expect_not_found(struct fixture *f, const char *request)
{
	struct client *c = client_open(f);
	const char *answer = client_ask(c, with_port(f, request));

	assert_memory_equal(answer, "HTTP/1.1 404", 12);
	assert_non_null(strstr(answer, "Content-Length: 10\r\n"));
	client_close(c);
}

static void page_has_its_policy_on_every_answer(void **state)
{
	struct fixture *f = *state;
	struct client *c = client_open(f);
	const char *paths[] = {"/ca.crt", "/nothing-here"};

	for (int i = 0; i < 2; i++) {
		char request[128];
		uint8_t body[10];
		const char *answer;

		(void)snprintf(request, sizeof request,
			"GET %s HTTP/1.1\r\nHost: hub.local:%u\r\n\r\n", paths[i], f->port);
		answer = client_ask(c, request);
		assert_memory_equal(answer, i == 0 ? "HTTP/1.1 200" : "HTTP/1.1 404", 12);
		assert_non_null(strstr(answer, "Content-Security-Policy: default-src 'none'; "));
		assert_non_null(strstr(answer, "require-trusted-types-for 'script'"));
		assert_non_null(strstr(answer, "Cache-Control: no-store"));
		assert_non_null(strstr(answer, "X-Content-Type-Options: nosniff"));
		assert_true(client_read(c, body, i == 0 ? 5 : 10));
	}
	client_close(c);
}

static void page_has_nothing_for_others(void **state)
{
	struct fixture *f = *state;

	expect_not_found(f, "GET / HTTP/1.1\r\nHost: evil.example:%\r\n\r\n");
	expect_not_found(f, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
	expect_not_found(f, "GET / HTTP/1.1\r\n\r\n");
	expect_not_found(f, "GET / HTTP/1.1\r\nHost: localhost:%\r\nHost: evil.example:%\r\n\r\n");
	expect_not_found(f, "GET /index.html/ HTTP/1.1\r\nHost: localhost:%\r\n\r\n");
	expect_not_found(
		f, "POST /ca.crt HTTP/1.1\r\nHost: localhost:%\r\nContent-Length: 0\r\n\r\n");
	expect_not_found(f, "GET /socket HTTP/1.1\r\nHost: localhost:%\r\n\r\n");
}

static void plain_http_is_told_the_https_address_and_nothing_else(void **state)
{
	struct fixture *f = *state;
	static const char *const requests[] = {
		"GET /any?thing HTTP/1.1\r\nHost: hub.local:%\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: evil.example:%\r\n\r\n",
		"GET / HTTP/1.1\r\n\r\n",
		"rubbish\r\n\r\n",
	};

	for (int i = 0; i < 4; i++) {
		char text[1024] = "";
		int fd = client_dial(f);
		const char *request = with_port(f, requests[i]);
		ssize_t n;

		assert_int_equal(send(fd, request, strlen(request), 0), (ssize_t)strlen(request));
		n = recv(fd, text, sizeof text - 1, MSG_WAITALL);
		assert_true(n > 0);
		text[n] = '\0';
		if (i == 0) {
			assert_memory_equal(text, "HTTP/1.1 307", 12);
			assert_non_null(
				strstr(text, with_port(f, "Location: https://hub.local:%/\r\n")));
		} else {
			assert_memory_equal(text, "HTTP/1.1 400", 12);
			assert_null(strstr(text, "Location"));
		}
		(void)close(fd);
	}
}

static void tls_is_1_3_with_http_1_1_and_no_tickets(void **state)
{
	struct fixture *f = *state;
	static const unsigned char protocols[] = "\x02h2\x08http/1.1";
	const unsigned char *chosen;
	unsigned int size;
	int fd = client_dial(f);
	SSL *old = SSL_new(f->tls);

	SSL_set_max_proto_version(old, TLS1_2_VERSION);
	SSL_set_fd(old, fd);
	assert_int_not_equal(SSL_connect(old), 1);
	SSL_free(old);
	(void)close(fd);

	SSL_CTX_set_alpn_protos(f->tls, protocols, sizeof protocols - 1);
	struct client *c = client_open(f);
	SSL_get0_alpn_selected(c->ssl, &chosen, &size);
	assert_int_equal(size, 8);
	assert_memory_equal(chosen, "http/1.1", 8);
	(void)client_ask(c, with_port(f, "HEAD / HTTP/1.1\r\nHost: localhost:%\r\n\r\n"));
	assert_false(SSL_SESSION_has_ticket(SSL_get0_session(c->ssl)));
	client_close(c);
}

#define REQUEST(host, upgrade, protocol, origin)                                                   \
	"GET /socket HTTP/1.1\r\nHost: " host "\r\nUpgrade: " upgrade                              \
	"\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"                                 \
	"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n" protocol origin "\r\n"
#define PROTOCOL "Sec-WebSocket-Protocol: camgate.v1\r\n"
#define ORIGIN "Origin: https://localhost:%\r\n"

static void upgrade_is_for_pages_of_this_hub_alone(void **state)
{
	static const char *const refused[] = {
		REQUEST("evil.example:%", "websocket", PROTOCOL,
			"Origin: https://evil.example:%\r\n"),
		REQUEST("localhost:%", "websocket", PROTOCOL, "Origin: https://evil.example:%\r\n"),
		REQUEST("localhost:%", "websocket", PROTOCOL, "Origin: http://localhost:%\r\n"),
		REQUEST("localhost:%", "websocket", PROTOCOL, "Origin: https://hub.local:%\r\n"),
		REQUEST("localhost:%", "websocket", PROTOCOL, "Origin: null\r\n"),
		REQUEST("localhost:%", "websocket", PROTOCOL, ""),
		REQUEST("localhost:%", "websocket", "", ORIGIN),
		REQUEST("localhost:%", "websocket", "Sec-WebSocket-Protocol: http\r\n", ORIGIN),
		REQUEST("localhost:%", "websocket", "Sec-WebSocket-Protocol: link\r\n", ORIGIN),
		REQUEST("localhost:%", "h2c", PROTOCOL, ORIGIN),
		REQUEST("localhost:%", "", PROTOCOL, ORIGIN),
		REQUEST("localhost:%", "websocket, h2c", PROTOCOL, ORIGIN),
	};
	struct fixture *f = *state;
	uint64_t connection;

	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		struct client *c = client_open(f);
		const char *answer = client_ask(c, with_port(f, refused[i]));

		if (strstr(answer, "101")) {
			fail_msg("request %zu was upgraded", i);
		}
		client_close(c);
	}
	struct client *c = client_open(f);
	assert_null(strstr(client_ask(c, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "HTTP/2"));
	client_close(c);
	client_close(client_upgrade(f, &connection));
	keeper_receive(f, IPC_CLOSED, 0);
	keeper_await_refusals(f, WEB_REFUSED_HOST, 1);
	keeper_await_refusals(f, WEB_REFUSED_ORIGIN, 5);
}

static void stranger_gets_the_challenge_and_nothing_else(void **state)
{
	static const uint8_t challenge[WIRE_CHALLENGE_BYTES] = {WIRE_CHALLENGE, 1, 1, 7};
	static const uint8_t welcome[] = {WIRE_HUB, 1, 2, 3};
	struct fixture *f = *state;
	uint64_t connection;
	struct client *c = client_upgrade(f, &connection);
	uint8_t rubbish[4096] = {0};

	tell(f, connection, challenge, sizeof challenge);
	tell(f, connection, welcome, sizeof welcome);
	assert_int_equal(client_receive(c), 2);
	assert_int_equal(c->size, sizeof challenge);
	assert_memory_equal(c->message, challenge, sizeof challenge);
	rubbish[0] = WIRE_DISPLAY;
	client_send(c, 2, rubbish, 100);
	expect_close(c, 4000);
	client_close(c);
	keeper_receive(f, IPC_CLOSED, 0);

	/* A text, an ACK, an empty message, one that is too long, a second login: each the end. */
	for (int i = 0; i < 5; i++) {
		c = client_upgrade(f, &connection);
		rubbish[0] = i == 1 ? WIRE_ACK : WIRE_LOGIN;
		if (i == 4) {
			client_send(c, 2, rubbish, 100);
			keeper_receive(f, IPC_HEARD, 0);
		}
		client_send(c, i == 0 ? 1 : 2, rubbish, i == 2 ? 0 : i == 3 ? 513 : 100);
		expect_close(c, 4000);
		client_close(c);
		keeper_receive(f, IPC_CLOSED, 0);
	}
	keeper_await_refusals(f, WEB_REFUSED_MESSAGE, 6);
}

static void silent_connection_costs_nobody_else(void **state)
{
	struct fixture *f = *state;
	int silent[40];
	uint64_t connection;

	for (int i = 0; i < 40; i++) {
		silent[i] = client_dial(f);
	}
	client_close(client_upgrade(f, &connection));
	keeper_receive(f, IPC_CLOSED, 0);
	for (int i = 0; i < 40; i++) {
		(void)close(silent[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(page_has_its_policy_on_every_answer),
		cmocka_unit_test(page_has_nothing_for_others),
		cmocka_unit_test(plain_http_is_told_the_https_address_and_nothing_else),
		cmocka_unit_test(tls_is_1_3_with_http_1_1_and_no_tickets),
		cmocka_unit_test(upgrade_is_for_pages_of_this_hub_alone),
		cmocka_unit_test(stranger_gets_the_challenge_and_nothing_else),
		cmocka_unit_test(silent_connection_costs_nobody_else),
	};

	return cmocka_run_group_tests_name("web", tests, fixture_start, fixture_stop);
}
