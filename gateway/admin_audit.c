/* `camgate audit`: asks the keeper part by part, and prints the whole. */
#include "admin_client.h"
#include "admin_table.h"
#include "audit_time.h"
#include "log.h"
#include "options.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "";
}

static long long number_of(const json_t *object, const char *key)
{
	return (long long)json_integer_value(json_object_get(object, key));
}

/* Adds "since" and "until"; false after saying what is wrong with one. */
static bool add_span(json_t *request, const struct options *o)
{
	int64_t now_s = (int64_t)time(NULL), since_s = 0, until_s = now_s;

	if (o->since != NULL && audit_time_parse(o->since, now_s, false, &since_s) < 0) {
		(void)fprintf(stderr, "camgate: --since \"%s\" is no time; %s\n", o->since,
			audit_time_words);
		return false;
	}
	if (o->until != NULL && audit_time_parse(o->until, now_s, true, &until_s) < 0) {
		(void)fprintf(stderr, "camgate: --until \"%s\" is no time; %s\n", o->until,
			audit_time_words);
		return false;
	}
	if (since_s > until_s) {
		(void)fprintf(stderr, "camgate: --since is after --until\n");
		return false;
	}
	if (o->since != NULL) {
		(void)json_object_set_new(request, "since", json_integer((json_int_t)since_s));
	}
	if (o->until != NULL) {
		(void)json_object_set_new(request, "until", json_integer((json_int_t)until_s));
	}
	return true;
}

/* The answer if it is no refusal; otherwise it says so. */
static json_t *ask(const struct options *o, const json_t *request)
{
	json_t *reply = admin_ask(o, request);

	if (reply != NULL && !json_is_true(json_object_get(reply, "ok"))) {
		(void)fprintf(stderr, "camgate: %s\n", text_of(reply, "error"));
		json_decref(reply);
		return NULL;
	}
	return reply;
}

static int print_json(json_t *object)
{
	int r = object != NULL ? json_dumpf(object, stdout, JSON_INDENT(2)) : -1;

	(void)printf("\n");
	return r == 0 && fflush(stdout) == 0 ? EXIT_OK : EXIT_FAILED;
}

/* ---- the list ---- */

/* "2026-11-22T13:00:05Z" in local time. */
static void local_time(const char *iso, char out[static AUDIT_TIME_BYTES])
{
	int64_t s = 0;

	out[0] = '\0';
	if (iso[0] != '\0' && audit_time_parse(iso, 0, false, &s) == 0) {
		audit_time_local(s, out);
	}
}

static void add_viewing(struct table *t, const json_t *v)
{
	char from[AUDIT_TIME_BYTES], to[AUDIT_TIME_BYTES] = "now", span[AUDIT_TIME_BYTES] = "?";
	char drawn[24], dropped[24], age[32];
	bool ended = json_is_true(json_object_get(v, "ended"));

	local_time(text_of(v, "from"), from);
	if (ended) {
		local_time(text_of(v, "to"), to);
	}
	if (json_is_integer(json_object_get(v, "duration_ms"))) {
		audit_time_span((uint64_t)number_of(v, "duration_ms"), span);
	}
	(void)snprintf(drawn, sizeof drawn, "%lld", number_of(v, "drawn"));
	(void)snprintf(
		dropped, sizeof dropped, "%lld", number_of(v, "dropped") + number_of(v, "late"));
	(void)snprintf(age, sizeof age, "%lld.%lld s", number_of(v, "worst_age_ms") / 1000,
		number_of(v, "worst_age_ms") / 100 % 10);
	(void)table_add(
		t, (const char *const[]){text_of(v, "display"), text_of(v, "camera"), from, to,
			   span, ended ? drawn : "-", ended ? dropped : "-", ended ? age : "-",
			   !ended                                         ? "-"
			   : json_is_true(json_object_get(v, "attested")) ? "signed"
									  : "counted",
			   ended ? text_of(v, "why") : "watches now"});
}

static void add_event(struct table *t, const json_t *e)
{
	char at[AUDIT_TIME_BYTES];

	local_time(text_of(e, "at"), at);
	(void)table_add(t, (const char *const[]){at, text_of(e, "kind"), text_of(e, "display"),
				   text_of(e, "camera"), text_of(e, "by"), text_of(e, "note")});
}

static void print_table(
	const json_t *items, void (*add)(struct table *t, const json_t *item), struct table *t)
{
	json_t *item;
	size_t i;

	json_array_foreach(items, i, item)
	{
		add(t, item);
	}
	table_print(t, stdout);
	table_finish(t);
}

static void print_list(const json_t *all)
{
	static const char *const viewing_heading[] = {"DISPLAY", "CAMERA", "FROM", "TO", "FOR",
		"DRAWN", "DROPPED", "WORST AGE", "TOTALS", "ENDED"};
	static const char *const event_heading[] = {
		"WHEN", "WHAT", "DISPLAY", "CAMERA", "BY", "NOTE"};
	const json_t *viewings = json_object_get(all, "viewings");
	const json_t *events = json_object_get(all, "events");
	struct table t;

	if (json_array_size(viewings) == 0 && json_array_size(events) == 0) {
		(void)printf("Nothing of that is on record.\n");
		return;
	}
	if (json_array_size(viewings) > 0 && table_init(&t, 10, viewing_heading) == 0) {
		print_table(viewings, add_viewing, &t);
		(void)printf("\nTOTALS: signed by the display when it stopped, or only counted by "
			     "the web role.\n");
	}
	if (json_array_size(events) > 0 && table_init(&t, 6, event_heading) == 0) {
		(void)printf("%s", json_array_size(viewings) > 0 ? "\n" : "");
		print_table(events, add_event, &t);
	}
}

static void sort_in(json_t *all, const json_t *items)
{
	json_t *item;
	size_t i;

	json_array_foreach(items, i, item)
	{
		bool viewing = strcmp(text_of(item, "kind"), "viewing") == 0;

		(void)json_array_append(
			json_object_get(all, viewing ? "viewings" : "events"), item);
	}
}

static int list(const struct options *o, json_t *request)
{
	json_t *all = json_pack("{s:b, s:[], s:[]}", "ok", 1, "viewings", "events");
	json_t *reply;
	int code;

	(void)json_object_set_new(
		request, "camera", o->camera != NULL ? json_string(o->camera) : json_null());
	(void)json_object_set_new(
		request, "display", o->display != NULL ? json_string(o->display) : json_null());
	for (;;) {
		reply = ask(o, request);
		if (reply == NULL) {
			json_decref(all);
			return EXIT_FAILED;
		}
		sort_in(all, json_object_get(reply, "items"));
		if (!json_is_integer(json_object_get(reply, "after"))) {
			break;
		}
		(void)json_object_set(request, "after", json_object_get(reply, "after"));
		json_decref(reply);
	}
	json_decref(reply);
	if (o->json) {
		code = print_json(all);
	} else {
		print_list(all);
		code = fflush(stdout) == 0 ? EXIT_OK : EXIT_FAILED;
	}
	json_decref(all);
	return code;
}

/* ---- checking ---- */

static int print_verified(const json_t *reply)
{
	char first[AUDIT_TIME_BYTES], last[AUDIT_TIME_BYTES];
	bool holds = json_is_true(json_object_get(reply, "holds"));

	audit_time_local(number_of(reply, "first_s"), first);
	audit_time_local(number_of(reply, "last_s"), last);
	if (!holds) {
		(void)printf("The record was changed: entry %lld is not as it was written, or what "
			     "was before it is gone. It was made up, or the disk is damaged.\n",
			number_of(reply, "broken"));
	}
	if (number_of(reply, "last") != 0) {
		(void)printf("%s: entries %lld to %lld, of %s to %s, each chained to the one "
			     "before.\nThe last one's chain is %s\n",
			holds ? "The record holds" : "What holds", number_of(reply, "first"),
			number_of(reply, "last"), first, last, text_of(reply, "chain"));
	} else if (holds) {
		(void)printf("The record is empty.\n");
	}
	if (number_of(reply, "removed") > 0) {
		(void)printf("%lld entries before them went for their age or number; the chain "
			     "begins at the last of those.\n",
			number_of(reply, "removed"));
	}
	return holds ? EXIT_OK : EXIT_FAILED;
}

static int verify(const struct options *o, json_t *request)
{
	json_t *reply;
	int code;

	while ((reply = ask(o, request)) != NULL) {
		if (json_is_true(json_object_get(reply, "done"))) {
			code = o->json ? print_json(reply) : print_verified(reply);
			code = json_is_true(json_object_get(reply, "holds")) ? code : EXIT_FAILED;
			json_decref(reply);
			return code;
		}
		(void)json_object_update(request, reply);
		json_decref(reply);
	}
	return EXIT_FAILED;
}

/* ---- exposure ---- */

static void print_names(const char *what, const json_t *names)
{
	json_t *name;
	size_t i;

	(void)printf("%-18s %zu", what, json_array_size(names));
	json_array_foreach(names, i, name)
	{
		(void)printf("%s%s", i == 0 ? ": " : ", ", json_string_value(name));
	}
	(void)printf("\n");
}

static int print_exposure(const json_t *reply)
{
	char since[AUDIT_TIME_BYTES], until[AUDIT_TIME_BYTES], begins[AUDIT_TIME_BYTES];
	json_t *by;
	size_t i;

	local_time(text_of(reply, "since"), since);
	local_time(text_of(reply, "until"), until);
	local_time(text_of(reply, "record_begins"), begins);
	(void)printf("\"%s\", %s to %s\n", text_of(reply, "camera"), since, until);
	print_names("could have seen", json_object_get(reply, "could_have_seen"));
	print_names("did see", json_object_get(reply, "did_see"));
	print_names("  on a poor link", json_object_get(reply, "on_a_poor_link"));
	(void)printf("%-18s %lld", "alarms", number_of(reply, "alarms"));
	json_array_foreach(json_object_get(reply, "alarms_by"), i, by)
	{
		(void)printf("%s%s (%lld)", i == 0 ? ": " : ", ", text_of(by, "display"),
			number_of(by, "alarms"));
	}
	(void)printf("\n");
	if (!json_is_true(json_object_get(reply, "record_covers_it"))) {
		(void)printf("The record begins at %s: what was before is not in it.\n", begins);
	}
	return fflush(stdout) == 0 ? EXIT_OK : EXIT_FAILED;
}

static int exposure(const struct options *o, json_t *request)
{
	json_t *reply;
	int code;

	(void)json_object_set_new(request, "camera", json_string(o->exposure));
	reply = ask(o, request);
	if (reply == NULL) {
		return EXIT_FAILED;
	}
	code = o->json ? print_json(reply) : print_exposure(reply);
	json_decref(reply);
	return code;
}

int audit_main(const struct options *o)
{
	json_t *request = json_pack("{s:s}", "command",
		o->verify             ? "audit_verify"
		: o->exposure != NULL ? "exposure"
				      : "audit");
	int code = EXIT_USAGE;

	log_init("audit");
	if (request == NULL) {
		return EXIT_FAILED;
	}
	if (o->verify && o->exposure != NULL) {
		(void)fprintf(stderr, "camgate: --verify and --exposure are two questions\n");
	} else if (o->verify) {
		code = verify(o, request);
	} else if (add_span(request, o)) {
		code = o->exposure != NULL ? exposure(o, request) : list(o, request);
	}
	json_decref(request);
	return code;
}
