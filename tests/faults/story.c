#include "story.h"
#include "command.h"
#include "story_check.h"
#include "tests/oracles/record.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

enum {
	PAUSE_MS = 120, /* between two commands: some frames */
	GUEST_MS = 400,
	STARTING_MS = 400,
};

/* ---- beginning and end ---- */

static void share_injection(struct story *s)
{
	(void)snprintf(s->hub.injection, sizeof(s->hub.injection), "%s/injection", s->hub.dir);
	int fd = open(s->hub.injection, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, sizeof(*s->injection)), 0);
	s->injection = mmap(NULL, sizeof(*s->injection), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(s->injection, MAP_FAILED);
	close(fd);
}

static struct story *running;

static void on_looked(void *user, const struct display_picture *p)
{
	struct story *s = running;
	(void)user;
	if (strcmp(p->camera->name, STORY_FIRST) != 0 && s->revoked_us != 0 &&
		p->header.capture_us > s->revoked_us) {
		s->after_revoke++;
	}
}

void story_begin(struct story *s, uint64_t seed)
{
	memset(s, 0, sizeof(*s));
	running = s;
	s->chance = seed * 0x9e3779b97f4a7c15u + 1;
	s->granted = BELIEF_YES;
	s->renamed = BELIEF_NO;
	s->loop = client_loop_create();
	assert_non_null(s->loop);
	hub_init(&s->hub, s->loop);
	share_injection(s);
	hub_start(&s->hub, (const char *[]){"--camera", "pattern:320x192@30", "--camera",
				   "pattern:256x192@30", NULL});
	hub_name_camera(&s->hub, "320x192", STORY_FIRST);
	hub_name_camera(&s->hub, "256x192", STORY_NAME);
	hub_expect(&s->hub, STORY_FIRST, 0);
	hub_expect(&s->hub, STORY_NAME, 1);
	hub_expect(&s->hub, STORY_OTHER_NAME, 1);
	s->both.looked = on_looked;
	s->one.given = STORY_FIRST;
	viewer_pair(&s->both, &s->hub, "all", STORY_BOTH);
	viewer_pair(&s->one, &s->hub, STORY_FIRST, STORY_ONE);
	viewer_await(&s->both, STORY_FIRST, 2);
	viewer_await(&s->both, STORY_NAME, 2);
	viewer_await(&s->one, STORY_FIRST, 2);
}

void story_end(struct story *s)
{
	viewer_finish(&s->both);
	viewer_finish(&s->one);
	hub_end(&s->hub);
	check_store(s, s->hub.state);
	story_drop(s);
}

void story_drop(struct story *s)
{
	(void)viewer_drop_all(NULL);
	if (s->injection != NULL) {
		story_calm(s);
		(void)munmap(s->injection, sizeof(*s->injection));
		s->injection = NULL;
	}
	if (s->loop != NULL) {
		char complaint[128];
		/* What was drawn before a test failed is no business of the next. */
		(void)record_check(&s->hub, s->hub.state, complaint, sizeof(complaint));
		hub_finish(&s->hub);
		client_loop_destroy(s->loop);
		s->loop = NULL;
	}
}

/* ---- faults ---- */

void story_rate(struct story *s, enum injection_role role, enum injection_kind kind, uint32_t fail,
	uint32_t of)
{
	s->no_memory = s->no_memory || kind == INJECT_ALLOCATION;
	atomic_store(&s->injection->rates[role][kind].fail, fail);
	atomic_store(&s->injection->rates[role][kind].of, of);
}

void story_calm(struct story *s)
{
	for (int role = 0; role < INJECT_ROLES; role++) {
		for (int kind = 0; kind < INJECT_KINDS; kind++) {
			atomic_store(&s->injection->rates[role][kind].of, 0);
		}
	}
}

/* xorshift64* */
uint64_t story_chance(struct story *s, uint64_t below)
{
	s->chance ^= s->chance >> 12;
	s->chance ^= s->chance << 25;
	s->chance ^= s->chance >> 27;
	return (s->chance * 0x2545f4914f6cdd1du >> 32) % below;
}

static void pass(struct story *s, unsigned int ms)
{
	uint64_t deadline_us = client_now_us() + (uint64_t)ms * 1000;
	while (hub_wait_step(s->loop, deadline_us)) {
	}
}

/* ---- the round ---- */

struct killing {
	const char *role; /* NULL: any */
	unsigned int within_ms; /* 0: nobody is killed */
};

static void kill_some(struct story *s, const struct killing *k)
{
	static const char *const roles[] = {"camera", "keeper", "web"};
	const char *role = k->role != NULL ? k->role : roles[story_chance(s, 3)];
	pass(s, (unsigned int)story_chance(s, k->within_ms));
	pid_t pid = hub_role(&s->hub, role, (unsigned int)story_chance(s, 2));
	pid = pid != 0 ? pid : hub_role(&s->hub, role, 0);
	if (pid != 0) {
		s->kills += kill(pid, SIGKILL) == 0;
	}
}

/* What was said has to be true at once, and not only when later commands have covered it. */
static void check_word(struct story *s)
{
	struct injection_rate before[INJECT_ROLES][INJECT_KINDS];
	for (int role = 0; role < INJECT_ROLES; role++) {
		for (int kind = 0; kind < INJECT_KINDS; kind++) {
			atomic_store(&before[role][kind].of,
				atomic_exchange(&s->injection->rates[role][kind].of, 0));
		}
	}
	check_rights(s, false);
	for (int role = 0; role < INJECT_ROLES; role++) {
		for (int kind = 0; kind < INJECT_KINDS; kind++) {
			atomic_store(&s->injection->rates[role][kind].of,
				atomic_load(&before[role][kind].of));
		}
	}
}

/* Commands a change, after which the belief is so if it was done, and as before if it was refused.
 */
static enum command_result change(struct story *s, const struct killing *k,
	const char *const *words, unsigned int *belief, enum story_belief wanted)
{
	struct command c;
	command_begin(&c, &s->hub, words);
	if (k->within_ms > 0) {
		kill_some(s, k);
	}
	enum command_result result = command_wait(&c, &s->hub, NULL);
	if (result == COMMAND_DONE) {
		*belief = wanted;
	} else if (result == COMMAND_UNKNOWN) {
		*belief |= wanted;
	}
	if (result != COMMAND_UNKNOWN) {
		check_word(s);
	}
	s->commands[result]++;
	return result;
}

static const char *second_name(const struct story *s)
{
	return s->renamed == BELIEF_YES ? STORY_OTHER_NAME : STORY_NAME;
}

static void take_right(struct story *s, const struct killing *k)
{
	const char *words[] = {"revoke", STORY_BOTH, second_name(s), NULL};
	if (change(s, k, words, &s->granted, BELIEF_NO) == COMMAND_DONE) {
		s->revoked_us = client_now_us();
	}
	pass(s, PAUSE_MS);
}

static void give_right(struct story *s, const struct killing *k)
{
	const char *words[] = {"grant", STORY_BOTH, second_name(s), NULL};
	s->revoked_us = 0; /* from now on it may be given */
	(void)change(s, k, words, &s->granted, BELIEF_YES);
	pass(s, PAUSE_MS);
}

static void rename_second(struct story *s, const struct killing *k)
{
	bool back = s->renamed == BELIEF_YES;
	const char *words[] = {"name", second_name(s), back ? STORY_NAME : STORY_OTHER_NAME, NULL};
	(void)change(s, k, words, &s->renamed, back ? BELIEF_NO : BELIEF_YES);
	pass(s, PAUSE_MS);
}

/* A display that pairs, looks and goes; whether it came in or not, it is whole or not there. */
static void receive_guest(struct story *s)
{
	struct viewer guest = {.given = STORY_FIRST};
	struct wire_link link;
	char name[32];
	json_t *answer = NULL;
	(void)snprintf(name, sizeof(name), "Guest %u", ++s->guests);
	enum command_result result = command_run(&s->hub, &answer,
		(const char *[]){"pair", "--cameras", STORY_FIRST, "--name", name, NULL});
	const char *text = json_string_value(json_object_get(answer, "link"));
	const char *mark = text == NULL ? NULL : strstr(text, "#pair=");
	if (result == COMMAND_DONE && mark != NULL && wire_parse_link(mark + 6, &link) == 0 &&
		display_keys_generate(&guest.keys) == 0) {
		memcpy(guest.keys.hub, link.fingerprint, FINGERPRINT_BYTES);
		viewer_connect(&guest, &s->hub, &link, name, true);
		pass(s, GUEST_MS);
		viewer_finish(&guest);
	}
	json_decref(answer);
}

static void reconnect(struct story *s)
{
	client_close(s->both.client);
	client_close(s->one.client);
	pass(s, PAUSE_MS * 2);
}

void story_round(struct story *s, const char *killed, unsigned int kill_ms)
{
	const struct killing k = {.role = killed, .within_ms = kill_ms};
	take_right(s, &k);
	give_right(s, &k);
	rename_second(s, &k);
	reconnect(s);
	take_right(s, &k);
	receive_guest(s);
	give_right(s, &k);
}

void story_part(struct story *s)
{
	const struct killing nobody = {0};
	pass(s, STARTING_MS);
	take_right(s, &nobody);
	pass(s, STARTING_MS);
	give_right(s, &nobody);
}
