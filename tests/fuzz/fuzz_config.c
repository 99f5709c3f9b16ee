/*
 * A configuration file: whatever it holds, each problem names a line that there is and is safe to
 * print, and what is taken keeps its bounds.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct said {
	unsigned long lines; /* of the file */
	unsigned int errors;
};

static void check_problem(void *data, bool warning, const char *problem)
{
	struct said *said = data;
	char *end;

	if (strncmp(problem, "f.conf:", 7) != 0) {
		abort();
	}
	unsigned long line = strtoul(problem + 7, &end, 10);
	if (line == 0 || line > said->lines || strncmp(end, ": ", 2) != 0) {
		abort();
	}
	for (; *problem != '\0'; problem++) {
		if ((unsigned char)*problem < 0x20 || *problem == 0x7f) {
			abort();
		}
	}
	said->errors += warning ? 0 : 1;
}

static void check_config(const struct config *c)
{
	if (c->hosts_count > CONFIG_HOSTS_MAX || c->cameras_count > CONFIG_CAMERAS_MAX ||
		(c->tls_cert[0] == '\0') != (c->tls_key[0] == '\0') || c->linger_s > 3600 ||
		c->rotate_s > 600 || c->connections > CONFIG_CONNECTIONS_MAX ||
		(c->has_rotate && c->rotate_s == 0)) {
		abort();
	}
	for (unsigned int i = 0; i < c->hosts_count; i++) {
		if (c->hosts[i][0] == '\0' || strpbrk(c->hosts[i], " ,/@\\\"") != NULL) {
			abort();
		}
	}
	for (unsigned int i = 0; i < c->cameras_count; i++) {
		const struct config_camera *camera = &c->cameras[i];

		if (camera->camera[0] == '\0' || camera->mode.width > 8192 ||
			(camera->mode.width == 0) != (camera->mode.height == 0)) {
			abort();
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct config config;
	struct said said = {.lines = 1};
	const struct config_report report = {.data = &said, .say = check_problem};
	char *text = malloc(size > 0 ? size : 1); /* its own, so that reading past it is found */
	int r;

	if (!text) {
		abort();
	}
	memcpy(text, data, size);
	for (size_t i = 0; i < size; i++) {
		said.lines += text[i] == '\n';
	}
	memset(&config, 0, sizeof config);
	r = config_parse(text, size, "f.conf", &config, &report);
	if ((r == 0) != (said.errors == 0) || (r < 0 && r != -EBADMSG)) {
		abort();
	}
	if (r == 0) {
		check_config(&config);
	}
	free(text);
	return 0;
}
