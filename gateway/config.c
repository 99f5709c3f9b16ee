#include "config.h"
#include "address.h"
#include "config_value.h"
#include "nearest.h"

#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum section { SECTION_NONE, SECTION_HUB, SECTION_CAMERA, SECTION_SKIPPED };

/* inih tells no line numbers, so its lines are fed from here and counted. */
struct parser {
	const char *path;
	const struct config_report *report;
	const char *at, *end;
	unsigned int line;
	bool failed;
	enum section section;
	struct config_camera *camera; /* of SECTION_CAMERA */
	unsigned int camera_mode_line;
	unsigned int given[CONFIG_KEYS]; /* in which line; 0: not yet */
	struct config config;
};

static void say(const struct config_report *report, bool warning, const char *path,
	unsigned int line, const char *format, va_list arguments)
{
	char problem[CONFIG_PROBLEM_BYTES];
	int n = snprintf(problem, sizeof problem, "%.256s:%u: ", path, line);

	if (n < 0 || (size_t)n >= sizeof problem) {
		return;
	}
	(void)vsnprintf(problem + n, sizeof problem - (size_t)n, format, arguments);
	/* What the file holds may be anything, and goes to a terminal. */
	for (char *c = problem; *c != '\0'; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f) {
			*c = '?';
		}
	}
	report->say(report->data, warning, problem);
}

void config_complain(const struct config_report *report, bool warning, const char *path,
	unsigned int line, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(report, warning, path, line, format, arguments);
	va_end(arguments);
}

__attribute__((format(printf, 2, 3))) static void wrong(struct parser *p, const char *format, ...)
{
	va_list arguments;

	p->failed = true;
	va_start(arguments, format);
	say(p->report, false, p->path, p->line, format, arguments);
	va_end(arguments);
}

static void unknown(struct parser *p, const char *what, const char *word, const char *const *words)
{
	const char *nearest = nearest_find(word, words);

	config_complain(p->report, true, p->path, p->line,
		"there is no %s \"%.64s\"; it is ignored%s%s%s", what, word,
		nearest != NULL ? ". Did you mean \"" : "", nearest != NULL ? nearest : "",
		nearest != NULL ? "\"?" : "");
}

/* ---- sections ---- */

static void begin_camera(struct parser *p, const char *name)
{
	const char *const names[] = {name, NULL};

	p->section = SECTION_SKIPPED;
	if (name[0] == '\0') {
		wrong(p, "which camera? Write [camera NAME], as `camgate probe DEVICE` tells it");
	} else if (strlen(name) >= CONFIG_CAMERA_BYTES) {
		wrong(p, "a camera's name has at most %d bytes", CONFIG_CAMERA_BYTES - 1);
	} else if (config_camera_find(&p->config, names) != NULL) {
		wrong(p, "[camera %s] is there twice; put both into one", name);
	} else if (p->config.cameras_count == CONFIG_CAMERAS_MAX) {
		wrong(p, "too many cameras: there can be %d", CONFIG_CAMERAS_MAX);
	} else {
		p->section = SECTION_CAMERA;
		p->camera_mode_line = 0;
		p->camera = &p->config.cameras[p->config.cameras_count++];
		(void)snprintf(p->camera->camera, sizeof p->camera->camera, "%s", name);
	}
}

/* text: behind the bracket. */
static void begin_section(struct parser *p, const char *text)
{
	static const char *const sections[] = {"hub", "camera", NULL};
	char name[CONFIG_TEXT_BYTES];
	size_t size = strcspn(text, "]");

	p->section = SECTION_SKIPPED;
	if (text[size] != ']') {
		return; /* inih says so */
	}
	(void)snprintf(name, sizeof name, "%.*s", (int)size, text);
	config_value_trim(name);
	if (strcmp(name, "hub") == 0) {
		p->section = SECTION_HUB;
	} else if (strcmp(name, "camera") == 0) {
		begin_camera(p, "");
	} else if (strncmp(name, "camera ", 7) == 0 || strncmp(name, "camera\t", 7) == 0) {
		config_value_trim(name + 7);
		begin_camera(p, name + 7);
	} else {
		unknown(p, "section", name, sections);
	}
}

/* ---- lines ---- */

/* What inih calls instead of fgets. A line that it could not hold comes as an empty one, with the
 * error reported. Indentation means nothing. */
static char *next_line(char *out, int size, void *data)
{
	struct parser *p = data;
	const char *line = p->at, *newline;
	size_t length;

	if (p->at == p->end) {
		return NULL;
	}
	newline = memchr(line, '\n', (size_t)(p->end - line));
	p->at = newline != NULL ? newline + 1 : p->end;
	length = (size_t)((newline != NULL ? newline : p->end) - line);
	if (++p->line == 1 && length >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0) {
		line += 3;
		length -= 3;
	}
	while (length > 0 && (line[0] == ' ' || line[0] == '\t')) {
		line++;
		length--;
	}
	if (memchr(line, '\0', length) != NULL) {
		wrong(p, "this is no text");
		length = 0;
	} else if (length + 2 > (size_t)size) {
		/* A long comment is a comment all the same. */
		if (line[0] != '#' && line[0] != ';') {
			wrong(p, "this line is too long: %d bytes at most", size - 2);
		}
		length = 0;
	}
	(void)snprintf(out, (size_t)size, "%.*s\n", (int)length, line);
	if (out[0] == '[') {
		begin_section(p, out + 1);
	}
	return out;
}

static void hub_key(struct parser *p, const char *key, const char *value)
{
	const char *expected = NULL;
	int k = config_key_find(key);

	if (k < 0) {
		unknown(p, "key", key, config_keys);
		return;
	}
	if (p->given[k] != 0 && k != CONFIG_HOSTS) {
		wrong(p, "%s was given in line %u already; keep one", key, p->given[k]);
		return;
	}
	p->given[k] = p->line;
	if (value[0] == '\0') {
		wrong(p, "%s has no value; give it one, or remove the line", key);
	} else if (config_value_set(&p->config, (enum config_key)k, value, &expected) < 0) {
		wrong(p, "%s = %.200s is not understood; it should be %s", key, value, expected);
	}
}

static void camera_key(struct parser *p, const char *key, const char *value)
{
	static const char *const keys[] = {"mode", NULL};

	if (strcmp(key, "mode") != 0) {
		unknown(p, "key", key, keys);
	} else if (p->camera_mode_line != 0) {
		wrong(p, "mode was given in line %u already; keep one", p->camera_mode_line);
	} else {
		p->camera_mode_line = p->line;
		if (config_mode_parse(value, &p->camera->mode) < 0) {
			wrong(p,
				"mode = %.200s is not understood; it should be WIDTHxHEIGHT or "
				"WIDTHxHEIGHT@FPS, as 1280x720@15",
				value);
		}
	}
}

static int on_key(void *data, const char *section, const char *key, const char *value)
{
	struct parser *p = data;

	(void)section; /* cut by inih where it is long */
	switch (p->section) {
	case SECTION_NONE:
		wrong(p, "%.64s is in no section; write [hub] above it", key);
		break;
	case SECTION_HUB:
		hub_key(p, key, value);
		break;
	case SECTION_CAMERA:
		camera_key(p, key, value);
		break;
	case SECTION_SKIPPED:
		break;
	}
	return 1;
}

static void check_whole(struct parser *p)
{
	unsigned int cert = p->given[CONFIG_TLS_CERT], key = p->given[CONFIG_TLS_KEY];

	p->config.tls_line = cert > key ? cert : key;
	p->line = p->config.tls_line;
	if (cert == 0 && key != 0) {
		wrong(p, "tls_key without tls_cert; give both, or none");
	} else if (cert != 0 && key == 0) {
		wrong(p, "tls_cert without tls_key; give both, or none");
	}
}

int config_parse(const char *text, size_t size, const char *path, struct config *ret,
	const struct config_report *report)
{
	struct parser *p = calloc(1, sizeof *p);
	int r;

	if (p == NULL) {
		return -ENOMEM;
	}
	p->path = path;
	p->report = report;
	p->at = text;
	p->end = text + size;
	r = ini_parse_stream(next_line, p, on_key, p);
	if (r != 0) {
		p->line = r > 0 ? (unsigned int)r : p->line;
		wrong(p, "this is neither [section] nor KEY = VALUE");
	}
	check_whole(p);
	r = p->failed ? -EBADMSG : 0;
	if (r == 0) {
		*ret = p->config;
	}
	free(p);
	return r;
}

const struct config_camera *config_camera_find(
	const struct config *config, const char *const *names)
{
	for (; *names != NULL; names++) {
		for (unsigned int i = 0; (*names)[0] != '\0' && i < config->cameras_count; i++) {
			if (strcmp(config->cameras[i].camera, *names) == 0) {
				return &config->cameras[i];
			}
		}
	}
	return NULL;
}
