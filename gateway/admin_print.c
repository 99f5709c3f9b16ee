#include "admin_print.h"
#include "admin_table.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { ID_CHARACTERS = 8 };

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "";
}

static long long number_of(const json_t *object, const char *key)
{
	return (long long)json_integer_value(json_object_get(object, key));
}

/* Ids are told short: eight digits are enough for every command. */
static void short_id(const json_t *object, char out[static ID_CHARACTERS + 1])
{
	(void)snprintf(out, ID_CHARACTERS + 1, "%s", text_of(object, "id"));
}

static void join_names(const json_t *names, const char *nobody, char *out, size_t size)
{
	size_t used = 0;
	size_t i;
	json_t *name;

	(void)snprintf(out, size, "%s", json_array_size(names) == 0 ? nobody : "");
	json_array_foreach(names, i, name)
	{
		const char *text = json_string_value(name);
		int n = snprintf(out + used, size - used, "%s%s", i > 0 ? ", " : "",
			text != NULL ? text : "?");

		if (n < 0 || (size_t)n >= size - used) {
			return;
		}
		used += (size_t)n;
	}
}

static const char *camera_condition(const json_t *camera)
{
	const char *activity = text_of(camera, "activity");

	if (strcmp(text_of(camera, "state"), "ignored") == 0) {
		return "ignored";
	}
	if (json_is_object(json_object_get(camera, "suspended"))) {
		return "suspended";
	}
	if (strcmp(text_of(camera, "state"), "ready") != 0) {
		return "offline";
	}
	if (strcmp(text_of(camera, "standing"), "quarantined") == 0) {
		return "unconfirmed";
	}
	if (json_is_false(json_object_get(camera, "decided"))) {
		return "new";
	}
	if (strcmp(activity, "idle") == 0) {
		return "ready";
	}
	return strcmp(activity, "streaming") == 0 ? "live" : activity;
}

static const char *identity_words(const json_t *camera)
{
	static const struct {
		const char *identity, *words;
	} words[] = {
		{"serial", "serial number"},
		{"port", "bound to port"},
		{"run", "this run only"},
		{"test", "test picture"},
	};

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (strcmp(words[i].identity, text_of(camera, "identity")) == 0) {
			return words[i].words;
		}
	}
	return "";
}

static long long dropped_total(const json_t *camera)
{
	const char *reason;
	json_t *count;
	long long total = 0;

	json_object_foreach(json_object_get(camera, "dropped"), reason, count)
	{
		total += (long long)json_integer_value(count);
	}
	return total;
}

static void add_camera_row(struct table *t, const json_t *camera)
{
	char id[ID_CHARACTERS + 1];
	char watchers[24];
	char shared[TABLE_CELL_BYTES];

	short_id(camera, id);
	(void)snprintf(watchers, sizeof watchers, "%lld", number_of(camera, "watchers"));
	join_names(json_object_get(camera, "shared_with"), "nobody", shared, sizeof shared);
	(void)table_add(t,
		(const char *const[]){text_of(camera, "name"), camera_condition(camera), watchers,
			shared, text_of(camera, "source"), identity_words(camera), id});
}

/* How sure it is that a camera is this one. */
static const char *identity_strength_words(const json_t *camera)
{
	const char *identity = text_of(camera, "identity");

	if (strcmp(identity, "serial") == 0) {
		return "strong: known by its serial number at any port";
	}
	if (strcmp(identity, "port") == 0) {
		return "bound to port: known by its make and where it is plugged in";
	}
	if (strcmp(identity, "test") == 0) {
		return "a test picture";
	}
	return strcmp(text_of(camera, "standing"), "confirmed") == 0
		       ? "weak: cannot be told apart, confirmed for this run"
		       : "weak: cannot be told apart, known for this run only";
}

/* Why it is this mode, where nothing had to give way. */
static const char *mode_reason(const json_t *camera)
{
	return strcmp(text_of(camera, "identity"), "test") == 0
		       ? "as you asked"
		       : "the best it offers up to 1920x1080 at 30 fps";
}

/* Of a display or camera: nothing if it is not suspended. */
static void print_suspension(const json_t *of)
{
	const json_t *suspended = json_object_get(of, "suspended");

	if (json_is_object(suspended)) {
		(void)printf("  suspended since %s: %s\n", text_of(suspended, "since"),
			text_of(suspended, "reason"));
	}
}

/* What is wrong with a camera, and what to do, under the table. */
static void print_camera_remarks(const json_t *camera)
{
	const char *detail = text_of(camera, "detail");
	const char *advice = text_of(camera, "advice");
	long long dropped = dropped_total(camera);

	(void)printf("\n%s\n  identity  %s (%s)\n", text_of(camera, "name"),
		text_of(camera, "known_as"), identity_strength_words(camera));
	print_suspension(camera);
	if (text_of(camera, "mode")[0] != '\0') {
		(void)printf("  mode      %s: %s\n", text_of(camera, "mode"),
			detail[0] != '\0' ? detail : mode_reason(camera));
	} else if (detail[0] != '\0') {
		(void)printf("  detail    %s\n", detail);
	}
	if (dropped > 0) {
		(void)printf("  lost      %lld bad or late pictures of the device were not used\n",
			dropped);
	}
	if (advice[0] != '\0') {
		(void)printf("  to do     %s\n", advice);
	}
}

void print_cameras(const json_t *reply)
{
	static const char *const heading[] = {
		"CAMERA", "STATE", "VIEWERS", "SHOWN TO", "SOURCE", "KNOWN BY", "ID"};
	json_t *cameras = json_object_get(reply, "cameras");
	struct table t;
	size_t i;
	json_t *camera;

	if (json_array_size(cameras) == 0) {
		(void)printf("There are no cameras. Plug one in, or start with --camera pattern "
			     "for a test "
			     "picture.\n");
		return;
	}
	if (table_init(&t, sizeof heading / sizeof heading[0], heading) < 0) {
		return;
	}
	json_array_foreach(cameras, i, camera)
	{
		add_camera_row(&t, camera);
	}
	table_print(&t, stdout);
	table_finish(&t);
	json_array_foreach(cameras, i, camera)
	{
		print_camera_remarks(camera);
	}
}

/* "2024-05-01T10:20:30Z" without its letters, to the minute. */
static void short_time(const char *iso, char *out, size_t size)
{
	(void)snprintf(out, size, "%.16s", iso);
	if (strlen(out) > 10 && out[10] == 'T') {
		out[10] = ' ';
	}
}

void print_displays(const json_t *reply)
{
	static const char *const heading[] = {
		"DISPLAY", "KIND", "OWNER", "ONLINE", "SHOWS", "WATCHES NOW", "PAIRED (UTC)", "ID"};
	json_t *displays = json_object_get(reply, "displays");
	struct table t;
	size_t i;
	json_t *display;

	if (json_array_size(displays) == 0) {
		(void)printf("No display is paired. `camgate pair --owner` makes a link for the "
			     "first one.\n");
		return;
	}
	if (table_init(&t, sizeof heading / sizeof heading[0], heading) < 0) {
		return;
	}
	json_array_foreach(displays, i, display)
	{
		char id[ID_CHARACTERS + 1];
		char paired[32];
		char cameras[TABLE_CELL_BYTES];
		char watching[TABLE_CELL_BYTES];

		short_id(display, id);
		short_time(text_of(display, "paired"), paired, sizeof paired);
		join_names(json_object_get(display, "cameras"), "nothing", cameras, sizeof cameras);
		join_names(json_object_get(display, "watching"), "-", watching, sizeof watching);
		(void)table_add(&t,
			(const char *const[]){text_of(display, "name"), text_of(display, "kind"),
				json_is_true(json_object_get(display, "owner")) ? "yes" : "no",
				json_is_true(json_object_get(display, "online")) ? "yes" : "no",
				cameras, watching, paired, id});
	}
	table_print(&t, stdout);
	table_finish(&t);
	json_array_foreach(displays, i, display)
	{
		if (json_is_object(json_object_get(display, "suspended"))) {
			(void)printf("\n%s\n", text_of(display, "name"));
			print_suspension(display);
		}
	}
}

static void print_suspensions(const json_t *reply)
{
	size_t i;
	json_t *item;

	json_array_foreach(json_object_get(reply, "suspended"), i, item)
	{
		const char *name = text_of(item, "name"), *what = text_of(item, "what");

		(void)printf("%-18s %s %s since %s: %s\n", i == 0 ? "suspended" : "",
			name[0] != '\0' ? what : "every", name[0] != '\0' ? name : what,
			text_of(item, "since"), text_of(item, "reason"));
	}
}

static void print_counts(const char *label, json_t *counts)
{
	const char *reason;
	json_t *count;
	long long total = 0;

	json_object_foreach(counts, reason, count)
	{
		total += (long long)json_integer_value(count);
	}
	(void)printf("%-18s %lld", label, total);
	json_object_foreach(counts, reason, count)
	{
		if (json_integer_value(count) > 0) {
			(void)printf(", %s %lld", reason, (long long)json_integer_value(count));
		}
	}
	(void)printf("\n");
}

static void print_uptime(long long seconds)
{
	(void)printf("%-18s ", "up for");
	if (seconds >= 24 * 60 * 60) {
		(void)printf("%lld d ", seconds / (24 * 60 * 60));
	}
	(void)printf(
		"%02lld:%02lld:%02lld\n", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
}

static void print_line(const char *label, const char *value)
{
	(void)printf("%-18s %s\n", label, value[0] != '\0' ? value : "-");
}

void print_status(const json_t *reply)
{
	const json_t *web = json_object_get(reply, "web");
	const json_t *keeper = json_object_get(reply, "keeper");
	size_t i, waiting = 0;
	json_t *camera;

	(void)printf("camgate %s\n", text_of(reply, "version"));
	print_uptime(number_of(reply, "uptime_s"));
	print_line("state", text_of(reply, "state_dir"));
	print_line("home", text_of(reply, "home"));
	print_line("hub key", text_of(reply, "fingerprint"));
	print_line("owner", json_is_true(json_object_get(reply, "owner"))
				    ? "there is one"
				    : "none yet: camgate pair --owner");
	(void)printf("%-18s port %lld, %lld connections\n", "web", number_of(web, "port"),
		number_of(web, "connections"));
	print_line("web sandbox", text_of(web, "sandbox"));
	print_line("keeper sandbox", text_of(keeper, "sandbox"));
	(void)printf("%-18s %lld\n", "viewings", number_of(reply, "viewings"));
	if (text_of(reply, "record_problem")[0] != '\0') {
		print_line("record", text_of(reply, "record_problem"));
	}
	print_suspensions(reply);
	print_counts("refused", json_object_get(web, "refused"));
	print_counts("mix-up alarms", json_object_get(reply, "anomalies"));
	(void)printf("%-18s %zu\n", "cameras", json_array_size(json_object_get(reply, "cameras")));
	json_array_foreach(json_object_get(reply, "cameras"), i, camera)
	{
		const char *condition = camera_condition(camera);
		const char *detail = text_of(camera, "detail");

		(void)printf("  %s: %s%s%s\n", text_of(camera, "name"), condition,
			detail[0] != '\0' ? ": " : "", detail);
		waiting += strcmp(condition, "new") == 0 || strcmp(condition, "unconfirmed") == 0;
	}
	if (waiting > 0) {
		(void)printf(
			"%zu of them wait for your word: an owner's display asks about them, and "
			"`camgate cameras` says what to do\n",
			waiting);
	}
}
