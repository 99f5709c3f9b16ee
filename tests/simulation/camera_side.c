/* Camera processes: the product's own orders, epochs, seal and ring; the device and the loop around
 * them are made up. */
#include "oracle.h"

#include "v4l2/camera.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct process {
	bool alive;
	unsigned int node, body;
	struct peer *peer;
	uint64_t due_us; /* the next picture */
	uint64_t hangs_until_us;
	struct camera role;
};

static struct process *processes[NODES];
static const struct options no_options;

static uint64_t dropped[DROP_REASONS];

/* ---- what the product's files want of the device ---- */

size_t source_jpeg_max_bytes(const struct source *s)
{
	(void)s;
	return FRAME_BYTES;
}

uint64_t *source_dropped(struct source *s)
{
	(void)s;
	return dropped;
}

int source_start(struct source *s)
{
	(void)s;
	return 0;
}

void source_stop(struct source *s)
{
	(void)s;
}

bool source_running(const struct source *s)
{
	(void)s;
	return true;
}

void source_mode(const struct source *s, uint16_t *ret_width, uint16_t *ret_height,
	uint32_t *ret_interval_us)
{
	(void)s;
	*ret_width = 640;
	*ret_height = 480;
	*ret_interval_us = FRAME_EVERY_US;
}

/* ---- the socket ---- */

static struct process *process_of(const struct camera *c)
{
	return processes[c->keeper];
}

int camera_send(
	struct camera *c, const uint8_t *data, ssize_t size, const int *descriptors, size_t count)
{
	struct process *p = process_of(c);

	if (size < 0) {
		return (int)size;
	}
	if (p->peer->to_role.ended) {
		return -EPIPE;
	}
	if (c->epochs) {
		uint32_t now = epochs_current(c->epochs);

		oracle_camera_said(data, (size_t)size, epochs_key(c->epochs, now),
			epochs_key(c->epochs, now + 1));
	} else {
		oracle_camera_said(data, (size_t)size, NULL, NULL);
	}
	return channel_put(&p->peer->to_keeper, data, (size_t)size, descriptors, count);
}

/* As camera.c does it. */
static int adopt(struct camera *c, const struct ipc_message *m)
{
	struct process *p = process_of(c);
	struct ipc_adopted adopted;

	if (m->type != IPC_ADOPTED || ipc_parse_adopted(m, &adopted) < 0) {
		return -ECONNREFUSED;
	}
	memcpy(c->home, adopted.home, sizeof(c->home));
	memcpy(c->id, adopted.camera, sizeof(c->id));
	c->epochs = epochs_create(c->home, c->generation, 600000000, world.now_us);
	if (!c->epochs) {
		return -ENOMEM;
	}
	oracle_adopted(p->body, c->id);
	c->adopted = true;
	return 0;
}

int camera_hear(struct camera *c)
{
	struct peer *peer = process_of(c)->peer;
	struct parcel *parcel;
	int r = 0;

	while (r == 0 && (parcel = channel_take(&peer->to_role))) {
		const struct ipc_message m = parcel_message(parcel);

		r = c->adopted ? orders_obey(c, &m) : adopt(c, &m);
		world.rotations += m.type == IPC_ROTATE || m.type == IPC_SWITCH;
		parcel_free(parcel);
	}
	return r == 0 && peer->to_role.ended ? -ECONNRESET : r;
}

/* ---- its life ---- */

static void hello(struct process *p)
{
	struct ipc_camera_hello m = {.kind = IPC_CAMERA_PATTERN,
		.instance = (uint16_t)p->body,
		.width = 640,
		.height = 480,
		.frame_interval_us = FRAME_EVERY_US,
		.frame_max_bytes = publish_slot_bytes(NULL),
		.source = "/dev/video0",
		.model = "C270",
		.mode = "MJPG"};
	uint8_t out[2048];

	memcpy(m.generation, p->role.generation, sizeof(m.generation));
	memcpy(m.kem_public, p->role.kem.public, sizeof(m.kem_public));
	(void)camera_send(&p->role, out, ipc_encode_camera_hello(&m, out, sizeof(out)), NULL, 0);
}

void camera_plug(unsigned int node, unsigned int body)
{
	struct process *p;
	struct peer *peer;

	if (processes[node] || !world.keeper.registry) {
		return;
	}
	peer = peer_join(ROLE_CAMERA, node);
	if (!peer) {
		return;
	}
	p = spared_malloc(sizeof(*p));
	memset(p, 0, sizeof(*p));
	p->alive = true;
	p->node = node;
	p->body = body;
	p->peer = peer;
	p->role.options = &no_options;
	p->role.keeper = (int)node;
	chance_bytes(p->role.generation, GENERATION_BYTES);
	processes[node] = p;
	if (key_pair_generate(&p->role.kem) < 0 ||
		ring_writer_init(&p->role.ring, publish_slot_bytes(NULL)) < 0) {
		oracle_fail("simulation", "no more key pairs, or no ring");
	}
	p->role.ring_made = true;
	p->due_us = world.now_us;
	trace("camera %u is plugged into node %u", body, node);
	oracle_process(node, body, p->role.generation, p->role.kem.public);
	hello(p);
}

void camera_unplug(unsigned int node)
{
	struct process *p = processes[node];

	if (!p) {
		return;
	}
	trace("the process of camera %u at node %u ends", p->body, node);
	processes[node] = NULL;
	peer_leave(p->peer);
	ring_writer_finish(&p->role.ring);
	epochs_destroy(p->role.epochs);
	oracle_process_ended(node);
	free(p);
}

bool camera_is_there(unsigned int node)
{
	return processes[node] != NULL;
}

uint64_t camera_due_us(unsigned int node)
{
	const struct process *p = processes[node];

	return p ? (p->due_us > p->hangs_until_us ? p->due_us : p->hangs_until_us) : UINT64_MAX;
}

void camera_hang(unsigned int node, uint64_t us)
{
	if (processes[node]) {
		processes[node]->hangs_until_us = world.now_us + us;
	}
}

static bool hangs(const struct process *p)
{
	return !p || world.now_us < p->hangs_until_us;
}

void camera_obey(unsigned int node)
{
	struct process *p = processes[node];

	if (!hangs(p) && camera_hear(&p->role) < 0) {
		camera_unplug(node);
	}
}

void camera_announce_end(unsigned int node)
{
	const uint8_t type = IPC_ROTATION_DUE;
	struct process *p = processes[node];

	if (!hangs(p) && p->role.adopted) {
		(void)camera_send(&p->role, &type, 1, NULL, 0);
	}
}

void camera_capture(unsigned int node)
{
	static uint8_t text[FRAME_BYTES];
	struct process *p = processes[node];
	struct picture picture = {
		.jpeg = text, .width = 640, .height = 480, .capture_us = world.now_us};
	int r;

	if (hangs(p)) {
		return;
	}
	p->due_us = world.now_us + FRAME_EVERY_US / 2 + chance_below(FRAME_EVERY_US);
	if (!p->role.adopted || !p->role.demand) {
		camera_obey(node);
		return;
	}
	picture.size = oracle_picture(node, text, picture.capture_us);
	r = publish_picture(&p->role, &picture);
	if (r < 0) {
		trace("camera %u ends: %s", p->body, strerror(-r));
		camera_unplug(node);
	}
}

void __real_ring_publish(
	struct ring_writer *w, const struct wire_frame_header *header, uint32_t size);
void __wrap_ring_publish(
	struct ring_writer *w, const struct wire_frame_header *header, uint32_t size);
void __wrap_ring_publish(
	struct ring_writer *w, const struct wire_frame_header *header, uint32_t size)
{
	for (unsigned int i = 0; i < NODES; i++) {
		if (processes[i] && &processes[i]->role.ring == w) {
			oracle_published(i, w->published + 1, ring_begin(w), size);
		}
	}
	__real_ring_publish(w, header, size);
}
