/* Which cameras the owner takes for what they are, and which he does not want. */
#include "admin_server.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

json_t *admin_may_be_shown(const struct store_camera *c)
{
	if (c->standing == STANDING_QUARANTINED) {
		return admin_error(
			"\"%s\" cannot be told from others of its kind; make sure which one "
			"it is, then `camgate confirm \"%s\"`, then show it",
			c->name, c->name);
	}
	if (c->standing == STANDING_IGNORED) {
		return admin_error(
			"\"%s\" is ignored; `camgate confirm \"%s\"` takes it back first", c->name,
			c->name);
	}
	return NULL;
}

static json_t *message(const char *format, const struct store_camera *c)
	__attribute__((format(printf, 1, 0)));

/* format has the name once. */
static json_t *message(const char *format, const struct store_camera *c)
{
	char text[NAME_MAX_BYTES + 256];

	snprintf(text, sizeof(text), format, c->name);
	return json_pack("{s:b, s:s}", "ok", 1, "message", text);
}

json_t *admin_confirm(struct admin_server *a, const json_t *request)
{
	const char *name = json_string_value(json_object_get(request, "camera"));
	struct store_camera c;
	json_t *error = admin_find_camera(a, name, &c);
	int result;

	if (error != NULL) {
		return error;
	}
	result = registry_confirm(a->registry, c.id);
	if (result == -EALREADY) {
		return admin_error("\"%s\" needs no confirmation: it is %s", c.name,
			c.standing == STANDING_CONFIRMED ? "confirmed already"
							 : "known and not ignored");
	}
	if (result < 0) {
		return admin_store_error(result);
	}
	if (c.standing == STANDING_QUARANTINED) {
		return message(
			"\"%s\" is confirmed until it is unplugged or restarted. It is shown to "
			"nobody yet: grant it to your own display first, and look",
			&c);
	}
	if (c.strength == IDENTITY_RUN) {
		return message(
			"\"%s\" is ignored no more. It comes back within seconds, under this or "
			"a new name, and has to be confirmed again: it cannot be told from "
			"others of its kind",
			&c);
	}
	return message("\"%s\" is ignored no more. It comes back within seconds and is shown to "
		       "those who could see it before",
		&c);
}

json_t *admin_ignore(struct admin_server *a, const json_t *request)
{
	const char *name = json_string_value(json_object_get(request, "camera"));
	struct store_camera c;
	json_t *error = admin_find_camera(a, name, &c);
	int result;

	if (error != NULL) {
		return error;
	}
	result = registry_ignore(a->registry, c.id);
	if (result == -EALREADY) {
		return admin_error("\"%s\" is ignored already", c.name);
	}
	if (result < 0) {
		return admin_store_error(result);
	}
	if (c.strength == IDENTITY_RUN) {
		return message(
			"\"%s\" is ignored, and so is every camera that looks the same, until "
			"`camgate confirm`",
			&c);
	}
	return message("\"%s\" is ignored until `camgate confirm`, wherever it is plugged in", &c);
}

/* ---- what to do ---- */

struct alike {
	const struct store_camera *camera;
	char name[NAME_MAX_BYTES + 1];
};

static int find_alike(void *data, const struct store_camera *c)
{
	struct alike *alike = data;

	if (memcmp(c->id, alike->camera->id, CAMERA_ID_BYTES) == 0 ||
		c->strength != IDENTITY_PORT || strcmp(c->vid_pid, alike->camera->vid_pid) != 0) {
		return 0;
	}
	memcpy(alike->name, c->name, sizeof(alike->name));
	return 1;
}

/* Twins without serial numbers: whoever swaps their ports swaps the cameras. */
static bool has_twin(struct admin_server *a, const struct store_camera *c, struct alike *ret)
{
	*ret = (struct alike){.camera = c};
	return c->strength == IDENTITY_PORT && c->vid_pid[0] != 0 &&
	       store_camera_each(a->store, find_alike, ret) == 1;
}

void admin_camera_advice(struct admin_server *a, const struct store_camera *c,
	const struct registry_camera_view *view, size_t shown, char out[static ADMIN_ADVICE_BYTES])
{
	struct alike twin;

	out[0] = 0;
	if (c->standing == STANDING_IGNORED) {
		snprintf(out, ADMIN_ADVICE_BYTES,
			"you do not want it: camgate confirm \"%s\" if you do", c->name);
	} else if (view == NULL) {
		snprintf(out, ADMIN_ADVICE_BYTES,
			"not here: plug it in%s, or look in the log why it ended",
			c->strength == IDENTITY_PORT ? " at the same port" : "");
	} else if (view->status.activity == CAMERA_FROZEN) {
		snprintf(out, ADMIN_ADVICE_BYTES,
			"it repeats the same picture: unplug it and plug it in again");
	} else if (view->status.activity == CAMERA_FAILING) {
		snprintf(out, ADMIN_ADVICE_BYTES,
			"somebody watches and it gives no picture: see the detail");
	} else if (c->standing == STANDING_QUARANTINED) {
		snprintf(out, ADMIN_ADVICE_BYTES,
			"it cannot be told from others of its kind: make sure which one it is%s, "
			"then camgate confirm \"%s\", or camgate ignore \"%s\"",
			c->decided ? "" : " (owner displays show a preview)", c->name, c->name);
	} else if (!c->decided) {
		snprintf(out, ADMIN_ADVICE_BYTES,
			"new, and shown to nobody: owner displays ask about it; or camgate grant "
			"DISPLAY \"%s\", or camgate ignore \"%s\"",
			c->name, c->name);
	} else if (shown == 0) {
		snprintf(out, ADMIN_ADVICE_BYTES, "shown to nobody: camgate grant DISPLAY \"%s\"%s",
			c->name, c->standing == STANDING_CONFIRMED ? "" : ", or camgate ignore it");
	} else if (c->standing == STANDING_CONFIRMED) {
		snprintf(out, ADMIN_ADVICE_BYTES,
			"what is granted lasts until it is unplugged or restarted");
	} else if (has_twin(a, c, &twin)) {
		snprintf(out, ADMIN_ADVICE_BYTES,
			"known by its port alone, and \"%s\" is of the same kind: do not swap them",
			twin.name);
	}
}
