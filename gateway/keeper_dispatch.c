#include "keeper.h"
#include "log.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* ---- camera ---- */

/* A test picture is what its number says; there is no device that could tell. */
static void pattern_identity(uint16_t instance, struct identity *ret)
{
	*ret = (struct identity){.strength = IDENTITY_TEST};
	snprintf(ret->key, sizeof(ret->key), "pattern/%u", instance);
	if (instance == 0) {
		snprintf(ret->name, sizeof(ret->name), "Test camera");
	} else {
		snprintf(ret->name, sizeof(ret->name), "Test camera %u", instance + 1U);
	}
}

/* What the camera process says of itself is for people only: the device it holds is asked. */
static int device_identity(const struct ipc_message *m, struct identity *ret)
{
	struct stat st;

	if (m->descriptors[0] < 0) {
		return -EBADMSG;
	}
	if (fstat(m->descriptors[0], &st) < 0) {
		return -errno;
	}
	return S_ISCHR(st.st_mode) ? identity_read(st.st_rdev, ret) : -ENODEV;
}

static void turn_away(struct keeper *k, const struct keeper_peer *p, int error)
{
	struct ipc_turned_away m = {0};
	uint8_t bytes[IPC_TEXT_MAX_BYTES + 16];
	ssize_t size;

	snprintf(m.reason, sizeof(m.reason), "it is no video device that is present: %s",
		strerror(-error));
	size = ipc_encode_turned_away(&m, bytes, sizeof(bytes));
	if (size > 0) {
		keeper_send(k, p->number, bytes, (size_t)size, NULL, 0);
	}
	keeper_drop(k, p->number, false);
}

static int on_camera_hello(
	struct keeper *k, const struct keeper_peer *p, const struct ipc_message *m)
{
	struct ipc_camera_hello hello;
	struct identity identity = {0};
	int result = ipc_parse_camera_hello(m, &hello);

	if (result < 0) {
		return result;
	}
	if (hello.kind == IPC_CAMERA_PATTERN) {
		pattern_identity(hello.instance, &identity);
	} else {
		result = device_identity(m, &identity);
	}
	if (result == -EBADMSG) {
		return result;
	}
	if (result < 0) {
		turn_away(k, p, result);
		return 0;
	}
	registry_camera_hello(k->registry, p->number, &hello, &identity);
	return 0;
}

static int on_reader(struct keeper *k, const struct keeper_peer *p, const struct ipc_message *m)
{
	struct ipc_reader reader;
	int result = ipc_parse_reader(m, &reader);

	if (result < 0 || m->descriptors[0] < 0 || m->descriptors[1] < 0) {
		return -EBADMSG;
	}
	registry_camera_reader(k->registry, p->number, &reader, m->descriptors);
	return 0;
}

static int on_wrapped(struct keeper *k, const struct keeper_peer *p, const struct ipc_message *m)
{
	struct ipc_wrapped wrapped;
	int result = ipc_parse_wrapped(m, &wrapped);

	if (result == 0) {
		registry_camera_wrapped(k->registry, p->number, &wrapped);
	}
	return result;
}

static int on_rotated(struct keeper *k, const struct keeper_peer *p, const struct ipc_message *m)
{
	struct ipc_rotated rotated;
	int result = ipc_parse_rotated(m, &rotated);

	if (result == 0) {
		registry_camera_rotated(k->registry, p->number, &rotated);
	}
	return result;
}

static int on_rotation_due(
	struct keeper *k, const struct keeper_peer *p, const struct ipc_message *m)
{
	if (m->fields_size != 0) {
		return -EBADMSG;
	}
	registry_camera_rotation_due(k->registry, p->number);
	return 0;
}

static int on_camera_status(
	struct keeper *k, const struct keeper_peer *p, const struct ipc_message *m)
{
	struct ipc_camera_status status;
	int result = ipc_parse_camera_status(m, &status);

	if (result == 0) {
		registry_camera_status(k->registry, p->number, &status);
	}
	return result;
}

static int on_sandbox(struct keeper *k, const struct keeper_peer *p, const struct ipc_message *m)
{
	struct ipc_sandbox sandbox;
	int result = ipc_parse_sandbox(m, &sandbox);

	if (result == 0) {
		registry_sandbox(k->registry, p->number, &sandbox);
	}
	return result;
}

/* The process may give us something only once: what it gave counts from then on. */
static int on_leash(struct keeper_peer *p, struct ipc_message *m)
{
	if (m->fields_size != 0 || m->descriptors[0] < 0 || p->leash >= 0) {
		return -EBADMSG;
	}
	p->leash = m->descriptors[0];
	m->descriptors[0] = -1;
	return 0;
}

static int dispatch_camera(
	struct keeper *k, const struct keeper_peer *p, const struct ipc_message *m)
{
	switch (m->type) {
	case IPC_CAMERA_HELLO:
		return on_camera_hello(k, p, m);
	case IPC_READER:
		return on_reader(k, p, m);
	case IPC_WRAPPED:
		return on_wrapped(k, p, m);
	case IPC_ROTATED:
		return on_rotated(k, p, m);
	case IPC_ROTATION_DUE:
		return on_rotation_due(k, p, m);
	case IPC_CAMERA_STATUS:
		return on_camera_status(k, p, m);
	case IPC_SANDBOX:
		return on_sandbox(k, p, m);
	default:
		return -EBADMSG;
	}
}

/* ---- web ---- */

static int on_web_hello(struct keeper *k, const struct keeper_peer *p, const struct ipc_message *m)
{
	struct ipc_web_hello hello;
	struct ipc_web_config config;
	int result = ipc_parse_web_hello(m, &hello);

	if (result == 0) {
		keeper_fill_config(k, &config);
		registry_web_hello(k->registry, p->number, &hello, &config);
	}
	return result;
}

static int on_opened(struct keeper *k, const struct keeper_peer *p, const struct ipc_message *m)
{
	struct ipc_opened opened;
	int result = ipc_parse_opened(m, &opened);

	if (result == 0) {
		registry_web_opened(k->registry, p->number, &opened);
	}
	return result;
}

static int on_heard(struct keeper *k, const struct keeper_peer *p, const struct ipc_message *m)
{
	struct ipc_relay relay;
	int result = ipc_parse_relay(m, &relay);

	if (result == 0) {
		registry_web_heard(k->registry, p->number, &relay);
	}
	return result;
}

static int on_connection(struct keeper *k, const struct keeper_peer *p, const struct ipc_message *m)
{
	struct ipc_connection connection;
	int result = ipc_parse_connection(m, &connection);

	if (result < 0) {
		return result;
	}
	if (m->type == IPC_CLOSED) {
		registry_web_closed(k->registry, p->number, connection.connection);
	} else {
		registry_web_cut_done(k->registry, p->number, connection.connection);
	}
	return 0;
}

static int on_counts(struct keeper *k, const struct keeper_peer *p, const struct ipc_message *m)
{
	struct ipc_counts counts;
	int result = ipc_parse_counts(m, &counts);

	if (result == 0) {
		registry_web_counts(k->registry, p->number, &counts);
	}
	return result;
}

static int on_refusals(struct keeper *k, const struct keeper_peer *p, const struct ipc_message *m)
{
	struct ipc_refusals refusals;
	int result = ipc_parse_refusals(m, &refusals);

	if (result == 0) {
		registry_web_refusals(k->registry, p->number, &refusals);
	}
	return result;
}

static int on_taken(struct keeper *k, const struct keeper_peer *p, const struct ipc_message *m)
{
	struct ipc_stream stream;
	int result = ipc_parse_stream(m, &stream);

	if (result == 0) {
		registry_web_taken(k->registry, p->number, &stream);
	}
	return result;
}

static int dispatch_web(struct keeper *k, const struct keeper_peer *p, const struct ipc_message *m)
{
	switch (m->type) {
	case IPC_WEB_HELLO:
		return on_web_hello(k, p, m);
	case IPC_OPENED:
		return on_opened(k, p, m);
	case IPC_HEARD:
		return on_heard(k, p, m);
	case IPC_CLOSED:
	case IPC_CUT_DONE:
		return on_connection(k, p, m);
	case IPC_COUNTS:
		return on_counts(k, p, m);
	case IPC_TAKEN:
		return on_taken(k, p, m);
	case IPC_REFUSALS:
		return on_refusals(k, p, m);
	case IPC_SANDBOX:
		return on_sandbox(k, p, m);
	default:
		return -EBADMSG;
	}
}

/* ---- all ---- */

int keeper_dispatch(struct keeper *k, struct keeper_peer *p, struct ipc_message *m)
{
	if (p->plane != PLANE_ADMIN && m->type == IPC_LEASH) {
		return on_leash(p, m);
	}
	switch (p->plane) {
	case PLANE_CAMERA:
		return dispatch_camera(k, p, m);
	case PLANE_WEB:
		return dispatch_web(k, p, m);
	case PLANE_ADMIN:
		/* No type byte here: the whole datagram is the request. */
		admin_server_hear(&k->admin, p->number, p->may_change, (const char *)k->buffer,
			m->fields_size + 1);
		return 0;
	case PLANE_COUNT:
		break;
	}
	return -EBADMSG;
}
