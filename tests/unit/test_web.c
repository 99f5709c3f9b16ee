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
}

static void tell(struct fixture *f, uint64_t connection, const uint8_t *bytes, size_t size)
{
	struct ipc_relay m = {.connection = connection, .bytes = bytes, .size = size};
	uint8_t out[2048];

	keeper_send(f, out, ipc_encode_relay(IPC_TELL, &m, out, sizeof out));
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
}

/* ---- frames ---- */

enum { FRAME_BYTES = 240000, STREAM = 9, RING = 5 };

static const uint8_t camera_id[CAMERA_ID_BYTES] = {0xca};
static const uint8_t generation_id[GENERATION_BYTES] = {0x9e};

static void send_connection(struct fixture *f, uint8_t type, uint64_t connection)
{
	struct ipc_connection m = {.connection = connection};
	uint8_t out[64];

	keeper_send(f, out, ipc_encode_connection(type, &m, out, sizeof out));
}

static void send_ring(struct fixture *f, struct ring_writer *w)
{
	struct ipc_ring m = {.ring = RING, .frame_max_bytes = FRAME_BYTES};
	uint8_t out[128];
	int fds[2];
	ssize_t n;

	memcpy(m.camera, camera_id, sizeof m.camera);
	memcpy(m.generation, generation_id, sizeof m.generation);
	assert_int_equal(ring_writer_init(w, FRAME_BYTES), 0);
	assert_int_equal(ring_add_reader(w, 1, &fds[0], &fds[1]), 0);
	n = ipc_encode_ring(&m, out, sizeof out);
	assert_true(n > 0);
	assert_int_equal(ipc_send(f->keeper, out, (size_t)n, fds, 2), 0);
}

static void send_ring_gone(struct fixture *f, struct ring_writer *w)
{
	struct ipc_ring_gone m = {.ring = RING};
	uint8_t out[64];

	keeper_send(f, out, ipc_encode_ring_gone(&m, out, sizeof out));
	ring_writer_finish(w);
}

static void give(struct fixture *f, uint64_t connection, uint32_t epoch)
{
	static const uint8_t key[] = {WIRE_HUB, 'k', 'e', 'y'};
	struct ipc_give m = {.connection = connection, .stream = STREAM, .ring = RING};
	struct ipc_tell_key k = {.connection = connection,
		.stream = STREAM,
		.epoch = epoch,
		.bytes = key,
		.size = sizeof key};
	uint8_t out[256];

	memcpy(m.camera, camera_id, sizeof m.camera);
	memcpy(m.generation, generation_id, sizeof m.generation);
	keeper_send(f, out, ipc_encode_give(&m, out, sizeof out));
	keeper_send(f, out, ipc_encode_tell_key(&k, out, sizeof out));
}

static void publish(struct ring_writer *w, uint32_t size, uint32_t epoch, uint8_t fill)
{
	struct wire_frame_header h = {
		.width = 1920, .height = 1080, .epoch = epoch, .capture_us = clock_now_us()};
	uint8_t *slot = ring_begin(w);

	memcpy(h.camera, camera_id, sizeof h.camera);
	memset(slot, fill, size);
	wire_encode_frame_header(&h, slot);
	ring_publish(w, &h, size);
}

/* One whole frame, chunk by chunk; its last byte. */
static uint8_t receive_frame(struct client *c, uint32_t number, uint32_t size)
{
	uint8_t last = 0;

	for (uint32_t at = 0; at < size;) {
		struct wire_chunk chunk;
		const uint8_t *piece;
		size_t n;

		assert_int_equal(client_receive(c), 2);
		assert_true(c->size <= 16 << 10);
		assert_int_equal(wire_parse_chunk(c->message, c->size, &chunk, &piece, &n), 0);
		assert_int_equal(chunk.stream, STREAM);
		assert_int_equal(chunk.frame, number);
		assert_int_equal(chunk.total, size);
		assert_int_equal(chunk.offset, at);
		last = piece[n - 1];
		for (size_t i = at == 0 ? WIRE_FRAME_HEADER_BYTES : 0; i < n; i++) {
			assert_int_equal(piece[i], last);
		}
		at += (uint32_t)n;
	}
	return last;
}

static void send_ack(struct client *c, uint32_t frame)
{
	struct wire_ack ack = {
		.outcome = OUTCOME_DRAWN, .stream = STREAM, .frame = frame, .age_ms = 5};
	uint8_t out[16];
	ssize_t n = wire_encode_ack(&ack, out, sizeof out);

	client_send(c, 2, out, (size_t)n);
}

static struct client *client_admitted(struct fixture *f, uint64_t *ret_connection)
{
	static const uint8_t welcome[] = {WIRE_HUB, 'w'};
	struct client *c = client_upgrade(f, ret_connection);

	send_connection(f, IPC_ADMIT, *ret_connection);
	tell(f, *ret_connection, welcome, sizeof welcome);
	assert_int_equal(client_receive(c), 2);
	assert_memory_equal(c->message, welcome, sizeof welcome);
	return c;
}

static void frames_arrive_whole_and_newest_first(void **state)
{
	struct fixture *f = *state;
	struct ring_writer w;
	uint64_t connection;
	struct client *c = client_admitted(f, &connection);
	struct ipc_counts counts;
	uint8_t out[64];

	send_ring(f, &w);
	publish(&w, FRAME_BYTES, 1, 'a');
	give(f, connection, 1);
	assert_int_equal(client_receive(c), 2);
	assert_int_equal(c->message[0], WIRE_HUB);
	assert_int_equal(receive_frame(c, 1, FRAME_BYTES), 'a');
	publish(&w, 50000, 1, 'b');
	assert_int_equal(receive_frame(c, 2, 50000), 'b');
	/* Two are unanswered: the third waits, and is overtaken by the fourth. */
	publish(&w, 60000, 1, 'c');
	publish(&w, 70000, 1, 'd');
	(void)usleep(50000);
	send_ack(c, 2);
	assert_int_equal(receive_frame(c, 3, 70000), 'd');
	/* A frame of an epoch that this display has no key of stays here. */
	send_ack(c, 3);
	publish(&w, 1000, 2, 'e');
	(void)usleep(50000);
	give(f, connection, 2); /* the stream is there already: both it and its right end */
	keeper_receive(f, IPC_COUNTS, 0);
	assert_int_equal(ipc_parse_counts(&f->message, &counts), 0);
	assert_true(counts.final);
	assert_int_equal(counts.sent, 3);
	assert_int_equal(counts.skipped, 1);
	assert_int_equal(counts.drawn, 2);
	keeper_receive(f, IPC_TAKEN, 0);
	struct ipc_stream take = {.connection = connection, .stream = STREAM};
	keeper_send(f, out, ipc_encode_stream(IPC_TAKE, &take, out, sizeof out));
	keeper_receive(f, IPC_TAKEN, 0);
	send_ring_gone(f, &w);
	client_close(c);
	keeper_receive(f, IPC_CLOSED, 0);
}

static void cut_connection_gets_nothing_that_was_queued(void **state)
{
	struct fixture *f = *state;
	struct ring_writer w;
	uint64_t connection;
	struct client *c = client_admitted(f, &connection);
	struct ipc_cut cut = {.mode = CUT_RESET};
	uint64_t begin_us;
	uint8_t out[64], drain[4096];
	size_t held = 0;
	ssize_t n;

	/* The display's kernel takes little, so that most of the frame waits in the hub's. */
	(void)setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &(int){4096}, sizeof(int));
	send_ring(f, &w);
	publish(&w, FRAME_BYTES, 1, 'a');
	give(f, connection, 1);
	(void)usleep(100000); /* the frame is on its way and the display reads nothing */
	cut.connection = connection;
	begin_us = clock_now_us();
	keeper_send(f, out, ipc_encode_cut(&cut, out, sizeof out));
	keeper_receive(f, IPC_CUT_DONE, IPC_COUNTS);
	assert_true(clock_now_us() - begin_us < 100000);
	keeper_receive(f, IPC_CLOSED, 0);
	while ((n = recv(c->fd, drain, sizeof drain, 0)) > 0) {
		held += (size_t)n;
	}
	assert_int_equal(n, -1);
	assert_int_equal(errno, ECONNRESET);
	assert_true(held > 0 && held < FRAME_BYTES / 2);
	send_ring_gone(f, &w);
	client_close(c);
}

static void refused_display_is_closed_with_4000_and_a_busy_hub_with_4001(void **state)
{
	struct fixture *f = *state;
	uint8_t out[64];

	for (int i = 0; i < 2; i++) {
		struct ipc_cut cut = {.mode = i == 0 ? CUT_REFUSE : CUT_BUSY};
		struct client *c = client_admitted(f, &cut.connection);

		keeper_send(f, out, ipc_encode_cut(&cut, out, sizeof out));
		keeper_receive(f, IPC_CUT_DONE, 0);
		expect_close(c, i == 0 ? 4000 : 4001);
		client_close(c);
		keeper_receive(f, IPC_CLOSED, 0);
	}
}

static void keeper_gone_ends_all_sessions(void **state)
{
	struct fixture *f = *state;
	uint64_t connection;
	struct client *c = client_admitted(f, &connection);

	(void)close(f->keeper);
	f->keeper = -1;
	assert_int_equal(client_receive(c), -1);
	client_close(c);
	assert_int_equal(fixture_end_web(f, 0), 1);
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
		cmocka_unit_test(frames_arrive_whole_and_newest_first),
		cmocka_unit_test(cut_connection_gets_nothing_that_was_queued),
		cmocka_unit_test(refused_display_is_closed_with_4000_and_a_busy_hub_with_4001),
		cmocka_unit_test(keeper_gone_ends_all_sessions),
	};

	return cmocka_run_group_tests_name("web", tests, fixture_start, fixture_stop);
}
