/*
 * The camera role: one process, one camera, its device open once. It captures, seals and
 * publishes, and wraps its epoch keys for the displays that the keeper names. camera_main
 * (gateway/options.h) is in camera.c; waiting for its device is in opening.c, obeying the keeper in
 * orders.c, capturing by demand in demand.c, sealing into the ring in publish.c.
 *
 * One thread. Whatever it does not understand ends it: its generation and keys die with it, and
 * whoever started it starts it again.
 */
#ifndef CAMGATE_CAMERA_H
#define CAMGATE_CAMERA_H

#include "ipc.h"
#include "keys.h"
#include "notify.h"
#include "options.h"
#include "ring.h"
#include "sframe.h"
#include "source.h"

struct camera {
	const struct options *options;
	int keeper; /* socket, -1: none */
	struct notify notify;
	struct source source;
	struct key_pair kem;
	uint8_t generation[GENERATION_BYTES];
	bool refused; /* by the keeper, which did not adopt it, and why the last time */
	char refusal[IPC_TEXT_MAX_BYTES + 1];
	int refused_pause_ms; /* before the next try */
	bool adopted;
	uint8_t home[HOME_ID_BYTES]; /* this and the next: from the adoption on */
	uint8_t id[CAMERA_ID_BYTES];
	char name[NAME_MAX_BYTES + 1];
	struct epochs *epochs;
	struct ring_writer ring;
	bool ring_made;
	uint8_t demand; /* renditions that somebody watches */
	uint64_t linger_until_us; /* capture goes on until then without a viewer; 0: no */
	uint64_t retry_us; /* when to try to start again; 0: no need */
	uint64_t restart_us; /* when a silent one is stopped and started again */
	uint64_t alive_us; /* last picture, or since when one is waited for; 0: none is */
	uint64_t steady_us; /* if pictures come until then, the trouble is over */
	uint64_t spoiled; /* pictures dropped up to alive_us */
	unsigned int tries; /* to start or restart, in vain */
	unsigned int said; /* bit n: that trouble was logged and is not over for good (demand.c) */
	char trouble[IPC_TEXT_MAX_BYTES + 1]; /* what is wrong just now, or "" */
	uint32_t due_epoch; /* the epoch whose end was announced */
	struct ipc_camera_status status;
	struct ipc_camera_status told; /* what the keeper knows */
	uint64_t told_us;
	uint8_t buffer[IPC_MESSAGE_MAX_BYTES]; /* one message, received */
};

/* Sends one encoded message; size as ipc_encode_x returned it. A keeper that takes nothing for a
 * second is gone. 0 or -errno. */
int camera_send(
	struct camera *c, const uint8_t *data, ssize_t size, const int *descriptors, size_t count);
/* Reads and obeys all messages that are there. 0 or -errno (final). */
int camera_hear(struct camera *c);

/* ---- opening.c ---- */

/* Opens the source. One that is there and cannot be opened, because another program has it or
 * without permission, is told once and tried ever more seldom if a service manager started us, who
 * would only do the same and tell it each time. 0, or -errno (final) and why in c->source.problem.
 */
int opening_await(struct camera *c);
/* Notes that the keeper did not adopt it, and tells a reason that is not that of the last time. */
void opening_refused(struct camera *c, const char *reason);
/* After that, with nothing open: waits, ever longer. False if whoever started us does that. */
bool opening_wait_again(struct camera *c);

/* ---- demand.c ---- */

/* Notes which renditions are watched. Nothing starts or stops yet: a picture may be in use. */
void demand_set(struct camera *c, uint8_t renditions, uint64_t now_us);
/* Starts or stops capturing by what is wanted now; tries again what failed, restarts what delivers
 * nothing. 0 or -errno (final). */
int demand_follow(struct camera *c, uint64_t now_us);
/* A picture came: whatever was wrong is not any more. */
void demand_satisfied(struct camera *c, bool frozen, uint64_t now_us);
/* What the source returned. Stops it after an error that a new start may cure. 0, or -errno
 * (final). */
int demand_stumble(struct camera *c, int error, uint64_t now_us);

/* ---- orders.c ---- */

/* Obeys one message of the keeper. 0 or -errno (final); -EBADMSG for what it may not send. */
int orders_obey(struct camera *c, const struct ipc_message *m);
/* IPC_ROTATED. request 0: by itself. */
int orders_tell_rotated(struct camera *c, uint64_t request);

/* ---- publish.c ---- */

/* The largest sealed frame of this source: the ring's slots. */
uint32_t publish_slot_bytes(const struct source *s);
/* Seals the picture straight into the ring and wakes the readers. What the keeper said meanwhile is
 * obeyed first, so that no picture is sealed with a key that a revoke took back. 0 or -errno
 * (final). */
int publish_picture(struct camera *c, const struct picture *p);

#endif
