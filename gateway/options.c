#include "options.h"
#include "address.h"
#include "command.h"
#include "wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINGER_DEFAULT_S = 2, ROTATE_DEFAULT_S = 600 };

static const char SERVICE_STATE_DIR[] = "/var/lib/camgate";
static const char SERVICE_SOCKET_DIR[] = "/run/camgate";

int options_user_state_dir(char *out, size_t size)
{
	const char *base = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");
	int n;

	/* The XDG base directory specification: relative paths are to be ignored. */
	if (base != NULL && base[0] == '/') {
		n = snprintf(out, size, "%s/camgate", base);
	} else if (home != NULL && home[0] == '/') {
		n = snprintf(out, size, "%s/.local/state/camgate", home);
	} else {
		return -ENOENT;
	}
	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

static int set_state_dir(struct options *o, const char *path)
{
	char here[PATH_MAX];
	int n;

	if (path[0] == '/') {
		n = snprintf(o->state_dir, sizeof o->state_dir, "%s", path);
	} else if (path[0] == '\0' || getcwd(here, sizeof here) == NULL) {
		return -EINVAL;
	} else {
		n = snprintf(o->state_dir, sizeof o->state_dir, "%s/%s", here, path);
	}
	if (n < 0 || (size_t)n >= sizeof o->state_dir) {
		return -ENAMETOOLONG;
	}
	while (n > 1 && o->state_dir[n - 1] == '/') {
		o->state_dir[--n] = '\0';
	}
	return 0;
}

/* Where the gateway is that a command without --state means: the one that runs in the user's name,
 * if it has a socket there, otherwise the service. */
static void find_running_gateway(struct options *o)
{
	char user[PATH_MAX];
	char socket_path[PATH_MAX];

	if (options_user_state_dir(user, sizeof user) < 0) {
		return;
	}
	int n = snprintf(socket_path, sizeof socket_path, "%s/sockets/admin", user);
	if (n < 0 || (size_t)n >= sizeof socket_path || access(socket_path, F_OK) != 0) {
		return;
	}
	(void)snprintf(o->state_dir, sizeof o->state_dir, "%s", user);
}

static int finish_directories(struct options *o, const struct command *command)
{
	const char *from_systemd = getenv("STATE_DIRECTORY");
	const char *runtime = getenv("RUNTIME_DIRECTORY");
	int n;

	if (o->state_dir[0] == '\0' && from_systemd != NULL && from_systemd[0] == '/') {
		o->state_given = true;
		(void)snprintf(o->state_dir, sizeof o->state_dir, "%s", from_systemd);
	}
	if (o->state_dir[0] == '\0') {
		(void)snprintf(o->state_dir, sizeof o->state_dir, "%s", SERVICE_STATE_DIR);
		if (strcmp(command->name, "run") == 0) {
			if (options_user_state_dir(o->state_dir, sizeof o->state_dir) < 0) {
				(void)fprintf(stderr,
					"camgate: neither $HOME nor $XDG_STATE_HOME is "
					"set: say where to keep the state with --state DIR\n");
				return -EINVAL;
			}
		} else if (!command->role) {
			find_running_gateway(o);
		}
	}
	if (runtime != NULL && runtime[0] == '/') {
		n = snprintf(o->socket_dir, sizeof o->socket_dir, "%s", runtime);
	} else if (strcmp(o->state_dir, SERVICE_STATE_DIR) == 0) {
		n = snprintf(o->socket_dir, sizeof o->socket_dir, "%s", SERVICE_SOCKET_DIR);
	} else {
		n = snprintf(o->socket_dir, sizeof o->socket_dir, "%s/sockets", o->state_dir);
	}
	if (n < 0 || (size_t)n >= sizeof o->socket_dir) {
		(void)fprintf(stderr, "camgate: the path %s is too long\n", o->state_dir);
		return -EINVAL;
	}
	return 0;
}

static int parse_number(const char *text, unsigned int min, unsigned int max, unsigned int *ret)
{
	char *end;

	/* strtoul takes signs and spaces, which nobody means. */
	if (text[0] < '0' || text[0] > '9') {
		return -EINVAL;
	}
	errno = 0;
	unsigned long value = strtoul(text, &end, 10);
	if (errno != 0 || *end != '\0' || value < min || value > max) {
		return -EINVAL;
	}
	*ret = (unsigned int)value;
	return 0;
}

static int parse_descriptor(const char *text, int *ret)
{
	unsigned int value;

	if (parse_number(text, 0, 1 << 16, &value) < 0) {
		return -EINVAL;
	}
	*ret = (int)value;
	return 0;
}

/* Shape only; the camera role knows what the rest means. */
static bool spec_ok(const char *spec)
{
	return spec[0] == '/' || strcmp(spec, "pattern") == 0 || strncmp(spec, "pattern:", 8) == 0;
}

static int add_text(const char **list, unsigned int *count, unsigned int max, const char *text)
{
	if (text[0] == '\0' || *count == max) {
		return -EINVAL;
	}
	list[(*count)++] = text;
	return 0;
}

static int set_text(const char **ret, const char *text)
{
	if (text[0] == '\0') {
		return -EINVAL;
	}
	*ret = text;
	return 0;
}

static int set_listen(struct options *o, const char *text)
{
	char host[ADDRESS_TEXT_BYTES];
	unsigned int port;

	if (strlen(text) >= sizeof o->listen || address_split(text, host, sizeof host, &port) < 0) {
		return -EINVAL;
	}
	(void)snprintf(o->listen, sizeof o->listen, "%s", text);
	o->listen_given = true;
	return 0;
}

static int apply(struct options *o, char id, const char *value)
{
	switch (id) {
	case 'f':
		return set_text(&o->config_file, value);
	case 's':
		o->state_given = true;
		return set_state_dir(o, value);
	case 'j':
		o->json = true;
		return 0;
	case 'l':
		return set_listen(o, value);
	case 'L':
		return parse_descriptor(value, &o->listen_fd);
	case 'n':
		return set_text(&o->name, value);
	case 'h':
		return add_text(o->hosts, &o->hosts_count, OPTIONS_HOSTS_MAX, value);
	case 'c':
		return spec_ok(value)
			       ? add_text(o->cameras, &o->cameras_count, OPTIONS_CAMERAS_MAX, value)
			       : -EINVAL;
	case 'g':
		return set_text(&o->grant_cameras, value);
	case 'o':
		o->owner = true;
		return 0;
	case 'q':
		o->qr = true;
		return 0;
	case 'm':
		return parse_number(value, 1, 24 * 60, &o->minutes);
	case 'r':
		return parse_number(value, 1, 600, &o->rotate_s);
	case 'i':
		return parse_number(value, 0, 3600, &o->linger_s);
	case 'I':
		return parse_number(value, 0, UINT16_MAX, &o->instance);
	case 'D':
		o->discovered = true;
		return 0;
	case 'b':
		o->bench = true;
		return 0;
	case 'C':
		return set_text(&o->camera, value);
	case 'd':
		return set_text(&o->display, value);
	case 'S':
		return set_text(&o->since, value);
	case 'U':
		return set_text(&o->until, value);
	case 'e':
		return set_text(&o->exposure, value);
	case 'a':
		o->all = true;
		return 0;
	case 'y':
		o->yes = true;
		return 0;
	case 't':
		return set_text(&o->reason, value);
	case 'k':
		return set_text(&o->kind, value);
	case 'v':
		o->verify = true;
		return 0;
	case 'u':
		o->udev = true;
		return 0;
	case 'R':
		return parse_descriptor(value, &o->ready_fd);
	default:
		return -EINVAL;
	}
}

/* Splits "--name=value" or "--name value"; *at is moved past what was used. */
static int parse_option(
	struct options *o, const struct command *command, char **argv, int argc, int *at)
{
	const char *text = argv[*at];
	const char *equals = strchr(text, '=');
	size_t size = equals != NULL ? (size_t)(equals - text) : strlen(text);
	const struct command_option *option = command_option_find(command, text, size);
	const char *value = NULL;

	if (option == NULL) {
		(void)fprintf(stderr, "camgate: %s has no option %.*s; see camgate %s --help\n",
			command->name, (int)size, text, command->name);
		return -EINVAL;
	}
	if (option->argument == NULL && equals != NULL) {
		(void)fprintf(stderr, "camgate: %s takes no value\n", option->name);
		return -EINVAL;
	}
	if (option->argument != NULL) {
		value = equals != NULL ? equals + 1 : *at + 1 < argc ? argv[++*at] : NULL;
		if (value == NULL) {
			(void)fprintf(stderr, "camgate: %s needs a value: %s %s\n", option->name,
				option->name, option->argument);
			return -EINVAL;
		}
	}
	if (apply(o, option->id, value) < 0) {
		(void)fprintf(stderr, "camgate: %s %s is not understood; it should be %s (%s)\n",
			option->name, value, option->argument, option->help);
		return -EINVAL;
	}
	return 0;
}

static int check_arguments(const struct options *o, const struct command *command)
{
	if (o->arguments_count < command->arguments_min) {
		(void)fprintf(stderr, "camgate: too few arguments: camgate %s %s\n", command->name,
			command->arguments);
		return -EINVAL;
	}
	if (o->arguments_count > command->arguments_max) {
		(void)fprintf(stderr, "camgate: too many arguments: camgate %s %s\n", command->name,
			command->arguments);
		return -EINVAL;
	}
	return 0;
}

/* Command line, then file, then default. */
static int finish_values(struct options *o, const struct command *command)
{
	static const char config[] = "--config";
	int r = 0;

	if (command_option_find(command, config, sizeof config - 1) != NULL) {
		/* The one who starts roles has given the warnings. */
		r = options_from_file(o, command->role && o->ready_fd >= 0);
	}
	if (o->linger_s == OPTIONS_UNSET) {
		o->linger_s = LINGER_DEFAULT_S;
	}
	if (o->rotate_s == OPTIONS_UNSET) {
		o->rotate_s = ROTATE_DEFAULT_S;
	}
	return r;
}

int options_parse(struct options *o, int argc, char **argv)
{
	const struct command *command = argc > 0 ? command_find(argv[0]) : NULL;
	bool only_arguments = false;

	*o = (struct options){.listen = "[::]:8443",
		.listen_fd = -1,
		.ready_fd = -1,
		.rotate_s = OPTIONS_UNSET,
		.linger_s = OPTIONS_UNSET};
	if (command == NULL) {
		(void)fprintf(stderr, "camgate: no such command; see camgate help\n");
		return -EINVAL;
	}
	for (int i = 1; i < argc; i++) {
		if (!only_arguments && strcmp(argv[i], "--") == 0) {
			only_arguments = true;
		} else if (!only_arguments && argv[i][0] == '-' && argv[i][1] != '\0') {
			if (parse_option(o, command, argv, argc, &i) < 0) {
				return -EINVAL;
			}
		} else if (o->arguments_count < sizeof o->arguments / sizeof o->arguments[0]) {
			o->arguments[o->arguments_count++] = argv[i];
		} else {
			(void)fprintf(stderr, "camgate: too many arguments\n");
			return -EINVAL;
		}
	}
	if (check_arguments(o, command) < 0) {
		return -EINVAL;
	}
	int r = finish_values(o, command);
	return r < 0 ? r : finish_directories(o, command);
}
