#include "forget.h"
#include "admin_client.h"
#include "confirm.h"
#include "log.h"
#include "options.h"
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The database first: SQLite throws a log away that is older than its database, and a hub without
 * displays may start with the keys that a power cut left. */
static const struct {
	const char *name, *what;
} files[] = {
	{"camgate.db", "displays, cameras, grants, suspensions and the record of who saw what"},
	{"camgate.db-wal", "what was not moved into it yet"},
	{"camgate.db-shm", "its index"},
	{"camgate.db-journal", "its journal"},
	{"identity.pem", "the hub's identity"},
	{"identity.pem.new", "the same, half written"},
	{"ca-key.pem", "the key of its certificate authority"},
	{"ca-key.pem.new", "the same, half written"},
	{"ca.pem", "that authority's certificate"},
	{"ca.pem.new", "the same, half written"},
	{"web-key.pem", "the key of its web server"},
	{"web-key.pem.new", "the same, half written"},
	{"web.pem", "the web server's certificate"},
	{"web.pem.new", "the same, half written"},
};

enum { FILES = sizeof files / sizeof files[0] };

/* 1: deleted; 0: there was none; -errno. */
static int delete_one(const char *state_dir, const char *name)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof path, "%s/%s", state_dir, name);

	if (n < 0 || (size_t)n >= sizeof path) {
		return -ENAMETOOLONG;
	}
	if (unlink(path) < 0) {
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	}
	return 1;
}

/* Gone for good only when the directory is on disk without them. */
static int sync_directory(const char *state_dir)
{
	int fd = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (fd < 0) {
		return errno == ENOENT ? 0 : -errno;
	}
	r = fsync(fd) < 0 ? -errno : 0;
	(void)close(fd);
	return r;
}

json_t *forget_delete(const char *state_dir)
{
	json_t *deleted = json_array();
	int error = 0;

	for (size_t i = 0; i < FILES; i++) {
		int r = delete_one(state_dir, files[i].name);

		if (r > 0) {
			(void)json_array_append_new(
				deleted, json_pack("{s:s, s:s}", "file", files[i].name, "what",
						 files[i].what));
		} else if (r < 0 && error == 0) {
			error = r;
		}
	}
	if (error == 0) {
		error = sync_directory(state_dir);
	}
	if (error < 0) {
		return json_pack("{s:b, s:s+, s:o}", "ok", 0, "error",
			"not everything could be deleted: ", strerror(-error), "deleted", deleted);
	}
	return json_pack("{s:b, s:s, s:o}", "ok", 1, "message",
		json_array_size(deleted) > 0 ? "the hub has forgotten everything; its next start "
					       "is a first one"
					     : "there was nothing to forget",
		"deleted", deleted);
}

/* NULL after a line that says why. */
static json_t *forget_it(const struct options *o)
{
	int lock = store_lock(o->state_dir, true);
	json_t *request, *reply;

	if (lock >= 0 || lock == -ENOENT || lock == -ENOTDIR) {
		reply = forget_delete(o->state_dir);
		if (lock >= 0) {
			(void)close(lock);
		}
		return reply;
	}
	if (lock != -EBUSY) {
		(void)fprintf(stderr,
			"camgate: cannot use %s: %s; ask as the gateway's user or as root\n",
			o->state_dir, strerror(-lock));
		return NULL;
	}
	/* A keeper has it: that one cuts everybody off first. */
	request = json_pack("{s:s}", "command", "forget");
	reply = admin_ask(o, request);
	json_decref(request);
	return reply;
}

static void print_deleted(const struct options *o, const json_t *reply)
{
	const json_t *item;
	size_t i;

	json_array_foreach(json_object_get(reply, "deleted"), i, item)
	{
		const char *file = json_string_value(json_object_get(item, "file"));
		const char *what = json_string_value(json_object_get(item, "what"));

		(void)printf("deleted %s/%s: %s\n", o->state_dir, file != NULL ? file : "?",
			what != NULL ? what : "?");
	}
}

int forget_main(const struct options *o)
{
	char what[PATH_MAX + 320];
	json_t *reply;
	bool ok;

	log_init("forget");
	(void)snprintf(what, sizeof what,
		"This deletes all that the hub in %s knows: its identity, every display and grant, "
		"the record of who saw what, and its certificates. Nothing brings that back, and "
		"every display has to be paired again.",
		o->state_dir);
	if (!o->yes && !confirm_ask(what, "forget")) {
		return EXIT_FAILED;
	}
	reply = forget_it(o);
	if (reply == NULL) {
		return EXIT_FAILED;
	}
	ok = json_is_true(json_object_get(reply, "ok"));
	if (o->json) {
		(void)json_dumpf(reply, stdout, JSON_INDENT(2));
		(void)printf("\n");
	} else {
		print_deleted(o, reply);
	}
	if (!ok || !o->json) {
		const char *text =
			json_string_value(json_object_get(reply, ok ? "message" : "error"));

		(void)fprintf(ok ? stdout : stderr, "%s%s\n",
			ok ? "" : "camgate: ", text != NULL ? text : "the gateway refuses");
	}
	json_decref(reply);
	return ok && fflush(stdout) == 0 && !ferror(stdout) ? EXIT_OK : EXIT_FAILED;
}
