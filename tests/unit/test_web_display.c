/* What a display that logged in gets from the whole web role, and how it ends. */
#include "web_fixture.h"

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

/* The socket takes a chunk in pieces: what it did not take is retried with the same bytes, while
 * the buffer has moved on. */
static void frames_arrive_whole_through_a_narrow_socket(void **state)
{
	struct fixture *f = *state;
	struct ring_writer w;
	uint64_t connection;
	struct client *c = client_admitted(f, &connection);

	(void)setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &(int){20000}, sizeof(int));
	send_ring(f, &w);
	publish(&w, 100000, 1, 'a');
	give(f, connection, 1);
	assert_int_equal(client_receive(c), 2);
	for (uint32_t n = 1; n <= 2; n++) {
		(void)usleep(20000); /* it fills up */
		assert_int_equal(receive_frame(c, n, 100000), 'a' + n - 1);
		send_ack(c, n);
		publish(&w, 100000, 1, (uint8_t)('a' + n));
	}
	send_ring_gone(f, &w);
	client_close(c);
	keeper_receive(f, IPC_CLOSED, IPC_COUNTS);
}

static void cut_connection_gets_nothing_that_was_queued(void **state)
{
	struct fixture *f = *state;
	struct ring_writer w;
	uint64_t connection;
	struct client *c = client_admitted(f, &connection);
	struct ipc_cut cut = {.mode = CUT_RESET};
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
	keeper_send(f, out, ipc_encode_cut(&cut, out, sizeof out));
	keeper_receive(f, IPC_CUT_DONE, IPC_COUNTS);
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

static void new_certificate_is_for_new_connections(void **state)
{
	static const uint8_t note[] = {WIRE_HUB, 'n'};
	struct fixture *f = *state;
	uint64_t connection;
	struct client *before = client_admitted(f, &connection);

	keeper_configure(f);
	tell(f, connection, note, sizeof note); /* the one that is here goes on */
	assert_int_equal(client_receive(before), 2);
	struct client *after = client_open(f);
	X509 *old = SSL_get1_peer_certificate(before->ssl);
	X509 *new = SSL_get1_peer_certificate(after->ssl);
	assert_int_not_equal(X509_cmp(old, new), 0);
	X509_free(old);
	X509_free(new);
	client_close(after);
	client_close(before);
	keeper_receive(f, IPC_CLOSED, 0);
}

static void hub_that_ends_says_come_back(void **state)
{
	struct fixture *f;
	void *own = NULL;
	uint64_t connection;

	(void)state;
	assert_int_equal(fixture_start(&own), 0);
	f = own;
	struct client *c = client_admitted(f, &connection);
	struct client *idle = client_open(f);
	(void)kill(f->web, SIGTERM);
	expect_close(c, 4001);
	assert_int_equal(fixture_end_web(f, 0), 0);
	client_close(c);
	client_close(idle);
	assert_int_equal(fixture_stop(&own), 0);
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
		cmocka_unit_test(frames_arrive_whole_and_newest_first),
		cmocka_unit_test(frames_arrive_whole_through_a_narrow_socket),
		cmocka_unit_test(cut_connection_gets_nothing_that_was_queued),
		cmocka_unit_test(refused_display_is_closed_with_4000_and_a_busy_hub_with_4001),
		cmocka_unit_test(new_certificate_is_for_new_connections),
		cmocka_unit_test(hub_that_ends_says_come_back),
		cmocka_unit_test(keeper_gone_ends_all_sessions),
	};

	return cmocka_run_group_tests_name("web, logged in", tests, fixture_start, fixture_stop);
}
