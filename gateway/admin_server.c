#include "admin_server.h"
#include "forget.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

json_t *admin_error(const char *format, ...)
{
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	return json_pack("{s:b, s:s}", "ok", 0, "error", text);
}

json_t *admin_store_error(int error)
{
	if (error == -ENOSPC) {
		return admin_error(
			"the disk with the state directory is full; make room and try again");
	}
	return admin_error("the store failed: %s; the keeper's log may say more", strerror(-error));
}

static void answer(struct admin_server *a, uint64_t peer, json_t *reply)
{
	static const char failed[] = "{\"ok\":false,\"error\":\"the answer cannot be given: out of "
				     "memory, or too long\"}";
	char *text = reply != NULL ? json_dumps(reply, JSON_COMPACT) : NULL;
	size_t size = text != NULL ? strlen(text) : 0;

	if (text != NULL && size <= ADMIN_REPLY_MAX_BYTES) {
		a->output.reply(a->output.data, peer, text, size);
	} else {
		a->output.reply(a->output.data, peer, failed, sizeof(failed) - 1);
	}
	if (text != NULL) {
		explicit_bzero(text, size); /* a link may be in it */
	}
	free(text);
	json_decref(reply);
}

static json_t *dispatch(struct admin_server *a, const char *command, const json_t *request)
{
	if (strcmp(command, "cameras") == 0) {
		return admin_cameras(a);
	}
	if (strcmp(command, "displays") == 0) {
		return admin_displays(a);
	}
	if (strcmp(command, "status") == 0) {
		return admin_status(a);
	}
	if (strcmp(command, "pair") == 0) {
		return admin_pair(a, request);
	}
	if (strcmp(command, "name") == 0) {
		return admin_name(a, request);
	}
	if (strcmp(command, "grant") == 0) {
		return admin_grant(a, request);
	}
	if (strcmp(command, "confirm") == 0) {
		return admin_confirm(a, request);
	}
	if (strcmp(command, "ignore") == 0) {
		return admin_ignore(a, request);
	}
	if (strcmp(command, "resume") == 0) {
		return admin_resume(a, request);
	}
	if (strcmp(command, "audit") == 0) {
		return admin_audit(a, request);
	}
	if (strcmp(command, "audit_verify") == 0) {
		return admin_audit_verify(a, request);
	}
	if (strcmp(command, "exposure") == 0) {
		return admin_exposure(a, request);
	}
	return admin_error("this keeper knows no such command; is it older than the command line?");
}

/* Whatever is not known to be harmless is a change. Who looked at what, and when, is for the owner.
 */
static bool only_looks(const char *command)
{
	return strcmp(command, "cameras") == 0 || strcmp(command, "displays") == 0 ||
	       strcmp(command, "status") == 0;
}

static bool answers_later(const char *command)
{
	return strcmp(command, "revoke") == 0 || strcmp(command, "suspend") == 0 ||
	       strcmp(command, "forget") == 0;
}

/* NULL when it was begun. */
static json_t *begin(
	struct admin_server *a, const char *command, const json_t *request, uint64_t peer)
{
	if (strcmp(command, "suspend") == 0) {
		return admin_suspend(a, request, peer);
	}
	if (strcmp(command, "forget") == 0) {
		return admin_forget(a, peer);
	}
	return admin_revoke(a, request, peer);
}

void admin_server_hear(
	struct admin_server *a, uint64_t peer, bool may_change, const char *text, size_t size)
{
	json_t *request = NULL, *reply;
	const char *command;

	if (size <= ADMIN_REQUEST_MAX_BYTES) {
		request = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
	}
	command = json_string_value(json_object_get(request, "command"));
	store_act_for(a->store, "the command line");
	if (command == NULL) {
		answer(a, peer, admin_error("the request is not a JSON object with a \"command\""));
	} else if (!may_change && !only_looks(command)) {
		answer(a, peer,
			admin_error("permission denied: members of the group camgate may look, "
				    "changes need root: sudo camgate %.32s ...",
				command));
	} else if (answers_later(command)) {
		reply = begin(a, command, request, peer);
		if (reply != NULL) {
			answer(a, peer, reply);
		}
	} else {
		answer(a, peer, dispatch(a, command, request));
	}
	store_act_for(a->store, NULL);
	json_decref(request);
}

void admin_server_revoked(struct admin_server *a, uint64_t operation, uint64_t cut_us)
{
	for (size_t i = 0; i < REGISTRY_REVOCATIONS_MAX; i++) {
		struct admin_waiting *w = &a->waiting[i];

		if (w->operation != operation || operation == 0) {
			continue;
		}
		if (w->forget) {
			a->output.stop(a->output.data);
		} else {
			answer(a, w->peer,
				json_pack("{s:b, s:s, s:I}", "ok", 1, "message", w->message,
					"cut_ms", (json_int_t)((cut_us + 999) / 1000)));
		}
		*w = (struct admin_waiting){0};
	}
}

void admin_server_end(struct admin_server *a)
{
	if (a->forgetting) {
		a->forgetting = false;
		answer(a, a->forget_peer, forget_delete(a->state_dir));
	}
}
