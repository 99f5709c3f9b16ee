#include "log.h"
#include "registry_state.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void registry_camera_turn_away(struct registry *r, uint64_t peer, const char *reason)
{
	struct ipc_turned_away m = {0};

	snprintf(m.reason, sizeof(m.reason), "%s", reason);
	registry_send(r, peer, ipc_encode_turned_away(&m, r->message, sizeof(r->message)));
	r->output.drop(r->output.data, peer, false);
}

static unsigned int count_cameras(const struct registry *r)
{
	unsigned int count = 0;

	for (const struct registry_camera *c = r->cameras; c != NULL; c = c->next) {
		count++;
	}
	return count;
}

/* What the store will know the camera by. One that cannot be told from others is a new one each
 * time. */
static void describe(struct registry *r, const struct identity *identity, struct store_camera *ret)
{
	*ret = (struct store_camera){.strength = identity->strength};
	memcpy(ret->vid_pid, identity->vid_pid, sizeof(ret->vid_pid));
	r->output.random(r->output.data, ret->id, sizeof(ret->id));
	snprintf(ret->name, sizeof(ret->name), "%s",
		wire_name_ok(identity->name) ? identity->name : "Camera");
	if (identity->strength == IDENTITY_RUN || identity->key[0] == 0) {
		ret->strength = IDENTITY_RUN;
		ret->standing = STANDING_QUARANTINED;
		memcpy(ret->identity, "run/", 4);
		for (size_t i = 0; i < sizeof(ret->id); i++) {
			snprintf(ret->identity + 4 + 2 * i, 3, "%02x", ret->id[i]);
		}
	} else {
		snprintf(ret->identity, sizeof(ret->identity), "%s", identity->key);
	}
}

static bool claimed(const struct registry *r, const struct store_camera *record)
{
	for (const struct registry_camera *c = r->cameras; c != NULL; c = c->next) {
		if (strcmp(c->record.identity, record->identity) == 0) {
			return true;
		}
	}
	return false;
}

static bool generation_live(
	const struct registry *r, const uint8_t generation[static GENERATION_BYTES])
{
	for (const struct registry_camera *c = r->cameras; c != NULL; c = c->next) {
		if (memcmp(c->generation, generation, GENERATION_BYTES) == 0) {
			return true;
		}
	}
	return false;
}

static struct registry_camera *create(uint64_t peer, const struct store_camera *record,
	const struct ipc_camera_hello *m, const struct identity *identity)
{
	struct registry_camera *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		return NULL;
	}
	c->peer = peer;
	c->record = *record;
	memcpy(c->generation, m->generation, sizeof(c->generation));
	memcpy(c->kem_public, m->kem_public, sizeof(c->kem_public));
	c->frame_interval_us = m->frame_interval_us;
	c->frame_max_bytes = m->frame_max_bytes;
	memcpy(c->view.source, m->source, sizeof(c->view.source));
	memcpy(c->view.model, m->model, sizeof(c->view.model));
	memcpy(c->view.mode, m->mode, sizeof(c->view.mode));
	memcpy(c->view.port, identity->port, sizeof(c->view.port));
	registry_camera_look(identity, c->look);
	return c;
}

static void welcome(struct registry *r, struct registry_camera *c)
{
	struct ipc_adopted adopted = {0};

	c->next = r->cameras;
	r->cameras = c;
	log_info("camera \"%s\" is here: %s, %s, %s", c->record.name, c->view.source, c->view.model,
		c->view.mode);
	memcpy(adopted.home, r->store->home, sizeof(adopted.home));
	memcpy(adopted.camera, c->record.id, sizeof(adopted.camera));
	memcpy(adopted.name, c->record.name, sizeof(adopted.name));
	registry_send(r, c->peer, ipc_encode_adopted(&adopted, r->message, sizeof(r->message)));
	for (const struct registry_web *w = r->webs; w != NULL; w = w->next) {
		registry_camera_add_reader(r, c, w->reader);
	}
	registry_ask_update(r, c->record.id);
}

void registry_camera_hello(struct registry *r, uint64_t peer, const struct ipc_camera_hello *m,
	const struct identity *identity)
{
	char look[STORE_IDENTITY_BYTES], reason[IPC_TEXT_MAX_BYTES + 1];
	struct store_camera record;
	struct registry_camera *c;
	int result;

	if (registry_camera_of(r, peer) != NULL) {
		registry_camera_end(r, registry_camera_of(r, peer), true);
		return;
	}
	describe(r, identity, &record);
	if (claimed(r, &record)) {
		registry_camera_turn_away(
			r, peer, "this camera is in use by another camera process already");
		return;
	}
	if (count_cameras(r) >= REGISTRY_CAMERAS_MAX || generation_live(r, m->generation) ||
		m->frame_max_bytes == 0 || m->frame_max_bytes > WIRE_FRAME_MAX_BYTES) {
		registry_camera_turn_away(
			r, peer, "too many cameras, or an announcement that cannot be");
		return;
	}
	registry_camera_look(identity, look);
	result = registry_camera_keep_off(r, peer, &record, look);
	if (result > 0) {
		return;
	}
	result = result == 0 ? store_camera_adopt(r->store, &record) : result;
	c = result == 0 ? create(peer, &record, m, identity) : NULL;
	if (c == NULL) {
		snprintf(reason, sizeof(reason), "the keeper cannot put this camera on record: %s",
			strerror(result < 0 ? -result : ENOMEM));
		registry_camera_turn_away(r, peer, reason);
		return;
	}
	welcome(r, c);
}

void registry_camera_add_reader(struct registry *r, struct registry_camera *c, uint32_t reader)
{
	const struct ipc_reader m = {.reader = reader};

	for (size_t i = 0; i < REGISTRY_WEBS_MAX; i++) {
		if (c->rings[i].reader == 0) {
			c->rings[i] = (struct registry_ring){.reader = reader};
			registry_send(r, c->peer,
				ipc_encode_reader(
					IPC_ADD_READER, &m, r->message, sizeof(r->message)));
			return;
		}
	}
}

void registry_camera_drop_reader(struct registry *r, struct registry_camera *c, uint32_t reader)
{
	const struct ipc_reader m = {.reader = reader};

	for (size_t i = 0; i < REGISTRY_WEBS_MAX; i++) {
		if (c->rings[i].reader == reader) {
			c->rings[i] = (struct registry_ring){0};
			registry_send(r, c->peer,
				ipc_encode_reader(
					IPC_DROP_READER, &m, r->message, sizeof(r->message)));
		}
	}
}

uint32_t registry_camera_ring(const struct registry_camera *c, uint32_t reader)
{
	for (size_t i = 0; i < REGISTRY_WEBS_MAX; i++) {
		if (c->rings[i].reader == reader && reader != 0) {
			return c->rings[i].ring;
		}
	}
	return 0;
}

void registry_camera_reader(struct registry *r, uint64_t peer, const struct ipc_reader *m,
	const int descriptors[static 2])
{
	struct registry_camera *c = registry_camera_of(r, peer);
	struct registry_web *w = r->webs;
	struct registry_ring *ring = NULL;
	struct ipc_ring handed = {0};
	ssize_t size;

	while (w != NULL && w->reader != m->reader) {
		w = w->next;
	}
	for (size_t i = 0; c != NULL && i < REGISTRY_WEBS_MAX; i++) {
		if (c->rings[i].reader == m->reader && c->rings[i].ring == 0) {
			ring = &c->rings[i];
		}
	}
	/* The web process may have gone meanwhile; then the camera was told to drop the reader. */
	if (c == NULL || w == NULL || ring == NULL) {
		return;
	}
	ring->ring = ++r->rings;
	handed.ring = ring->ring;
	handed.frame_max_bytes = c->frame_max_bytes;
	memcpy(handed.camera, c->record.id, sizeof(handed.camera));
	memcpy(handed.generation, c->generation, sizeof(handed.generation));
	size = ipc_encode_ring(&handed, r->message, sizeof(r->message));
	if (size > 0) {
		r->output.send(r->output.data, w->peer, r->message, (size_t)size, descriptors, 2);
	}
	registry_tell_camera_to_all(r, c->record.id);
}

void registry_camera_update_demand(struct registry *r, struct registry_camera *c)
{
	struct ipc_demand m = {0};

	c->view.watchers = 0;
	for (const struct registry_session *s = r->sessions; s != NULL; s = s->next) {
		for (const struct registry_stream *t = s->streams; t != NULL; t = t->next) {
			if (t->state != STREAM_ENDING &&
				memcmp(t->camera, c->record.id, CAMERA_ID_BYTES) == 0) {
				m.renditions |= (uint8_t)(1U << t->rendition);
				c->view.watchers++;
			}
		}
	}
	if (m.renditions != c->demand) {
		c->demand = m.renditions;
		registry_send(r, c->peer, ipc_encode_demand(&m, r->message, sizeof(r->message)));
	}
}

void registry_camera_status(struct registry *r, uint64_t peer, const struct ipc_camera_status *m)
{
	struct registry_camera *c = registry_camera_of(r, peer);
	bool failing;

	if (c == NULL) {
		return;
	}
	failing = c->view.status.activity == CAMERA_FAILING;
	if (m->activity != c->view.status.activity && m->activity == CAMERA_FROZEN) {
		log_warning("camera \"%s\" repeats itself: frozen", c->record.name);
	}
	c->view.status = *m;
	/* Its tiles say so; what is wrong is said on the hub. */
	if (failing != (m->activity == CAMERA_FAILING)) {
		registry_tell_camera_to_all(r, c->record.id);
	}
}

static void unlink_camera(struct registry *r, struct registry_camera *c)
{
	struct registry_camera **at = &r->cameras;

	while (*at != c) {
		at = &(*at)->next;
	}
	*at = c->next;
}

/* It cannot be recognised when it comes back: what was granted goes with it. */
static void forget(struct registry *r, const struct registry_camera *c)
{
	for (struct registry_session *s = r->sessions; s != NULL; s = s->next) {
		if (s->state == SESSION_ADMITTED &&
			store_grant_check(r->store, s->display.id, c->record.id) == 0) {
			registry_tell_camera_gone(r, s, c->record.id, END_OFFLINE);
		}
	}
	if (store_camera_forget(r->store, c->record.id) < 0) {
		log_warning(
			"cannot forget camera \"%s\"; it goes at the next start", c->record.name);
	}
}

void registry_camera_end(struct registry *r, struct registry_camera *c, bool kill)
{
	struct ipc_ring_gone gone;

	/* Out of the list first: what is told below sees the camera offline. */
	unlink_camera(r, c);
	for (struct registry_session *s = r->sessions; s != NULL; s = s->next) {
		for (struct registry_stream *t = s->streams; t != NULL; t = t->next) {
			if (t->state != STREAM_ENDING &&
				memcmp(t->generation, c->generation, GENERATION_BYTES) == 0) {
				registry_stream_end(r, s, t, END_OFFLINE, AUDIT_CAMERA_GONE,
					REGISTRY_ANSWER_MS);
			}
		}
	}
	for (const struct registry_web *w = r->webs; w != NULL; w = w->next) {
		gone.ring = registry_camera_ring(c, w->reader);
		if (gone.ring != 0) {
			registry_send(r, w->peer,
				ipc_encode_ring_gone(&gone, r->message, sizeof(r->message)));
		}
	}
	log_info("camera \"%s\" is gone", c->record.name);
	registry_ask_over(r, c);
	if (c->record.strength == IDENTITY_RUN && c->record.standing != STANDING_IGNORED) {
		forget(r, c);
	} else {
		registry_tell_camera_to_all(r, c->record.id);
	}
	r->output.drop(r->output.data, c->peer, kill);
	free(c);
	registry_revoke_check(r);
}
