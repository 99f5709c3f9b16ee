/* Finds the command and hands over; what a command does is in the file of its name. */
#include "command.h"
#include "options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool is_help(const char *text)
{
	return strcmp(text, "help") == 0 || strcmp(text, "--help") == 0 || strcmp(text, "-h") == 0;
}

static int unknown_command(const char *name)
{
	const char *nearest = command_nearest(name);

	(void)fprintf(stderr, "camgate: there is no command '%s'", name);
	if (nearest != NULL) {
		(void)fprintf(stderr, "; did you mean '%s'?", nearest);
	}
	(void)fprintf(stderr, " See camgate help\n");
	return EXIT_USAGE;
}

static bool asks_for_help(int argc, char **argv)
{
	for (int i = 2; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			return true;
		}
	}
	return false;
}

static int dispatch(const char *name, const struct options *o)
{
	static const struct {
		const char *name;
		int (*main)(const struct options *o);
	} mains[] = {
		{"run", run_main},
		{"keeper", keeper_main},
		{"web", web_main},
		{"camera", camera_main},
		{"probe", probe_main},
		{"check-config", config_check_main},
		{"generator", generator_main},
		{"doctor", doctor_main},
		{"audit", audit_main},
		{"forget", forget_main},
	};

	for (size_t i = 0; i < sizeof mains / sizeof mains[0]; i++) {
		if (strcmp(mains[i].name, name) == 0) {
			return mains[i].main(o);
		}
	}
	return admin_main(name, o);
}

int main(int argc, char **argv)
{
	static struct options o; /* large, and there is one */

	if (argc < 2) {
		command_help(NULL, stderr);
		return EXIT_USAGE;
	}
	if (is_help(argv[1])) {
		const struct command *about = argc > 2 ? command_find(argv[2]) : NULL;

		if (argc > 2 && about == NULL) {
			return unknown_command(argv[2]);
		}
		command_help(about, stdout);
		return 0;
	}
	if (strcmp(argv[1], "version") == 0 || strcmp(argv[1], "--version") == 0) {
		(void)printf("camgate %s\n", CAMGATE_VERSION);
		return 0;
	}

	const struct command *command = command_find(argv[1]);
	if (command == NULL) {
		return unknown_command(argv[1]);
	}
	if (asks_for_help(argc, argv)) {
		command_help(command, stdout);
		return 0;
	}
	int r = options_parse(&o, argc - 1, argv + 1);
	if (r < 0) {
		return r == -EINVAL ? EXIT_USAGE : EXIT_FAILED;
	}
	return dispatch(command->name, &o);
}
