/* The commands that talk to a running gateway. */
#include "admin_client.h"
#include "admin_print.h"
#include "confirm.h"
#include "log.h"
#include "options.h"
#include "run_link.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { REPLY_TIMEOUT_MS = 10 * 1000 };

static json_t *text_or_null(const char *text)
{
	return text != NULL ? json_string(text) : json_null();
}

/* "all", "none", or the names between commas. */
static json_t *camera_list(const struct options *o)
{
	const char *at = o->grant_cameras;
	json_t *names;

	if (at == NULL) {
		return json_string(o->owner ? "all" : "none");
	}
	if (strcmp(at, "all") == 0 || strcmp(at, "none") == 0) {
		return json_string(at);
	}
	names = json_array();
	for (;;) {
		size_t size = strcspn(at, ",");

		(void)json_array_append_new(names, json_stringn(at, size));
		if (at[size] == '\0') {
			return names;
		}
		at += size + 1;
	}
}

static json_t *make_request(const char *command, const struct options *o)
{
	json_t *request = json_pack("{s:s}", "command", command);

	if (strcmp(command, "pair") == 0) {
		(void)json_object_set_new(request, "name", text_or_null(o->name));
		(void)json_object_set_new(request, "cameras", camera_list(o));
		(void)json_object_set_new(request, "owner", json_boolean(o->owner));
		(void)json_object_set_new(request, "kind", text_or_null(o->kind));
		(void)json_object_set_new(request, "minutes",
			o->minutes > 0 ? json_integer((json_int_t)o->minutes) : json_null());
	} else if (strcmp(command, "name") == 0) {
		(void)json_object_set_new(request, "camera", json_string(o->arguments[0]));
		(void)json_object_set_new(request, "name", json_string(o->arguments[1]));
	} else if (strcmp(command, "confirm") == 0 || strcmp(command, "ignore") == 0) {
		(void)json_object_set_new(request, "camera", json_string(o->arguments[0]));
	} else if (strcmp(command, "suspend") == 0 || strcmp(command, "resume") == 0) {
		(void)json_object_set_new(request, "what", json_string(o->arguments[0]));
		(void)json_object_set_new(request, "reason", text_or_null(o->reason));
	} else if (o->all) {
		(void)json_object_set_new(request, "all", json_true());
	} else if (strcmp(command, "grant") == 0 || strcmp(command, "revoke") == 0) {
		(void)json_object_set_new(request, "display", json_string(o->arguments[0]));
		(void)json_object_set_new(request, "camera",
			text_or_null(o->arguments_count > 1 ? o->arguments[1] : NULL));
	}
	return request;
}

/* Whose gateway it is, for somebody who may not ask it. */
static void say_permission(const struct options *o)
{
	struct stat st;
	const struct passwd *owner = NULL;

	if (stat(o->socket_dir, &st) == 0 || stat(o->state_dir, &st) == 0) {
		owner = getpwuid(st.st_uid);
	}
	if (owner != NULL && strcmp(owner->pw_name, "camgate-keeper") == 0) {
		(void)fprintf(stderr,
			"camgate: permission denied: members of the group camgate may look, "
			"changes need root: sudo camgate ...\n");
	} else if (owner != NULL) {
		(void)fprintf(stderr,
			"camgate: the gateway in %s belongs to the user %s; ask as that user "
			"or as root: sudo%s%s camgate ...\n",
			o->state_dir, owner->pw_name, st.st_uid != 0 ? " -u " : "",
			st.st_uid != 0 ? owner->pw_name : "");
	} else {
		(void)fprintf(stderr,
			"camgate: no permission for %s; ask as the gateway's user or as root\n",
			o->state_dir);
	}
}

static void say_failure(const struct options *o, int error)
{
	switch (error) {
	case -ENOENT:
	case -ENOTDIR:
	case -ECONNREFUSED:
		(void)fprintf(stderr,
			"camgate: no gateway runs with the state directory %s; start one "
			"with camgate run%s%s, or name another with --state DIR\n",
			o->state_dir, o->state_given ? " --state " : "",
			o->state_given ? o->state_dir : "");
		break;
	case -EACCES:
	case -EPERM:
	case -ECONNRESET:
		say_permission(o);
		break;
	case -ETIMEDOUT:
		(void)fprintf(
			stderr, "camgate: the gateway does not answer; its keeper may be hung\n");
		break;
	default:
		(void)fprintf(stderr, "camgate: cannot ask the gateway: %s\n", strerror(-error));
	}
}

/* JSON as it came, the same whether it is an answer or a refusal. */
static void print_json(const json_t *reply)
{
	(void)json_dumpf(reply, stdout, JSON_INDENT(2));
	(void)printf("\n");
}

static void print_message(const json_t *reply)
{
	const char *message = json_string_value(json_object_get(reply, "message"));
	const json_t *cut = json_object_get(reply, "cut_ms");

	(void)printf("%s\n", message != NULL ? message : "done");
	if (cut != NULL) {
		(void)printf("cut off after %lld ms\n", (long long)json_integer_value(cut));
	}
}

static int print_reply(const char *command, const struct options *o, json_t *reply)
{
	if (!json_is_true(json_object_get(reply, "ok"))) {
		const char *error = json_string_value(json_object_get(reply, "error"));

		if (o->json) {
			print_json(reply);
		}
		(void)fprintf(
			stderr, "camgate: %s\n", error != NULL ? error : "the gateway refuses");
		return EXIT_FAILED;
	}
	if (strcmp(command, "pair") == 0) {
		int r = link_print(reply, o);

		if (r < 0) {
			(void)fprintf(stderr,
				"camgate: the gateway is not ready to be reached yet; try "
				"again in a moment\n");
			return EXIT_FAILED;
		}
	} else if (o->json) {
		print_json(reply);
	} else if (strcmp(command, "cameras") == 0) {
		print_cameras(reply);
	} else if (strcmp(command, "displays") == 0) {
		print_displays(reply);
	} else if (strcmp(command, "status") == 0) {
		print_status(reply);
	} else {
		print_message(reply);
	}
	/* A full disk or a closed pipe is a failure to tell. */
	return fflush(stdout) == 0 && !ferror(stdout) ? EXIT_OK : EXIT_FAILED;
}

json_t *admin_ask(const struct options *o, const json_t *request)
{
	json_t *reply = NULL;
	int r = request == NULL ? -ENOMEM
				: admin_request(o->socket_dir, request, REPLY_TIMEOUT_MS, &reply);

	if (r < 0) {
		say_failure(o, r);
		return NULL;
	}
	return reply;
}

/* revoke without a display, or with one too many; and everything only if it is meant. */
static bool revoke_ok(const struct options *o)
{
	if (o->all != (o->arguments_count == 0)) {
		(void)fprintf(stderr, "camgate: revoke what? DISPLAY, DISPLAY CAMERA, or --all\n");
		return false;
	}
	return !o->all || o->yes || !isatty(STDIN_FILENO) ||
	       confirm_ask(
		       "This takes everything from everybody: no display is paired then.", "all");
}

int admin_main(const char *command, const struct options *o)
{
	json_t *request;
	json_t *reply;
	int code;

	if (strcmp(command, "revoke") == 0 && !revoke_ok(o)) {
		return EXIT_USAGE;
	}
	request = make_request(command, o);
	log_init(command);
	reply = admin_ask(o, request);
	json_decref(request);
	if (reply == NULL) {
		return EXIT_FAILED;
	}
	code = print_reply(command, o, reply);
	json_decref(reply);
	return code;
}
