/* What happens next: one thing per step, chosen by chance, with whatever is due before it. */
#include "oracle.h"

#include <dirent.h>
#include <openssl/crypto.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct world world;

/* ---- lines ---- */

static void free_lines(void)
{
	for (size_t i = 0; i < LINES_MAX; i++) {
		struct line *l = &world.lines[i];

		if (l->used && l->left && line_is_free(l)) {
			channel_empty(&l->up);
			channel_empty(&l->down);
			l->used = false;
		}
	}
}

struct line *line_open(unsigned int web, unsigned int display)
{
	for (size_t i = 0; i < LINES_MAX; i++) {
		struct line *l = &world.lines[i];

		if (!l->used) {
			*l = (struct line){.used = true,
				.web = web,
				.display = display,
				.number = ++world.lines_made};
			return l;
		}
	}
	return NULL;
}

/* ---- rare things ---- */

static void plug_something(void)
{
	unsigned int body = chance_below(BODIES);

	/* Also one that is there already, at another node: the keeper has to turn it away. */
	camera_plug(chance_below(NODES), body);
}

static void restart_keeper(void)
{
	keeper_stop(chance_once_in(2));
	keeper_start();
}

static void disturb_disk(void)
{
	static const int errors[] = {SQLITE_FULL, SQLITE_IOERR};

	world.disk_error = world.disk_error ? 0 : errors[chance_below(2)];
	world.disk_every = 1 + chance_below(4);
	trace("the disk %s", world.disk_error ? "is full" : "has room");
}

static void stall_something(void)
{
	struct line *l = &world.lines[chance_below(LINES_MAX)];

	switch (chance_below(3)) {
	case 0:
		camera_hang(chance_below(NODES), 1000ULL * chance_below(200));
		break;
	case 1:
		l->down.until_us = world.now_us + 1000ULL * chance_below(4000);
		break;
	default:
		l->up.until_us = world.now_us + 1000ULL * chance_below(1500);
		break;
	}
}

static void jump_clock(void)
{
	uint64_t by_us = 1000000ULL * (1 + chance_below(1200));

	trace("the clock jumps by %llu s", (unsigned long long)(by_us / 1000000));
	world.now_us += by_us;
	world.jumped_us = world.now_us;
}

static void something_rare(void)
{
	switch (chance_below(26)) {
	case 0:
	case 1:
		camera_unplug(chance_below(NODES));
		break;
	case 2:
		web_die(chance_below(WEBS));
		break;
	case 3:
		if (chance_once_in(4)) {
			restart_keeper();
		}
		break;
	case 4:
		disturb_disk();
		break;
	case 5:
		jump_clock();
		break;
	case 6:
	case 7:
		display_leave(chance_below(DISPLAYS));
		break;
	case 8:
	case 9:
		display_misbehave(chance_below(DISPLAYS));
		break;
	case 10:
	case 11:
	case 12:
		camera_announce_end(chance_below(NODES));
		break;
	case 13:
	case 14:
	case 15:
	case 16:
		stall_something();
		break;
	case 17:
	case 18:
		owner_suspends();
		break;
	default:
		owner_changes_grants();
		break;
	}
}

/* ---- frequent things ---- */

static void roles_come_back(void)
{
	if (world.disk_error && chance_once_in(4)) {
		disturb_disk();
	}
	if (chance_once_in(4)) {
		owner_resumes();
	}
	if (chance_once_in(2)) {
		plug_something();
	}
	web_start(chance_below(WEBS));
	display_connect_to(chance_below(DISPLAYS), chance_below(WEBS));
}

static void keeper_hears(void)
{
	unsigned int from = chance_below(PEERS_MAX);

	for (unsigned int i = 0; i < PEERS_MAX; i++) {
		struct peer *p = &world.peers[(from + i) % PEERS_MAX];

		if (p->number && !p->forgotten && (p->to_keeper.first || p->to_keeper.ended)) {
			keeper_hear(p, 1 + chance_below(4));
			return;
		}
	}
}

static void line_moves(void)
{
	unsigned int from = chance_below(LINES_MAX);

	for (unsigned int i = 0; i < LINES_MAX; i++) {
		struct line *l = &world.lines[(from + i) % LINES_MAX];

		if (!l->used) {
			continue;
		}
		if (world.now_us >= l->up.until_us) {
			for (unsigned int n = 1 + chance_below(3); n > 0 && l->used; n--) {
				web_receive(l);
			}
		}
		if (!l->left && world.now_us >= l->down.until_us) {
			for (unsigned int n = 1 + chance_below(4); n > 0 && !l->left; n--) {
				display_read(l->display);
			}
		}
	}
	for (unsigned int i = 0; i < WEBS; i++) {
		web_settle(i);
	}
	free_lines();
}

static void cameras_capture(void)
{
	for (unsigned int i = 0; i < NODES; i++) {
		if (world.now_us >= camera_due_us(i)) {
			camera_capture(i);
		}
	}
}

static void step(void)
{
	unsigned int what = chance_below(256);

	if (what < 80) {
		world.now_us += chance_below(STEP_MAX_US);
		keeper_settle();
		cameras_capture();
	} else if (what < 140) {
		web_serve(chance_below(WEBS));
	} else if (what < 190) {
		line_moves();
	} else if (what < 215) {
		keeper_hears();
	} else if (what < 235) {
		web_hear(chance_below(WEBS));
	} else if (what < 240) {
		camera_obey(chance_below(NODES));
	} else if (what < 248) {
		display_pass_time(chance_below(DISPLAYS));
	} else if (what < 252) {
		display_wander(chance_below(DISPLAYS));
	} else if (what < 253) {
		web_report(chance_below(WEBS));
	} else if (what < 255) {
		roles_come_back();
	} else {
		something_rare();
		keeper_settle();
	}
}

/* ---- one run ---- */

static void begin(uint64_t seed)
{
	struct world fresh = {.seed = seed,
		.now_us = 1000000,
		.trace = world.trace,
		.allocations_every = world.allocations_every};
	unsigned int every = fresh.allocations_every;

	fresh.allocations_every = 0;
	world = fresh;
	chance_seed(seed);
	stand_in_reset();
	keeper_start();
	(void)sqlite3_exec(world.keeper.store.db, "PRAGMA synchronous = OFF", NULL, NULL, NULL);
	displays_start();
	for (unsigned int i = 0; i < NODES; i++) {
		camera_plug(i, i);
	}
	world.allocations_every = every;
}

static void end(void)
{
	unsigned int every = world.allocations_every;

	world.allocations_every = 0;
	for (unsigned int i = 0; i < NODES; i++) {
		camera_unplug(i);
	}
	for (unsigned int i = 0; i < WEBS; i++) {
		web_die(i);
	}
	displays_stop();
	world.disk_error = 0;
	keeper_finish();
	free_lines();
	for (size_t i = 0; i < PEERS_MAX; i++) {
		channel_empty(&world.peers[i].to_keeper);
		channel_empty(&world.peers[i].to_role);
	}
	oracle_reset();
	memory_reset();
	world.allocations_every = every;
}

void world_clean(void)
{
	struct dirent *e;
	char path[512];
	DIR *d = world.keeper.dir[0] ? opendir(world.keeper.dir) : NULL;

	while (d && (e = readdir(d))) {
		(void)snprintf(path, sizeof(path), "%s/%s", world.keeper.dir, e->d_name);
		(void)unlink(path);
	}
	if (d) {
		(void)closedir(d);
		(void)rmdir(world.keeper.dir);
	}
}

void world_run(uint64_t seed, uint64_t deliveries, uint64_t steps)
{
	begin(seed);
	while (world.deliveries < deliveries && world.step < steps) {
		world.step++;
		world.event++;
		step();
	}
	end();
}
