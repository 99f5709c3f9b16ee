#include "camera.h"
#include "clock.h"
#include "leash.h"
#include "log.h"
#include "sandbox.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	MESSAGE_BYTES = 2048,
	SECOND_US = 1000000,
	KEEPER_PATIENCE_MS = 1000,
	TICK_MAX_MS = 5000,
	TICK_MIN_MS = 10,
};

/* ---- the keeper ---- */

int camera_send(
	struct camera *c, const uint8_t *data, ssize_t size, const int *descriptors, size_t count)
{
	struct pollfd writable = {.fd = c->keeper, .events = POLLOUT};
	int r;

	if (size < 0) {
		return (int)size;
	}
	r = ipc_send(c->keeper, data, (size_t)size, descriptors, count);
	if (r == -EAGAIN && poll(&writable, 1, KEEPER_PATIENCE_MS) == 1) {
		r = ipc_send(c->keeper, data, (size_t)size, descriptors, count);
	}
	return r;
}

static int say_hello(struct camera *c)
{
	uint8_t out[MESSAGE_BYTES];
	struct ipc_camera_hello h = {
		.kind = c->source.test ? IPC_CAMERA_PATTERN : IPC_CAMERA_DEVICE,
		.instance = c->source.test ? (uint16_t)c->options->instance : 0,
		.frame_max_bytes = publish_slot_bytes(&c->source),
	};
	int device = c->source.capture.device.fd;

	memcpy(h.generation, c->generation, sizeof(h.generation));
	memcpy(h.kem_public, c->kem.public, sizeof(h.kem_public));
	source_mode(&c->source, &h.width, &h.height, &h.frame_interval_us);
	snprintf(h.source, sizeof(h.source), "%.200s", c->options->arguments[0]);
	snprintf(h.model, sizeof(h.model), "%s", source_model(&c->source));
	source_describe(&c->source, h.mode, sizeof(h.mode));
	return camera_send(c, out, ipc_encode_camera_hello(&h, out, sizeof(out)), &device,
		c->source.test ? 0 : 1);
}

/* Adoption or refusal: the only messages that may come before all others. */
static int hear_verdict(struct camera *c, const struct ipc_message *m)
{
	struct ipc_turned_away away;
	struct ipc_adopted adopted;
	int r;

	if (m->type == IPC_TURNED_AWAY) {
		r = ipc_parse_turned_away(m, &away);
		if (r == 0) {
			opening_refused(c, away.reason);
			r = -ECONNREFUSED;
		}
		return r;
	}
	if (m->type != IPC_ADOPTED) {
		return -EBADMSG;
	}
	r = ipc_parse_adopted(m, &adopted);
	if (r < 0) {
		return r;
	}
	memcpy(c->home, adopted.home, sizeof(c->home));
	memcpy(c->id, adopted.camera, sizeof(c->id));
	memcpy(c->name, adopted.name, sizeof(c->name));
	c->adopted = true;
	return 0;
}

int camera_hear(struct camera *c)
{
	for (;;) {
		struct ipc_message m;
		int r = ipc_receive(c->keeper, c->buffer, sizeof(c->buffer), &m);

		if (r < 0) {
			return r == -EAGAIN ? 0 : r;
		}
		r = c->adopted ? orders_obey(c, &m) : hear_verdict(c, &m);
		ipc_message_finish(&m);
		if (r < 0) {
			return r;
		}
		/* What was sent with the adoption waits until the rest is made. */
		if (c->adopted && !c->ring_made) {
			return 0;
		}
	}
}

static int await_adoption(struct camera *c)
{
	while (!c->adopted) {
		struct pollfd readable = {.fd = c->keeper, .events = POLLIN};
		int r;

		if (poll(&readable, 1, -1) < 0 && errno != EINTR) {
			return -errno;
		}
		r = camera_hear(c);
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

/* ---- status ---- */

static int tell_status(struct camera *c, uint64_t now_us)
{
	uint8_t out[MESSAGE_BYTES];
	bool urgent;
	int r;

	c->status.epoch = epochs_current(c->epochs);
	memcpy(c->status.dropped, source_dropped(&c->source), sizeof(c->status.dropped));
	snprintf(c->status.detail, sizeof(c->status.detail), "%s",
		c->trouble[0] != '\0' ? c->trouble : c->source.problem);
	if (memcmp(&c->status, &c->told, sizeof(c->status)) == 0) {
		return 0;
	}
	urgent = c->status.activity != c->told.activity || c->told_us == 0;
	if (!urgent && now_us - c->told_us < SECOND_US) {
		return 0;
	}
	r = camera_send(c, out, ipc_encode_camera_status(&c->status, out, sizeof(out)), NULL, 0);
	c->told = c->status;
	c->told_us = now_us;
	return r;
}

/* ---- life ---- */

static int take_picture(struct camera *c)
{
	struct picture p;
	int r = source_next(&c->source, &p);

	if (r < 0) {
		return demand_stumble(c, r, clock_now_us());
	}
	demand_satisfied(c, p.frozen, clock_now_us());
	r = publish_picture(c, &p);
	if (r < 0 || !source_running(&c->source)) {
		return r;
	}
	return demand_stumble(c, source_release(&c->source), clock_now_us());
}

static int tick(struct camera *c, uint64_t now_us)
{
	static const uint8_t due[] = {IPC_ROTATION_DUE};
	int r = demand_follow(c, now_us);

	if (r == 0 && c->due_epoch != epochs_current(c->epochs) && epochs_due(c->epochs, now_us)) {
		c->due_epoch = epochs_current(c->epochs);
		r = camera_send(c, due, sizeof(due), NULL, 0);
	}
	notify_alive(&c->notify, now_us);
	return r < 0 ? r : tell_status(c, now_us);
}

static int timeout_ms(const struct camera *c)
{
	int ms = (int)c->options->rotate_s * 1000 / 40;

	if (source_running(&c->source) || c->demand || c->linger_until_us != 0) {
		ms = ms < 250 ? ms : 250;
	}
	ms = notify_timeout_ms(&c->notify, clock_now_us(), ms);
	if (ms > TICK_MAX_MS) {
		return TICK_MAX_MS;
	}
	return ms < TICK_MIN_MS ? TICK_MIN_MS : ms;
}

/* One round: sleeps until something happens, and does it. The keeper comes first. */
static int live(struct camera *c)
{
	struct pollfd fds[2] = {{.fd = c->keeper, .events = POLLIN}};
	int r;

	fds[1].fd = source_descriptor(&c->source, &fds[1].events);
	if (poll(fds, 2, timeout_ms(c)) < 0) {
		return errno == EINTR ? 0 : -errno;
	}
	if (fds[0].revents) {
		r = camera_hear(c);
		if (r < 0) {
			return r;
		}
	}
	if (fds[1].revents & ~POLLIN) {
		r = demand_stumble(c, source_event(&c->source, fds[1].revents), clock_now_us());
		if (r < 0) {
			return r;
		}
	}
	if ((fds[1].revents & POLLIN) && source_running(&c->source)) {
		r = take_picture(c);
		if (r < 0) {
			return r;
		}
	}
	return tick(c, clock_now_us());
}

/* What follows the adoption: everything that needs the home's and the camera's id, then the
 * sandbox. */
static int settle(struct camera *c)
{
	static const struct sandbox rights = {.rights = SANDBOX_DEVICE | SANDBOX_RING};
	const char *swappable = source_swappable(&c->source);
	struct ipc_sandbox sandbox = {{0}};
	uint8_t out[MESSAGE_BYTES];
	size_t used;
	int r;

	c->epochs = epochs_create(
		c->home, c->generation, (uint64_t)c->options->rotate_s * SECOND_US, clock_now_us());
	if (!c->epochs) {
		return -ENOMEM;
	}
	r = ring_writer_init(&c->ring, publish_slot_bytes(&c->source));
	if (r < 0) {
		return r;
	}
	c->ring_made = true;
	r = sandbox_enter(&rights, sandbox.report, sizeof(sandbox.report));
	if (r < 0) {
		log_error("no sandbox: %s", sandbox.report);
		return r;
	}
	used = strlen(sandbox.report);
	if (swappable) {
		snprintf(sandbox.report + used, sizeof(sandbox.report) - used,
			"; not locked into memory: %s", swappable);
	}
	log_info("%s: %s", c->name, sandbox.report);
	return camera_send(c, out, ipc_encode_sandbox(&sandbox, out, sizeof(out)), NULL, 0);
}

static void tell_ready(const struct options *o)
{
	if (o->ready_fd >= 0) {
		if (write(o->ready_fd, "", 1) < 0) {
			log_warning("nobody waits for this camera to be ready");
		}
		close(o->ready_fd);
	}
}

static void explain_end(const struct camera *c, int error)
{
	switch (-error) {
	case ECONNREFUSED: /* logged where the reason was known */
		return;
	case ECONNRESET:
	case EPIPE:
		log_error("the keeper is gone: nothing is published any more");
		return;
	case ENODEV:
		log_warning("%s was unplugged", c->options->arguments[0]);
		return;
	case ESTALE:
		log_error("%s changed its picture format", c->options->arguments[0]);
		return;
	case EBADMSG:
		log_error("a message of the keeper is not understood");
		return;
	default:
		log_error("%s: %s", c->options->arguments[0], strerror(-error));
		return;
	}
}

static int run(struct camera *c)
{
	char mode[IPC_TEXT_MAX_BYTES + 1];
	int r;

	random_bytes(c->generation, sizeof(c->generation));
	r = key_pair_generate(&c->kem);
	if (r < 0) {
		return r;
	}
	c->keeper = ipc_connect(c->options->socket_dir, "camera");
	if (c->keeper < 0) {
		r = c->keeper;
		log_error("cannot reach the keeper in %s: %s; is it running?",
			c->options->socket_dir, strerror(-r));
		return -ECONNREFUSED;
	}
	leash_give(c->keeper);
	r = say_hello(c);
	if (r == 0) {
		r = await_adoption(c);
	}
	if (r == 0) {
		r = settle(c);
	}
	if (r < 0) {
		return r;
	}
	source_describe(&c->source, mode, sizeof(mode));
	log_info("%s: %s, %s", c->name, c->options->arguments[0], mode);
	tell_ready(c->options);
	notify_ready(&c->notify, c->name);
	while (r == 0) {
		r = live(c);
	}
	return r;
}

/* All that run made. */
static void camera_close(struct camera *c)
{
	source_close(&c->source);
	if (c->ring_made) {
		ring_writer_finish(&c->ring);
	}
	epochs_destroy(c->epochs);
	key_pair_finish(&c->kem);
	if (c->keeper >= 0) {
		close(c->keeper);
	}
	c->keeper = -1;
}

/* One life, from the opening of the device. What to end with, or -EAGAIN to begin another. */
static int attempt(struct camera *c)
{
	int r = opening_await(c);

	if (r < 0) {
		/* Most video nodes of some machines are codecs and the like. */
		if (c->options->discovered && (r == -ENOTTY || r == -ENODEV)) {
			return EXIT_NO_CAMERA;
		}
		log_error("%s", c->source.problem);
		return r == -EINVAL ? EXIT_USAGE : EXIT_FAILED;
	}
	c->refused = false;
	r = run(c);
	camera_close(c);
	if (c->refused && opening_wait_again(c)) {
		return -EAGAIN;
	}
	notify_stopping(&c->notify, strerror(-r));
	explain_end(c, r);
	/* A camera may be unplugged: a service manager has no failed unit to show for that. */
	return r == -ENODEV ? EXIT_OK : EXIT_FAILED;
}

int camera_main(const struct options *o)
{
	static struct camera camera;
	struct camera *c = &camera;
	int r;

	log_init("camera");
	sandbox_prepare(true);
	if (o->arguments_count != 1) {
		log_error("which camera? 'camgate camera /dev/videoN' or 'camgate camera pattern'");
		return 2;
	}
	*c = (struct camera){.options = o, .keeper = -1};
	notify_init(&c->notify);
	r = secure_heap_init();
	if (r < 0) {
		log_error("no memory for keys that is never swapped out: %s", strerror(-r));
		return 1;
	}
	do {
		r = attempt(c);
	} while (r == -EAGAIN);
	notify_finish(&c->notify);
	return r;
}
