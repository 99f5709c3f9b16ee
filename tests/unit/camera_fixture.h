/* The camera role in a process of its own, and a keeper played by the test, which is its display
 * too. Every wait ends after PATIENCE_MS. */
#ifndef CAMGATE_TESTS_CAMERA_FIXTURE_H
#define CAMGATE_TESTS_CAMERA_FIXTURE_H

#include "clock.h"
#include "hpke.h"
#include "ipc.h"
#include "keys.h"
#include "options.h"
#include "ring.h"
#include "sframe.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum {
	WIDTH = 320,
	HEIGHT = 192,
	PATIENCE_MS = 20000,
	READER = 7,
	MESSAGE_BYTES = 1024,
};

struct keeper {
	char dir[64];
	int listener;
	int camera; /* socket */
	pid_t process;
	struct options options;
	struct ipc_camera_hello hello;
	uint8_t home[HOME_ID_BYTES];
	uint8_t id[CAMERA_ID_BYTES];
	uint8_t buffer[IPC_MESSAGE_MAX_BYTES];
	struct ring_reader ring;
	int eventfd;
	struct key_pair display;
	uint8_t session[SESSION_ID_BYTES];
	uint64_t requests;
};

/* ---- a keeper's ways ---- */

/* The next message that is no status. */
static inline int keeper_hear(struct keeper *k, struct ipc_message *ret)
{
	for (;;) {
		struct pollfd p = {.fd = k->camera, .events = POLLIN};
		int r;

		if (poll(&p, 1, PATIENCE_MS) != 1) {
			return -ETIMEDOUT;
		}
		r = ipc_receive(k->camera, k->buffer, sizeof(k->buffer), ret);
		if (r < 0 || ret->type != IPC_CAMERA_STATUS) {
			return r;
		}
	}
}

static inline void keeper_expect(struct keeper *k, uint8_t type, struct ipc_message *ret)
{
	assert_int_equal(keeper_hear(k, ret), 0);
	assert_int_equal(ret->type, type);
}

static inline void keeper_say(struct keeper *k, const uint8_t *data, ssize_t size)
{
	assert_true(size > 0);
	assert_int_equal(ipc_send(k->camera, data, (size_t)size, NULL, 0), 0);
}

static inline void keeper_start_camera(struct keeper *k, const char *spec)
{
	struct ipc_message m;
	struct pollfd p = {.events = POLLIN};
	uid_t uid;
	pid_t pid;

	k->options.arguments[0] = spec;
	k->options.arguments_count = 1;
	k->options.ready_fd = -1;
	k->process = fork();
	assert_true(k->process >= 0);
	if (k->process == 0) {
		close(k->listener);
		_exit(camera_main(&k->options));
	}
	p.fd = k->listener;
	assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
	k->camera = ipc_accept(k->listener, &pid, &uid);
	assert_true(k->camera >= 0);
	keeper_expect(k, IPC_LEASH, &m);
	ipc_message_finish(&m);
	keeper_expect(k, IPC_CAMERA_HELLO, &m);
	assert_int_equal(ipc_parse_camera_hello(&m, &k->hello), 0);
	ipc_message_finish(&m);
}

static inline void keeper_adopt(struct keeper *k)
{
	struct ipc_adopted adopted = {.name = "Test camera"};
	uint8_t out[MESSAGE_BYTES];
	struct ipc_message m;

	memcpy(adopted.home, k->home, sizeof(k->home));
	memcpy(adopted.camera, k->id, sizeof(k->id));
	keeper_say(k, out, ipc_encode_adopted(&adopted, out, sizeof(out)));
	keeper_expect(k, IPC_SANDBOX, &m);
}

static inline void keeper_attach(struct keeper *k)
{
	struct ipc_reader reader = {.reader = READER};
	uint8_t out[MESSAGE_BYTES];
	struct ipc_message m;

	keeper_say(k, out, ipc_encode_reader(IPC_ADD_READER, &reader, out, sizeof(out)));
	keeper_expect(k, IPC_READER, &m);
	assert_true(m.descriptors[0] >= 0);
	assert_true(m.descriptors[1] >= 0);
	assert_int_equal(ring_reader_init(&k->ring, m.descriptors[0], k->hello.frame_max_bytes), 0);
	k->eventfd = m.descriptors[1];
	m.descriptors[1] = -1;
	ipc_message_finish(&m);
}

static inline void keeper_demand(struct keeper *k, uint8_t renditions)
{
	struct ipc_demand demand = {.renditions = renditions};
	uint8_t out[MESSAGE_BYTES];

	keeper_say(k, out, ipc_encode_demand(&demand, out, sizeof(out)));
}

/* Waits for a status with this activity. */
static inline void keeper_expect_activity(struct keeper *k, uint8_t activity)
{
	uint64_t until = clock_now_us() + PATIENCE_MS * 1000;
	struct ipc_camera_status status;
	struct ipc_message m;

	while (clock_now_us() < until) {
		struct pollfd p = {.fd = k->camera, .events = POLLIN};

		if (poll(&p, 1, PATIENCE_MS) == 1 &&
			ipc_receive(k->camera, k->buffer, sizeof(k->buffer), &m) == 0 &&
			m.type == IPC_CAMERA_STATUS && ipc_parse_camera_status(&m, &status) == 0 &&
			status.activity == activity) {
			return;
		}
	}
	fail();
}

/* Asks for a key as the display; returns the epoch and, if the display can open it, the key. */
static inline int keeper_wrap(
	struct keeper *k, uint8_t purpose, uint32_t *ret_epoch, uint8_t ret_plain[static 40])
{
	struct ipc_wrap w = {.request = ++k->requests, .purpose = purpose};
	struct wire_wrap_context context = {
		.home = k->home,
		.camera = k->id,
		.generation = k->hello.generation,
		.display = w.display,
		.session = k->session,
		.purpose = purpose,
	};
	uint8_t info[WIRE_WRAP_INFO_BYTES];
	uint8_t out[MESSAGE_BYTES];
	struct ipc_wrapped wrapped;
	struct ipc_message m;

	memset(w.nonce, 0x5a, sizeof(w.nonce));
	memset(w.session, 0x33, sizeof(w.session));
	memcpy(w.kem_public, k->display.public, sizeof(w.kem_public));
	keeper_say(k, out, ipc_encode_wrap(&w, out, sizeof(out)));
	keeper_expect(k, IPC_WRAPPED, &m);
	assert_int_equal(ipc_parse_wrapped(&m, &wrapped), 0);
	assert_int_equal(wrapped.request, k->requests);
	assert_int_equal(wrapped.wrapped_size,
		purpose == KEY_WATCH || purpose == KEY_TIME ? WIRE_WRAPPED_MAX_BYTES : 32);
	context.epoch = *ret_epoch = wrapped.epoch;
	wire_wrap_info(&context, info);
	return hpke_open_auth(&k->display, k->hello.kem_public, wrapped.enc, info, sizeof(info),
		NULL, 0, wrapped.wrapped, wrapped.wrapped_size, ret_plain);
}

/* It answers in the order in which it is asked: what it was told before has been done. */
static inline void keeper_await_order(struct keeper *k)
{
	uint8_t plain[40];
	uint32_t epoch;

	assert_int_equal(keeper_wrap(k, KEY_TIME, &epoch, plain), 0);
}

static inline uint32_t keeper_rotate(struct keeper *k, uint8_t type)
{
	struct ipc_request request = {.request = ++k->requests};
	uint8_t out[MESSAGE_BYTES];
	struct ipc_rotated rotated;
	struct ipc_message m;

	keeper_say(k, out, ipc_encode_request(type, &request, out, sizeof(out)));
	keeper_expect(k, IPC_ROTATED, &m);
	assert_int_equal(ipc_parse_rotated(&m, &rotated), 0);
	assert_int_equal(rotated.request, k->requests);
	return rotated.epoch;
}

/* The next frame after number, or 0 when none comes in time. */
static inline uint64_t keeper_frame(
	struct keeper *k, uint64_t number, int patience_ms, uint8_t *out, uint32_t *ret_size)
{
	uint64_t until = clock_now_us() + (uint64_t)patience_ms * 1000;

	while (clock_now_us() < until) {
		uint64_t newest = ring_newest(&k->ring);
		struct pollfd p = {.fd = k->eventfd, .events = POLLIN};
		uint64_t count;

		if (newest > number &&
			ring_copy(&k->ring, newest, out, k->hello.frame_max_bytes, ret_size) == 0) {
			return newest;
		}
		if (poll(&p, 1, 50) == 1) {
			(void)!read(k->eventfd, &count, sizeof(count));
		}
	}
	return 0;
}

/* Opens a frame as a display does. Returns the JPEG's size. */
static inline size_t keeper_open(struct keeper *k, const uint8_t *frame, uint32_t size,
	const uint8_t key[static EPOCH_KEY_BYTES], uint8_t *jpeg, struct wire_frame_header *ret)
{
	uint8_t metadata[WIRE_FRAME_METADATA_BYTES];
	struct sframe_key *s;
	ssize_t n;

	assert_int_equal(wire_parse_frame_header(frame, size, ret), 0);
	wire_frame_metadata(k->home, k->hello.generation, frame, metadata);
	s = sframe_key_create(key, ret->epoch);
	assert_non_null(s);
	n = sframe_open(s, metadata, sizeof(metadata), frame + WIRE_FRAME_HEADER_BYTES,
		size - WIRE_FRAME_HEADER_BYTES, jpeg, k->hello.frame_max_bytes, &(uint64_t){0});
	sframe_key_destroy(s);
	return n < 0 ? 0 : (size_t)n;
}

static inline int keeper_await_exit(struct keeper *k)
{
	for (int ms = 0; ms < PATIENCE_MS; ms += 10) {
		int status;

		if (waitpid(k->process, &status, WNOHANG) == k->process) {
			k->process = -1;
			return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
		}
		poll(NULL, 0, 10);
	}
	return -1;
}

/* ---- per test ---- */

static inline int setup(void **state)
{
	struct keeper *k = calloc(1, sizeof(*k));

	*state = k;
	k->camera = k->eventfd = -1;
	memcpy(k->dir, "/tmp/camgate-test-XXXXXX", sizeof("/tmp/camgate-test-XXXXXX"));
	assert_non_null(mkdtemp(k->dir));
	snprintf(k->options.socket_dir, sizeof(k->options.socket_dir), "%s", k->dir);
	k->options.rotate_s = 600;
	k->options.instance = 3;
	k->listener = ipc_listen(k->dir, "camera");
	assert_true(k->listener >= 0);
	random_bytes(k->home, sizeof(k->home));
	random_bytes(k->id, sizeof(k->id));
	memset(k->session, 0x33, sizeof(k->session));
	assert_int_equal(key_pair_generate(&k->display), 0);
	return 0;
}

static inline int teardown(void **state)
{
	struct keeper *k = *state;
	char path[128];

	if (k->process > 0) {
		kill(k->process, SIGKILL);
		waitpid(k->process, NULL, 0);
	}
	if (k->camera >= 0) {
		close(k->camera);
	}
	if (k->eventfd >= 0) {
		close(k->eventfd);
	}
	close(k->listener);
	if (k->ring.map) {
		ring_reader_finish(&k->ring);
	}
	key_pair_finish(&k->display);
	snprintf(path, sizeof(path), "%s/camera", k->dir);
	unlink(path);
	rmdir(k->dir);
	free(k);
	return 0;
}

#endif
