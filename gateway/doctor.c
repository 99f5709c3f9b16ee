#include "doctor.h"
#include "admin_client.h"
#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { DOCTOR_ASK_MS = 3000 };

static const char *const states[] = {
	[DOCTOR_OK] = "ok",
	[DOCTOR_NOTE] = "note",
	[DOCTOR_WRONG] = "wrong",
};

void doctor_say(struct doctor *d, const char *subject, enum doctor_verdict verdict,
	const char *todo, const char *format, ...)
{
	struct doctor_line *line;
	va_list arguments;

	d->wrong = d->wrong || verdict == DOCTOR_WRONG;
	if (d->count == DOCTOR_LINES_MAX) {
		return;
	}
	line = &d->lines[d->count++];
	*line = (struct doctor_line){.verdict = verdict};
	(void)snprintf(line->subject, sizeof line->subject, "%s", subject);
	(void)snprintf(line->todo, sizeof line->todo, "%s", todo != NULL ? todo : "");
	va_start(arguments, format);
	(void)vsnprintf(line->text, sizeof line->text, format, arguments);
	va_end(arguments);
}

/* Devices choose some of the words: nothing of them may steer a terminal. */
static void print_words(const char *text, FILE *out)
{
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		(void)fputc(c < ' ' || c == 0x7f ? '?' : c, out);
	}
}

void doctor_print(const struct doctor *d, FILE *out)
{
	static const char *const marks[] = {
		[DOCTOR_OK] = "ok", [DOCTOR_NOTE] = "note", [DOCTOR_WRONG] = "WRONG"};
	const char *subject = "";

	for (unsigned int i = 0; i < d->count; i++) {
		const struct doctor_line *line = &d->lines[i];
		bool same = strcmp(subject, line->subject) == 0;

		subject = line->subject;
		(void)fprintf(out, "%-12s %-6s ", same ? "" : subject, marks[line->verdict]);
		print_words(line->text, out);
		if (line->todo[0] != '\0') {
			(void)fprintf(out, "\n%-20s-> ", "");
			print_words(line->todo, out);
		}
		(void)fprintf(out, "\n");
	}
	(void)fprintf(out, "\n%s\n",
		d->wrong ? "Something is wrong: see what the arrows say." : "Nothing is wrong.");
}

/* What a device says of itself may be in any encoding. */
static json_t *text_of(const char *text)
{
	char ascii[DOCTOR_TEXT_BYTES];
	json_t *value = json_string(text);
	size_t n = 0;

	if (value != NULL) {
		return value;
	}
	for (; text[n] != '\0' && n + 1 < sizeof ascii; n++) {
		ascii[n] = (char)((unsigned char)text[n] < 0x80 ? text[n] : '?');
	}
	ascii[n] = '\0';
	return json_string(ascii);
}

json_t *doctor_json(const struct doctor *d)
{
	json_t *lines = json_array();

	for (unsigned int i = 0; i < d->count; i++) {
		const struct doctor_line *line = &d->lines[i];

		if (json_array_append_new(lines,
			    json_pack("{s:s, s:s, s:o, s:o}", "subject", line->subject, "state",
				    states[line->verdict], "text", text_of(line->text), "to_do",
				    text_of(line->todo))) < 0) {
			json_decref(lines);
			return NULL;
		}
	}
	return json_pack("{s:b, s:o}", "ok", (int)!d->wrong, "lines", lines);
}

/* The answer, or NULL; then *ret_error says why. */
static json_t *ask(const struct options *o, const char *command, int *ret_error)
{
	json_t *request = json_pack("{s:s}", "command", command);
	json_t *reply = NULL;
	int r = request != NULL ? admin_request(o->socket_dir, request, DOCTOR_ASK_MS, &reply)
				: -ENOMEM;

	json_decref(request);
	if (r == 0 && !json_is_true(json_object_get(reply, "ok"))) {
		json_decref(reply);
		reply = NULL;
		r = -EACCES;
	}
	*ret_error = r;
	return reply;
}

static int tell(const struct doctor *d, bool json)
{
	if (json) {
		json_t *object = doctor_json(d);
		int r = object != NULL ? json_dumpf(object, stdout, JSON_INDENT(2)) : -1;

		json_decref(object);
		(void)printf("\n");
		if (r < 0) {
			return EXIT_FAILED;
		}
	} else {
		doctor_print(d, stdout);
	}
	return d->wrong || fflush(stdout) != 0 ? EXIT_FAILED : EXIT_OK;
}

int doctor_main(const struct options *o)
{
	static struct doctor doctor;
	struct doctor *d = &doctor;
	json_t *status, *cameras;
	int error = 0, ignored;
	int code;

	log_init("doctor");
	if (o->bench) {
		return doctor_bench(o->json, stdout) == 0 ? EXIT_OK : EXIT_FAILED;
	}
	status = ask(o, "status", &error);
	cameras = status != NULL ? ask(o, "cameras", &ignored) : NULL;
	*d = (struct doctor){.options = o,
		.status = status,
		.cameras = cameras,
		.denied = error == -EACCES || error == -EPERM || error == -ECONNRESET};
	doctor_config(d, CONFIG_FILE);
	doctor_gateway(d);
	doctor_cameras(d);
	doctor_permissions(d);
	doctor_network(d);
	doctor_clock(d);
	doctor_memory(d);
	doctor_state(d);
	code = tell(d, o->json);
	json_decref(status);
	json_decref(cameras);
	return code;
}
