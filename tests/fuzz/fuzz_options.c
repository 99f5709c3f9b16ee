/* The command line: arguments, one per line. What is taken keeps its bounds. */
#include "options.h"
#include "quiet_log.h"
#include "script.h"

#include <errno.h>
#include <stdio.h>

enum { ARGUMENTS_MAX = 48 };

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	/* What is said of wrong usage; libFuzzer and the sanitizers do not write there. */
	FILE *nowhere = fopen("/dev/null", "w");

	if (!nowhere) {
		abort();
	}
	stderr = nowhere;
	stdout = nowhere;
	return 0;
}

static void check(const struct options *o)
{
	if (o->hosts_count > OPTIONS_HOSTS_MAX || o->cameras_count > OPTIONS_CAMERAS_MAX ||
		o->arguments_count > 8 || o->state_dir[0] != '/' || o->socket_dir[0] != '/') {
		abort();
	}
	for (unsigned int i = 0; i < o->arguments_count; i++) {
		if (!o->arguments[i]) {
			abort();
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct options options;
	char *argv[ARGUMENTS_MAX + 1] = {NULL};
	char *text = malloc(size + 1);
	int argc = 0;
	int r;

	if (!text) {
		abort();
	}
	memcpy(text, data, size);
	text[size] = '\0';
	for (char *at = text; at && argc < ARGUMENTS_MAX;) {
		argv[argc++] = strsep(&at, "\n");
	}
	/* A file that is there would be read: not from here. */
	bool reads = strstr(text, "--conf") != NULL;
	if (!reads) {
		memset(&options, 0, sizeof(options));
		r = options_parse(&options, argc, argv);
		if (r == 0) {
			check(&options);
		} else if (r != -EINVAL && r != -EBADMSG) {
			abort();
		}
	}
	free(text);
	return 0;
}
