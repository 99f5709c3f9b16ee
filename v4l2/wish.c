#include "wish.h"
#include "probe.h"
#include "udev/identity.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { SECOND_US = 1000000, NEAR_ENOUGH = 20 };

const struct config_mode *wish_find(const struct config *config, const char *path)
{
	char name[PROBE_VALUE_BYTES] = "", key[PROBE_VALUE_BYTES] = "";
	struct identity identity = {.name = ""};
	const struct config_camera *found;
	struct stat st;

	if (config->cameras_count == 0) {
		return NULL;
	}
	if (stat(path, &st) == 0 && identity_read(st.st_rdev, &identity) == 0) {
		/* As it is printed. */
		probe_value(identity.name, name);
		probe_value(identity.key, key);
	}
	const char *const names[] = {
		key, identity.name, name, identity.vid_pid, path, NULL}; /* narrow ones first */

	found = config_camera_find(config, names);
	return found != NULL && found->mode.width != 0 ? &found->mode : NULL;
}

static bool size_is(const struct mode *m, const struct config_mode *wish)
{
	return m->width == wish->width && m->height == wish->height;
}

static uint32_t distance(uint32_t a, uint32_t b)
{
	return a > b ? a - b : b - a;
}

/* The interval of that size nearest to the wished one; 0 where the size is not offered. */
static uint32_t nearest_interval(
	const struct mode_list *list, const struct config_mode *wish, uint32_t interval_us)
{
	const struct mode *best = NULL;

	for (size_t i = 0; i < list->count; i++) {
		const struct mode *m = &list->items[i];

		if (size_is(m, wish) &&
			(!best || distance(m->interval_us, interval_us) <
					  distance(best->interval_us, interval_us))) {
			best = m;
		}
	}
	return best ? best->interval_us : 0;
}

static bool size_offered(const struct mode_list *list, const struct config_mode *wish)
{
	for (size_t i = 0; i < list->count; i++) {
		if (size_is(&list->items[i], wish)) {
			return true;
		}
	}
	return false;
}

void wish_apply(const struct config_mode *wish, struct mode_list *list,
	char problem[static DEVICE_PROBLEM_BYTES])
{
	uint32_t interval_us = wish->fps ? (uint32_t)SECOND_US / wish->fps : 0;
	uint32_t nearest_us;
	size_t kept = 0;

	if (!size_offered(list, wish)) {
		snprintf(problem, DEVICE_PROBLEM_BYTES,
			"the configured mode %ux%u is not offered; the usual one is taken",
			wish->width, wish->height);
		return;
	}
	nearest_us = nearest_interval(list, wish, interval_us);
	for (size_t i = 0; i < list->count; i++) {
		const struct mode *m = &list->items[i];

		if (size_is(m, wish) && (!wish->fps || m->interval_us == nearest_us)) {
			list->items[kept++] = *m;
		}
	}
	list->count = kept;
	if (wish->fps && nearest_us > 0 &&
		distance(nearest_us, interval_us) > interval_us / NEAR_ENOUGH) {
		snprintf(problem, DEVICE_PROBLEM_BYTES,
			"the configured rate of %u frames/s is not offered at %ux%u; %u are taken",
			wish->fps, wish->width, wish->height,
			(SECOND_US + nearest_us / 2) / nearest_us);
	}
}
