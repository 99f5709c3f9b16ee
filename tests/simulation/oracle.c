/* What the cameras made, and what the keeper says; see oracle.h. */
#include "truth.h"

#include "gateway/sframe.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char canary[24] = "THIS-IS-A-CLEAR-PICTURE";

static struct {
	bool adopted[BODIES];
	uint8_t camera[BODIES][CAMERA_ID_BYTES];
	struct process_truth processes[PROCESSES];
	uint64_t processes_made;
	struct process_truth *at_node[NODES];
} truth;

void oracle_fail(const char *invariant, const char *format, ...)
{
	va_list args;

	world.allocations_every = 0;
	fflush(stdout);
	fprintf(stderr, "simulate: %s does not hold: ", invariant);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr,
		"\n          seed %llu, step %llu; to see the history: "
		"build/tests/simulation/simulate --seed %llu --trace\n",
		(unsigned long long)world.seed, (unsigned long long)world.step,
		(unsigned long long)world.seed);
	world_clean();
	exit(1);
}

void oracle_reset(void)
{
	for (size_t i = 0; i < PROCESSES; i++) {
		for (size_t j = 0; j < PAST; j++) {
			free(truth.processes[i].past[j].bytes);
		}
	}
	memset(&truth, 0, sizeof(truth));
	rights_reset();
	views_reset();
}

/* ---- cameras ---- */

void oracle_adopted(unsigned int body, const uint8_t camera[static CAMERA_ID_BYTES])
{
	for (unsigned int i = 0; i < BODIES; i++) {
		bool same = memcmp(truth.camera[i], camera, CAMERA_ID_BYTES) == 0;

		if (truth.adopted[i] && same != (i == body)) {
			oracle_fail("I9", "camera %u was adopted by another id than its own", body);
		}
	}
	truth.adopted[body] = true;
	memcpy(truth.camera[body], camera, CAMERA_ID_BYTES);
}

unsigned int oracle_body_of(const uint8_t camera[static CAMERA_ID_BYTES])
{
	unsigned int i = 0;

	while (i < BODIES &&
		!(truth.adopted[i] && memcmp(truth.camera[i], camera, CAMERA_ID_BYTES) == 0)) {
		i++;
	}
	return i;
}

const uint8_t *oracle_camera_of(unsigned int body)
{
	return truth.adopted[body] ? truth.camera[body] : NULL;
}

static bool is_running(const struct process_truth *p)
{
	for (unsigned int i = 0; i < NODES; i++) {
		if (truth.at_node[i] == p) {
			return true;
		}
	}
	return false;
}

void oracle_process(
	unsigned int node, unsigned int body, const uint8_t *generation, const uint8_t *kem_public)
{
	struct process_truth *p = &truth.processes[truth.processes_made++ % PROCESSES];

	/* Those that run keep their place. */
	while (is_running(p)) {
		p = p == &truth.processes[PROCESSES - 1] ? truth.processes : p + 1;
	}
	for (size_t j = 0; j < PAST; j++) {
		free(p->past[j].bytes);
	}
	*p = (struct process_truth){.number = truth.processes_made, .body = body};
	memcpy(p->generation, generation, GENERATION_BYTES);
	memcpy(p->kem_public, kem_public, POINT_BYTES);
	truth.at_node[node] = p;
}

void oracle_process_ended(unsigned int node)
{
	truth.at_node[node] = NULL;
}

struct process_truth *truth_process(const uint8_t generation[static GENERATION_BYTES])
{
	for (size_t i = 0; i < PROCESSES; i++) {
		if (truth.processes[i].number != 0 &&
			memcmp(truth.processes[i].generation, generation, GENERATION_BYTES) == 0) {
			return &truth.processes[i];
		}
	}
	return NULL;
}

static uint32_t granted_now(unsigned int body)
{
	uint32_t bits = 0;

	for (unsigned int d = 0; d < DISPLAYS; d++) {
		bits |= (uint32_t)oracle_may_see(d, body) << d;
	}
	return bits;
}

size_t oracle_picture(unsigned int node, uint8_t *out, uint64_t capture_us)
{
	static const uint8_t head[] = {0xff, 0xd8, 0xff, 0xc0, 0, 17, 8, 480 >> 8, 480 & 255,
		640 >> 8, 640 & 255, 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1};
	struct process_truth *p = truth.at_node[node];
	struct picture_truth text = {.body = p->body,
		.process = p->number,
		.number = ++p->pictures,
		.capture_us = capture_us,
		.granted = granted_now(p->body),
		.step = world.step};
	size_t size = chance_once_in(10) ? 10000 + chance_below(FRAME_BYTES - 10000)
					 : 200 + chance_below(600);

	memcpy(text.canary, canary, sizeof(text.canary));
	memcpy(out, head, sizeof(head));
	memcpy(out + PICTURE_TRUTH_AT, &text, sizeof(text));
	out[size - 2] = 0xff;
	out[size - 1] = 0xd9;
	return size;
}

/* A picture is sealed with a key: who may not see it must not have that. */
static void check_holders(const struct process_truth *p, uint32_t epoch)
{
	for (unsigned int d = 0; d < DISPLAYS; d++) {
		for (unsigned int i = 0; !oracle_may_see(d, p->body) && i < KEYS_KEPT; i++) {
			if (p->keys[d][i] == epoch) {
				oracle_fail("I8",
					"a picture of camera %u is sealed with epoch %u, whose key "
					"display %u got before its grant went",
					p->body, epoch, d);
			}
		}
	}
}

void oracle_published(unsigned int node, uint64_t number, const uint8_t *bytes, size_t size)
{
	struct process_truth *p = truth.at_node[node];
	struct frame_truth *f = &p->past[number % PAST];
	struct wire_frame_header h;
	uint64_t kid, counter;

	world.frames++;
	if (memmem(bytes, size, canary, sizeof(canary) - 1)) {
		oracle_fail("I1", "a picture of camera %u is in the ring in the clear", p->body);
	}
	if (wire_parse_frame_header(bytes, size, &h) < 0 ||
		sframe_parse_header(bytes + WIRE_FRAME_HEADER_BYTES, size - WIRE_FRAME_HEADER_BYTES,
			&kid, &counter) < 0 ||
		kid != h.epoch || oracle_body_of(h.camera) != p->body) {
		oracle_fail("I4", "camera %u published what is no frame of it", p->body);
	}
	if (h.epoch < p->epoch || (h.epoch == p->epoch && counter <= p->counter)) {
		oracle_fail("I1", "camera %u used epoch %u, counter %llu twice", p->body, h.epoch,
			(unsigned long long)counter);
	}
	check_holders(p, h.epoch);
	p->epoch = h.epoch;
	p->counter = counter;
	p->published = number;
	free(f->bytes);
	*f = (struct frame_truth){.number = number,
		.epoch = h.epoch,
		.counter = counter,
		.capture_us = h.capture_us,
		.granted = granted_now(p->body),
		.step = world.step,
		.size = size,
		.bytes = spared_malloc(size)};
	memcpy(f->bytes, bytes, size);
	trace("camera %u publishes frame %llu, epoch %u, %zu bytes", p->body,
		(unsigned long long)number, h.epoch, size);
}

static bool holds(const uint8_t *bytes, size_t size, const uint8_t *key)
{
	return key && memmem(bytes, size, key, EPOCH_KEY_BYTES);
}

void oracle_camera_said(
	const uint8_t *bytes, size_t size, const uint8_t *key_now, const uint8_t *key_next)
{
	if (memmem(bytes, size, canary, sizeof(canary) - 1)) {
		oracle_fail("I1", "a picture is told to the keeper in the clear");
	}
	if (holds(bytes, size, key_now) || holds(bytes, size, key_next)) {
		oracle_fail("I2", "an epoch key is told to the keeper in the clear");
	}
}

void oracle_wrapped(const uint8_t *sender, const uint8_t *recipient, uint32_t epoch)
{
	int d = display_of_kem(recipient);
	struct process_truth *p = NULL;

	for (size_t i = 0; i < PROCESSES; i++) {
		if (memcmp(truth.processes[i].kem_public, sender, POINT_BYTES) == 0) {
			p = &truth.processes[i];
		}
	}
	if (d < 0 || !p) {
		oracle_fail("I2", "a key is wrapped for nobody that is known");
	}
	world.keys++;
	p->keys[d][p->keys_made[d]++ % KEYS_KEPT] = epoch;
}

/* ---- what the keeper says ---- */

static void check_wrap(unsigned int node, const struct ipc_message *m)
{
	const struct process_truth *p = truth.at_node[node];
	struct ipc_wrap w;
	int d;

	if (ipc_parse_wrap(m, &w) < 0 || !p) {
		return;
	}
	d = display_of_id(w.display);
	if (d < 0 || display_of_kem(w.kem_public) != d) {
		oracle_fail("I2", "a key is asked for a display with the key of another");
	}
	if (!oracle_may_see((unsigned int)d, p->body)) {
		oracle_fail("I2", "a key of camera %u is asked for display %d, which has no grant",
			p->body, d);
	}
}

/* What a display is told is about cameras that it was given, by their names. */
static void check_told(const struct view *v, const uint8_t *bytes, size_t size)
{
	struct wire_envelope e;
	struct wire_camera c;
	struct wire_key k;
	char name[32];
	unsigned int body = BODIES;

	if (!v || bytes[0] != WIRE_HUB || wire_parse_envelope(bytes, size, &e) < 0) {
		return;
	}
	if (oracle_is_suspended(v->display)) {
		oracle_fail("I8", "display %u, which is suspended, is sent a message of kind %u",
			v->display, e.kind);
	}
	if (e.kind == HUB_CAMERA && wire_parse_camera(e.body, e.body_size, &c) == 0) {
		body = oracle_body_of(c.id);
		(void)snprintf(name, sizeof(name), "Camera %u", body);
		if (body < BODIES && strcmp(name, c.name) != 0) {
			oracle_fail("I4", "camera %u is called \"%s\"", body, c.name);
		}
	} else if (e.kind == HUB_KEY && wire_parse_key(e.body, e.body_size, &k) == 0) {
		body = oracle_body_of(k.camera);
	} else {
		return;
	}
	if (body < BODIES && !oracle_may_see(v->display, body)) {
		oracle_fail(e.kind == HUB_KEY ? "I2" : "I10",
			"display %u is sent %s of camera %u without a grant", v->display,
			e.kind == HUB_KEY ? "a key" : "word", body);
	}
}

static void check_give(unsigned int web, const struct ipc_message *m)
{
	struct ipc_give g;
	struct view *v;
	struct flow *f;
	struct process_truth *p;

	if (ipc_parse_give(m, &g) < 0 || !(v = view_find(web, g.connection))) {
		return;
	}
	f = view_flow(v, g.stream);
	p = truth_process(g.generation);
	if (!p || p->body != oracle_body_of(g.camera) || !f || f->body != p->body ||
		!oracle_may_see(v->display, p->body)) {
		oracle_fail("I4",
			"display %u is given a camera on stream %u that it did not ask "
			"for, or has no grant of",
			v->display, g.stream);
	}
	f->process = p->number;
	f->given = p;
}

void oracle_keeper_said(enum role role, unsigned int index, const uint8_t *bytes, size_t size)
{
	const struct ipc_message m = {
		.type = bytes[0], .fields = bytes + 1, .fields_size = size - 1};
	struct ipc_tell_key k;
	struct ipc_relay t;

	if (role == ROLE_CAMERA && m.type == IPC_WRAP) {
		check_wrap(index, &m);
	} else if (m.type == IPC_GIVE) {
		check_give(index, &m);
	} else if (m.type == IPC_TELL && ipc_parse_relay(&m, &t) == 0) {
		check_told(view_find(index, t.connection), t.bytes, t.size);
	} else if (m.type == IPC_TELL_KEY && ipc_parse_tell_key(&m, &k) == 0) {
		check_told(view_find(index, k.connection), k.bytes, k.size);
	}
}
