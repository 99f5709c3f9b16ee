#include "camera.h"
#include "clock.h"
#include "hpke.h"
#include "log.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>

enum {
	MESSAGE_BYTES = 512, /* more than any message that is sent here */
	WRAP_PLAINTEXT_MAX_BYTES = EPOCH_KEY_BYTES + REQUEST_NONCE_BYTES + 8,
};

_Static_assert(WRAP_PLAINTEXT_MAX_BYTES + HPKE_TAG_BYTES == WIRE_WRAPPED_MAX_BYTES,
	"a wrapped key of purpose WATCH or TIME");

/* ---- readers ---- */

static int add_reader(struct camera *c, const struct ipc_message *m)
{
	uint8_t out[MESSAGE_BYTES];
	struct ipc_reader reader;
	int descriptors[2];
	int r = ipc_parse_reader(m, &reader);

	if (r < 0) {
		return r;
	}
	r = ring_add_reader(&c->ring, reader.reader, &descriptors[0], &descriptors[1]);
	if (r < 0) {
		log_warning("reader %u cannot be added: %s", reader.reader, strerror(-r));
		return r == -EEXIST ? -EBADMSG : r;
	}
	return camera_send(
		c, out, ipc_encode_reader(IPC_READER, &reader, out, sizeof(out)), descriptors, 2);
}

static int drop_reader(struct camera *c, const struct ipc_message *m)
{
	struct ipc_reader reader;
	int r = ipc_parse_reader(m, &reader);

	if (r == 0) {
		ring_drop_reader(&c->ring, reader.reader);
	}
	return r;
}

/* ---- keys ---- */

/* The plaintext of a KEY, in the secure heap (web/PROTOCOL.md, KEY). Returns its size, 0 if there
 * is no such epoch. */
static size_t key_plaintext(const struct camera *c, const struct ipc_wrap *w, uint32_t epoch,
	uint8_t out[static WRAP_PLAINTEXT_MAX_BYTES])
{
	const uint8_t *key = epochs_key(c->epochs, epoch);
	struct wire_writer p = wire_writer_init(out, WRAP_PLAINTEXT_MAX_BYTES);

	if (!key) {
		return 0;
	}
	wire_write_bytes(&p, key, EPOCH_KEY_BYTES);
	if (w->purpose == KEY_WATCH || w->purpose == KEY_TIME) {
		wire_write_bytes(&p, w->nonce, sizeof(w->nonce));
		wire_write_u64(&p, clock_now_us());
	}
	return (size_t)wire_writer_end(&p);
}

/* Leaves ret->wrapped_size 0 when it cannot: the keeper then gives no key. */
static void wrap_for_display(struct camera *c, const struct ipc_wrap *w, struct ipc_wrapped *ret)
{
	struct wire_wrap_context context = {
		.home = c->home,
		.camera = c->id,
		.generation = c->generation,
		.display = w->display,
		.session = w->session,
		.epoch = ret->epoch,
		.purpose = w->purpose,
	};
	uint8_t info[WIRE_WRAP_INFO_BYTES];
	uint8_t *plaintext = OPENSSL_secure_zalloc(WRAP_PLAINTEXT_MAX_BYTES);
	size_t size;
	int r = -ENOMEM;

	if (!plaintext) {
		goto finish;
	}
	size = key_plaintext(c, w, ret->epoch, plaintext);
	if (size == 0) {
		r = -ENOKEY;
		goto finish;
	}
	wire_wrap_info(&context, info);
	r = hpke_seal_auth(&c->kem, w->kem_public, info, sizeof(info), NULL, 0, plaintext, size,
		ret->enc, ret->wrapped);
	if (r == 0) {
		ret->wrapped_size = (uint8_t)(size + HPKE_TAG_BYTES);
	}
finish:
	OPENSSL_secure_clear_free(plaintext, WRAP_PLAINTEXT_MAX_BYTES);
	if (r < 0) {
		log_warning("a key cannot be wrapped for a display: %s", strerror(-r));
	}
}

static int wrap(struct camera *c, const struct ipc_message *m)
{
	struct ipc_wrapped wrapped = {0};
	uint8_t out[MESSAGE_BYTES];
	struct ipc_wrap w;
	int r = ipc_parse_wrap(m, &w);

	if (r < 0) {
		return r;
	}
	if (w.purpose < KEY_WATCH || w.purpose > KEY_TIME) {
		return -EBADMSG;
	}
	wrapped.request = w.request;
	wrapped.epoch =
		w.purpose == KEY_NEXT ? epochs_prepare(c->epochs) : epochs_current(c->epochs);
	wrap_for_display(c, &w, &wrapped);
	return camera_send(c, out, ipc_encode_wrapped(&wrapped, out, sizeof(out)), NULL, 0);
}

int orders_tell_rotated(struct camera *c, uint64_t request)
{
	struct ipc_rotated rotated = {.request = request, .epoch = epochs_current(c->epochs)};
	uint8_t out[MESSAGE_BYTES];

	return camera_send(c, out, ipc_encode_rotated(&rotated, out, sizeof(out)), NULL, 0);
}

static int rotate(struct camera *c, const struct ipc_message *m)
{
	struct ipc_request request;
	uint64_t now_us = clock_now_us();
	int r = ipc_parse_request(m, &request);

	if (r < 0) {
		return r;
	}
	if (m->type == IPC_SWITCH) {
		r = epochs_switch(c->epochs, now_us);
	} else {
		r = epochs_break(c->epochs, now_us);
	}
	return r < 0 ? r : orders_tell_rotated(c, request.request);
}

/* ---- demand ---- */

static int demand(struct camera *c, const struct ipc_message *m)
{
	struct ipc_demand d;
	int r = ipc_parse_demand(m, &d);

	if (r == 0) {
		demand_set(c, d.renditions, clock_now_us());
	}
	return r;
}

/* After the adoption, too: the owner does not want this camera any more. */
static int turned_away(const struct camera *c, const struct ipc_message *m)
{
	struct ipc_turned_away away;
	int r = ipc_parse_turned_away(m, &away);

	if (r < 0) {
		return r;
	}
	log_info("%s is not taken any more: %s", c->name, away.reason);
	return -ECONNREFUSED;
}

int orders_obey(struct camera *c, const struct ipc_message *m)
{
	switch (m->type) {
	case IPC_DEMAND:
		return demand(c, m);
	case IPC_ADD_READER:
		return add_reader(c, m);
	case IPC_DROP_READER:
		return drop_reader(c, m);
	case IPC_WRAP:
		return wrap(c, m);
	case IPC_ROTATE:
	case IPC_SWITCH:
		return rotate(c, m);
	case IPC_TURNED_AWAY:
		return turned_away(c, m);
	default:
		return -EBADMSG;
	}
}
