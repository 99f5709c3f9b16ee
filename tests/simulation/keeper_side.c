/* The keeper: its core and its store, told what the roles say, in the order in which they said it.
 */
#include "oracle.h"

#include "gateway/audit.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool unsettled; /* somebody is to be dropped */

/* ---- what the registry does ---- */

static struct peer *peer_of(uint64_t number)
{
	for (size_t i = 0; i < PEERS_MAX; i++) {
		if (world.peers[i].number == number) {
			return &world.peers[i];
		}
	}
	return NULL;
}

static uint64_t tell_time(void *data)
{
	(void)data;
	return world.now_us;
}

static void give_random(void *data, uint8_t *out, size_t size)
{
	(void)data;
	chance_bytes(out, size);
}

static void on_send(void *data, uint64_t number, const uint8_t *bytes, size_t size,
	const int *descriptors, size_t count)
{
	struct peer *p = peer_of(number);

	(void)data;
	if (!p || p->dropped || p->forgotten || p->left) {
		return;
	}
	oracle_keeper_said(p->role, p->index, bytes, size);
	if (channel_put(&p->to_role, bytes, size, descriptors, count) < 0) {
		p->dropped = p->killed = true;
		unsettled = true;
	}
}

static void on_drop(void *data, uint64_t number, bool kill)
{
	struct peer *p = peer_of(number);

	(void)data;
	unsettled = true;
	if (p && !p->forgotten) {
		p->dropped = true;
		p->killed |= kill;
	}
}

static void on_revoked(void *data, uint64_t operation, uint64_t cut_us)
{
	(void)data;
	trace("revoke %llu is through after %llu us", (unsigned long long)operation,
		(unsigned long long)cut_us);
	if (cut_us > 1000ULL * REGISTRY_CUT_MS + STEP_MAX_US &&
		world.now_us - cut_us > world.jumped_us) {
		oracle_fail("I8", "revoke %llu took %llu us to be through",
			(unsigned long long)operation, (unsigned long long)cut_us);
	}
}

static void create(void)
{
	static const struct registry_output output = {
		NULL, tell_time, give_random, on_send, on_drop, on_revoked};
	unsigned int every = world.allocations_every;

	world.allocations_every = 0;
	world.keeper.registry = registry_create(
		&output, &world.keeper.store, &world.keeper.pairing, &world.keeper.hub);
	world.allocations_every = every;
}

/* ---- its life ---- */

static void open_store(void)
{
	const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	char problem[STORE_PROBLEM_BYTES] = "";

	snprintf(world.keeper.dir, sizeof(world.keeper.dir), "%s/camgate-simulate-XXXXXX", base);
	if (!mkdtemp(world.keeper.dir) ||
		store_init(&world.keeper.store, world.keeper.dir, problem) < 0) {
		fprintf(stderr, "simulate: cannot make a store in %s: %s\n", base, problem);
		exit(2);
	}
}

void keeper_start(void)
{
	if (world.keeper.dir[0] == 0) {
		open_store();
		pairing_init(&world.keeper.pairing);
		(void)key_pair_generate(&world.keeper.hub);
	}
	(void)audit_close_unseen(&world.keeper.store, NULL);
	create();
}

void keeper_stop(bool died)
{
	int error = world.disk_error;

	trace("the keeper %s", died ? "is killed" : "stops");
	/* Who was killed wrote nothing more. */
	if (died) {
		world.disk_error = 11;
		world.disk_every = 1;
	}
	registry_destroy(world.keeper.registry);
	world.disk_error = error;
	world.keeper.registry = NULL;
	for (size_t i = 0; i < PEERS_MAX; i++) {
		struct peer *p = &world.peers[i];

		if (p->number) {
			channel_empty(&p->to_keeper);
			p->to_role.ended = true;
			p->forgotten = true;
		}
	}
}

void keeper_finish(void)
{
	struct dirent *e;
	char path[512];
	DIR *d;

	keeper_stop(false);
	store_finish(&world.keeper.store);
	d = opendir(world.keeper.dir);
	while (d && (e = readdir(d))) {
		snprintf(path, sizeof(path), "%s/%s", world.keeper.dir, e->d_name);
		(void)unlink(path);
	}
	if (d) {
		closedir(d);
	}
	(void)rmdir(world.keeper.dir);
	world.keeper.dir[0] = 0;
}

/* ---- peers ---- */

struct peer *peer_join(enum role role, unsigned int index)
{
	for (size_t i = 0; i < PEERS_MAX; i++) {
		struct peer *p = &world.peers[i];

		if (p->number == 0) {
			*p = (struct peer){
				.number = ++world.keeper.peers, .role = role, .index = index};
			return p;
		}
	}
	return NULL;
}

static void free_when_done(struct peer *p)
{
	if (p->left && p->forgotten) {
		channel_empty(&p->to_keeper);
		channel_empty(&p->to_role);
		*p = (struct peer){0};
	}
}

void peer_leave(struct peer *p)
{
	p->left = true;
	p->to_keeper.ended = true;
	channel_empty(&p->to_role);
	free_when_done(p);
}

static void forget(struct peer *p)
{
	p->forgotten = true;
	channel_empty(&p->to_keeper);
	p->to_role.ended = true;
	registry_peer_gone(world.keeper.registry, p->number);
}

void keeper_settle(void)
{
	if (!world.keeper.registry) {
		return;
	}
	if (registry_deadline(world.keeper.registry) <= world.now_us) {
		registry_tick(world.keeper.registry);
	}
	while (unsettled) {
		unsettled = false;
		for (size_t i = 0; i < PEERS_MAX; i++) {
			struct peer *p = &world.peers[i];

			if (!p->number || !p->dropped || p->forgotten) {
				continue;
			}
			forget(p);
			if (p->killed && !p->left) {
				trace("the keeper kills %s %u",
					p->role == ROLE_WEB ? "web" : "camera", p->index);
				if (p->role == ROLE_WEB) {
					web_die(p->index);
				} else {
					camera_unplug(p->index);
				}
			}
			free_when_done(p);
		}
	}
}

/* ---- hearing ---- */

static int hear_camera(const struct peer *p, const struct ipc_message *m)
{
	struct registry *r = world.keeper.registry;
	union {
		struct ipc_camera_hello hello;
		struct ipc_reader reader;
		struct ipc_wrapped wrapped;
		struct ipc_rotated rotated;
	} u;
	int result = -1;

	if (m->type == IPC_CAMERA_HELLO && (result = ipc_parse_camera_hello(m, &u.hello)) == 0) {
		struct identity identity = {.strength = IDENTITY_SERIAL};

		snprintf(identity.key, sizeof(identity.key), "046d:0825/%u", u.hello.instance);
		snprintf(identity.name, sizeof(identity.name), "Camera %u", u.hello.instance);
		snprintf(identity.vid_pid, sizeof(identity.vid_pid), "046d:0825");
		registry_camera_hello(r, p->number, &u.hello, &identity);
	} else if (m->type == IPC_READER && (result = ipc_parse_reader(m, &u.reader)) == 0) {
		registry_camera_reader(r, p->number, &u.reader, m->descriptors);
	} else if (m->type == IPC_WRAPPED && (result = ipc_parse_wrapped(m, &u.wrapped)) == 0) {
		registry_camera_wrapped(r, p->number, &u.wrapped);
	} else if (m->type == IPC_ROTATED && (result = ipc_parse_rotated(m, &u.rotated)) == 0) {
		registry_camera_rotated(r, p->number, &u.rotated);
	} else if (m->type == IPC_ROTATION_DUE) {
		registry_camera_rotation_due(r, p->number);
		result = 0;
	}
	return result;
}

static int greet_web(const struct peer *p, const struct ipc_message *m)
{
	static const uint8_t pem[] = "pem";
	struct ipc_web_hello hello;
	struct ipc_web_config config = {.certificate_pem = pem,
		.certificate_pem_size = sizeof(pem),
		.key_pem = pem,
		.key_pem_size = sizeof(pem),
		.ca_der = pem,
		.ca_der_size = sizeof(pem)};
	int result = ipc_parse_web_hello(m, &hello);

	if (result == 0) {
		registry_web_hello(world.keeper.registry, p->number, &hello, &config);
	}
	return result;
}

static int hear_web(const struct peer *p, const struct ipc_message *m)
{
	struct registry *r = world.keeper.registry;
	union {
		struct ipc_opened opened;
		struct ipc_relay relay;
		struct ipc_connection connection;
		struct ipc_counts counts;
		struct ipc_refusals refusals;
		struct ipc_stream stream;
	} u;
	int result = -1;

	if (m->type == IPC_WEB_HELLO) {
		result = greet_web(p, m);
	} else if (m->type == IPC_OPENED && (result = ipc_parse_opened(m, &u.opened)) == 0) {
		registry_web_opened(r, p->number, &u.opened);
	} else if (m->type == IPC_HEARD && (result = ipc_parse_relay(m, &u.relay)) == 0) {
		registry_web_heard(r, p->number, &u.relay);
	} else if (m->type == IPC_CLOSED &&
		   (result = ipc_parse_connection(m, &u.connection)) == 0) {
		registry_web_closed(r, p->number, u.connection.connection);
	} else if (m->type == IPC_CUT_DONE &&
		   (result = ipc_parse_connection(m, &u.connection)) == 0) {
		registry_web_cut_done(r, p->number, u.connection.connection);
	} else if (m->type == IPC_COUNTS && (result = ipc_parse_counts(m, &u.counts)) == 0) {
		registry_web_counts(r, p->number, &u.counts);
	} else if (m->type == IPC_TAKEN && (result = ipc_parse_stream(m, &u.stream)) == 0) {
		registry_web_taken(r, p->number, &u.stream);
	} else if (m->type == IPC_REFUSALS && (result = ipc_parse_refusals(m, &u.refusals)) == 0) {
		registry_web_refusals(r, p->number, &u.refusals);
	}
	return result;
}

static void hear_one(struct peer *p, const struct ipc_message *m)
{
	if ((p->role == ROLE_CAMERA ? hear_camera(p, m) : hear_web(p, m)) < 0) {
		oracle_fail(
			"I11", "the keeper got a message of type %u that it cannot read", m->type);
	}
}

void keeper_hear(struct peer *p, unsigned int n)
{
	while (n-- > 0 && p->number && !p->forgotten && !p->dropped) {
		struct parcel *parcel = channel_take(&p->to_keeper);

		if (parcel) {
			const struct ipc_message m = parcel_message(parcel);

			hear_one(p, &m);
			parcel_free(parcel);
			keeper_settle();
		} else if (p->to_keeper.ended) {
			forget(p);
			free_when_done(p);
			keeper_settle();
		} else {
			return;
		}
	}
}
