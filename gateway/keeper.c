#include "keeper.h"
#include "audit.h"
#include "clock.h"
#include "log.h"
#include "sandbox.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

enum {
	/* Above KEEPER_LISTENER, after the listeners. */
	EVENT_SIGNAL_OFFSET = PLANE_COUNT,
	EVENT_NAMES_OFFSET,
	EVENTS_AT_ONCE = 32,
};

/* ---- what the registry and the admin server ask for ---- */

static uint64_t output_now(void *data)
{
	(void)data;
	return clock_now_us();
}

static void output_random(void *data, uint8_t *out, size_t size)
{
	(void)data;
	random_bytes(out, size);
}

static void output_send(void *data, uint64_t peer, const uint8_t *bytes, size_t size,
	const int *descriptors, size_t count)
{
	keeper_send(data, peer, bytes, size, descriptors, count);
}

static void output_drop(void *data, uint64_t peer, bool kill_it)
{
	keeper_drop(data, peer, kill_it);
}

static void output_revoked(void *data, uint64_t operation, uint64_t cut_us)
{
	struct keeper *k = data;

	admin_server_revoked(&k->admin, operation, cut_us);
}

static void output_reply(void *data, uint64_t peer, const char *text, size_t size)
{
	keeper_reply(data, peer, text, size);
}

static void output_stop(void *data)
{
	struct keeper *k = data;

	k->stopping = true;
}

/* ---- set-up ---- */

static int note_display(void *data, const struct store_display *d)
{
	(void)d;
	*(bool *)data = true;
	return 1;
}

static int open_state(struct keeper *k)
{
	const char *dir = k->options->state_dir;
	char problem[STORE_PROBLEM_BYTES];
	unsigned int unseen = 0;
	bool paired = false;
	int result = store_init(&k->store, dir, problem);

	if (result < 0) {
		log_error("%s", problem);
		return result;
	}
	result = store_display_each(&k->store, note_display, &paired);
	if (result < 0) {
		log_error("cannot read %s/camgate.db: %s", dir, strerror(-result));
		return result;
	}
	result = authority_init(&k->authority, dir, &k->names, &k->addresses, (int64_t)time(NULL),
		!paired, problem);
	if (result < 0) {
		log_error("%s", problem);
		return result;
	}
	keeper_record_init(k);
	result = audit_close_unseen(&k->store, &unseen);
	if (result < 0) {
		log_error("cannot write to %s/camgate.db: %s", dir, strerror(-result));
	} else if (unseen > 0) {
		log_warning("%u viewings ended unseen when the last keeper did", unseen);
	}
	return result;
}

static int watch(struct keeper *k, int fd, uint64_t what)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = what};

	return epoll_ctl(k->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int open_listeners(struct keeper *k)
{
	int result = keeper_door_init(&k->door);

	if (result == 0) {
		result = keeper_door_open(&k->door, k->options->socket_dir, k->listeners);
	}
	for (size_t i = 0; result == 0 && i < PLANE_COUNT; i++) {
		result = watch(k, k->listeners[i], KEEPER_LISTENER + i);
	}
	return result;
}

static int open_loop(struct keeper *k)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	k->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (k->epoll < 0 || sigprocmask(SIG_BLOCK, &set, NULL) < 0) {
		return -errno;
	}
	k->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (k->signals < 0) {
		return -errno;
	}
	if (k->changes >= 0 && watch(k, k->changes, KEEPER_LISTENER + EVENT_NAMES_OFFSET) < 0) {
		return -errno;
	}
	return watch(k, k->signals, KEEPER_LISTENER + EVENT_SIGNAL_OFFSET);
}

static int open_core(struct keeper *k)
{
	const struct registry_output output = {.data = k,
		.now_us = output_now,
		.random = output_random,
		.send = output_send,
		.drop = output_drop,
		.revoked = output_revoked};

	pairing_init(&k->pairing);
	k->registry = registry_create(&output, &k->store, &k->pairing, &k->authority.hub);
	k->admin = (struct admin_server){
		.output = {k, output_now, output_random, output_reply, output_stop},
		.registry = k->registry,
		.store = &k->store,
		.pairing = &k->pairing,
		.authority = &k->authority,
		.state_dir = k->options->state_dir,
		.hosts = &k->configured,
		.sandbox = k->sandbox,
		.started_us = clock_now_us(),
	};
	return k->registry == NULL ? -ENOMEM : 0;
}

static int enter_sandbox(struct keeper *k)
{
	const char *const writable[] = {k->options->state_dir, NULL};
	const char *readable[2 + KEEPER_CERTIFICATE_PLACES + 1] = {"/sys", "/run/udev"};
	const struct sandbox s = {
		.rights = SANDBOX_ACCEPT | SANDBOX_FILES | SANDBOX_SIGNAL,
		.writable = writable,
		.readable = readable,
	};
	int result;

	(void)keeper_certificate_places(k, &readable[2]);
	result = sandbox_enter(&s, k->sandbox, sizeof(k->sandbox));

	if (result < 0) {
		log_error("cannot enter the sandbox: %s", strerror(-result));
	} else {
		log_info("sandbox: %s", k->sandbox);
	}
	return result;
}

static int set_up(struct keeper *k)
{
	int result = secure_heap_init();

	if (result < 0) {
		log_error("no locked memory for keys; raise the limit (ulimit -l) to 256 KiB or "
			  "more");
		return result;
	}
	result = keeper_names_init(k);
	if (result == 0) {
		result = keeper_certificate_init(k);
	}
	if (result == 0) {
		result = open_state(k);
	}
	if (result < 0) {
		return result;
	}
	result = open_loop(k);
	if (result == 0) {
		result = open_core(k);
	}
	if (result < 0) {
		log_error("cannot start: %s", strerror(-result));
		return result;
	}
	result = open_listeners(k);
	return result < 0 ? result : enter_sandbox(k);
}

/* ---- the loop ---- */

/* True to go on. */
static bool on_signal(struct keeper *k)
{
	struct signalfd_siginfo info;

	if (read(k->signals, &info, sizeof info) != (ssize_t)sizeof info) {
		return true;
	}
	if (info.ssi_signo != SIGHUP) {
		return false;
	}
	keeper_certificate_reload(k);
	return true;
}

/* Milliseconds until something is due, rounded up, so that it is due when the loop wakes. */
static int time_left(const struct keeper *k)
{
	uint64_t now_us = clock_now_us(), due_us = registry_deadline(k->registry);

	due_us = k->renew_us < due_us ? k->renew_us : due_us;
	due_us = k->listen_due_us != 0 && k->listen_due_us < due_us ? k->listen_due_us : due_us;
	due_us = k->names_due_us != 0 && k->names_due_us < due_us ? k->names_due_us : due_us;
	due_us = k->hostname_due_us < due_us ? k->hostname_due_us : due_us;
	due_us = k->prune_us < due_us ? k->prune_us : due_us;
	return notify_timeout_ms(
		&k->notify, now_us, due_us <= now_us ? 0 : (int)((due_us - now_us + 999) / 1000));
}

static void on_event(struct keeper *k, const struct epoll_event *event)
{
	struct keeper_peer *p;

	if (event->data.u64 == KEEPER_LISTENER + EVENT_SIGNAL_OFFSET) {
		k->stopping = k->stopping || !on_signal(k);
	} else if (event->data.u64 == KEEPER_LISTENER + EVENT_NAMES_OFFSET) {
		keeper_names_hear(k, clock_now_us());
	} else if (event->data.u64 >= KEEPER_LISTENER) {
		keeper_accept(k, (enum keeper_plane)(event->data.u64 - KEEPER_LISTENER));
	} else {
		p = keeper_peer_find(k, event->data.u64);
		if (p != NULL) {
			keeper_peer_read(k, p);
		}
	}
}

static int run_loop(struct keeper *k)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	int count;

	while (!k->stopping) {
		count = epoll_wait(k->epoll, events, EVENTS_AT_ONCE, time_left(k));
		if (count < 0 && errno != EINTR) {
			log_error("cannot wait for events: %s", strerror(errno));
			return -errno;
		}
		for (int i = 0; i < count; i++) {
			on_event(k, &events[i]);
			keeper_reap(k);
		}
		registry_tick(k->registry);
		keeper_listen_again(k, clock_now_us());
		keeper_names_follow(k, clock_now_us());
		keeper_certificate_renew(k, clock_now_us());
		keeper_record_tick(k, clock_now_us());
		notify_alive(&k->notify, clock_now_us());
		keeper_reap(k);
	}
	return 0;
}

static void tear_down(struct keeper *k)
{
	registry_destroy(k->registry);
	admin_server_end(&k->admin);
	keeper_peers_finish(k);
	pairing_finish(&k->pairing);
	keeper_certificate_finish(k);
	keeper_names_finish(k);
	authority_finish(&k->authority);
	store_finish(&k->store);
	for (size_t i = 0; i < PLANE_COUNT; i++) {
		if (k->listeners[i] >= 0) {
			close(k->listeners[i]);
		}
	}
	if (k->signals >= 0) {
		close(k->signals);
	}
	if (k->epoll >= 0) {
		close(k->epoll);
	}
	notify_finish(&k->notify);
	free(k);
}

/* Somebody who installed a hub and sees nothing looks here. */
static void tell_owner(struct keeper *k)
{
	if (store_has_owner(&k->store) == 0) {
		log_warning("nobody owns this hub yet, so nobody can see anything: %s",
			k->door.service ? "sudo camgate pair --owner makes a link for the first "
					  "display"
					: "the link that camgate run prints, or camgate pair "
					  "--owner, is for the first display");
	}
}

int keeper_main(const struct options *o)
{
	struct keeper *k = calloc(1, sizeof(*k));
	int result;

	log_init("keeper");
	sandbox_prepare(false);
	if (k == NULL) {
		log_error("out of memory");
		return 1;
	}
	k->options = o;
	notify_init(&k->notify);
	k->epoll = k->signals = k->changes = k->kernel = k->store.lock_fd = -1;
	for (size_t i = 0; i < PLANE_COUNT; i++) {
		k->listeners[i] = -1;
	}
	result = set_up(k);
	if (result == 0 && o->ready_fd >= 0) {
		result = write(o->ready_fd, "", 1) == 1 ? 0 : -errno;
		close(o->ready_fd);
	}
	if (result == 0) {
		log_info("ready; state in %s", o->state_dir);
		tell_owner(k);
		notify_ready(&k->notify, "keeping");
		result = run_loop(k);
		notify_stopping(&k->notify, NULL);
	}
	tear_down(k);
	return result < 0 ? 1 : 0;
}
