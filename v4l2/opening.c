/* Opens the source, and waits for one that cannot be opened yet; see camera.h. */
#include "camera.h"
#include "clock.h"
#include "log.h"

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { RETRY_FIRST_MS = 500, RETRY_MAX_MS = 10000, GROUPS_MAX = 64 };

struct groups {
	gid_t ids[GROUPS_MAX];
	int count;
};

/* What is no camera will be none, and a device that is gone comes back as another one. */
static bool may_pass(int error)
{
	switch (-error) {
	case ENOTTY:
	case ENODEV:
	case ENXIO:
	case ENOENT:
	case EINVAL:
	case ENAMETOOLONG:
		return false;
	default:
		return true;
	}
}

/* The groups of our user as they are written down now. */
static void groups_read(struct groups *ret)
{
	const struct passwd *user = getpwuid(geteuid());

	*ret = (struct groups){.count = GROUPS_MAX};
	if (user == NULL || getgrouplist(user->pw_name, user->pw_gid, ret->ids, &ret->count) < 0) {
		ret->count = 0;
	}
}

static void wait_ms(struct camera *c, int ms)
{
	uint64_t until_us = clock_now_us() + (uint64_t)ms * 1000;

	for (uint64_t now_us = clock_now_us(); now_us < until_us; now_us = clock_now_us()) {
		int left_ms = (int)((until_us - now_us + 999) / 1000);

		notify_alive(&c->notify, now_us);
		(void)poll(NULL, 0, notify_timeout_ms(&c->notify, now_us, left_ms));
	}
}

/* Whether to try on by ourselves: of a service manager, not all know to back off, and each try of
 * theirs is told. */
static bool tries_on(const struct options *o)
{
	return o->discovered && o->ready_fd < 0;
}

static int pause_after(int pause_ms)
{
	return 2 * pause_ms < RETRY_MAX_MS ? 2 * pause_ms : RETRY_MAX_MS;
}

int opening_await(struct camera *c)
{
	const struct options *o = c->options;
	const char *path = o->arguments[0];
	struct groups before, now;
	int pause_ms = 0;
	int said = 0;
	int r;

	for (;;) {
		r = source_open(&c->source, path, o->instance, &o->config);
		if (r >= 0 || !tries_on(o) || !may_pass(r)) {
			return r;
		}
		if (said == 0) {
			groups_read(&before);
		}
		if (r != said) {
			log_warning("%s; trying on", c->source.problem);
			pause_ms = RETRY_FIRST_MS;
		}
		said = r;
		/* It is not: but who waits for us would give up, and what is wrong is told. */
		notify_ready(&c->notify, c->source.problem);
		wait_ms(c, pause_ms);
		pause_ms = pause_after(pause_ms);
		/* A process keeps the groups that it was started with. */
		groups_read(&now);
		if (memcmp(&before, &now, sizeof(now)) != 0) {
			(void)snprintf(c->source.problem, sizeof(c->source.problem),
				"%.100s: starting anew with the groups that were given meanwhile",
				path);
			return r;
		}
	}
}

void opening_refused(struct camera *c, const char *reason)
{
	c->refused = true;
	if (strcmp(c->refusal, reason) == 0) {
		return;
	}
	(void)snprintf(c->refusal, sizeof(c->refusal), "%s", reason);
	c->refused_pause_ms = RETRY_FIRST_MS;
	log_warning("%s: the keeper does not take this camera: %s%s", c->options->arguments[0],
		reason, tries_on(c->options) ? "; trying on" : "");
}

bool opening_wait_again(struct camera *c)
{
	if (!tries_on(c->options)) {
		return false;
	}
	notify_ready(&c->notify, c->refusal);
	wait_ms(c, c->refused_pause_ms);
	c->refused_pause_ms = pause_after(c->refused_pause_ms);
	return true;
}
