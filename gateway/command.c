#include "command.h"
#include "nearest.h"

#include <string.h>

enum {
	RUN = 1,
	KEEPER = 2,
	WEB = 4,
	CAMERA = 8,
	PAIR = 16,
	CAMERAS = 32,
	DISPLAYS = 64,
	STATUS = 128,
	NAME = 256,
	GRANT = 512,
	REVOKE = 1024,
	PROBE = 1 << 24,
	CHECK_CONFIG = 1 << 16,
	GENERATOR = 1 << 17,
	CONFIRM = 1 << 20,
	IGNORE = 1 << 21,
	DOCTOR = 1 << 22,
	AUDIT = 1 << 25,
	SUSPEND = 1 << 26,
	RESUME = 1 << 27,
	FORGET = 1 << 28,

	ROLES = KEEPER | WEB | CAMERA,
	ADMIN = PAIR | CAMERAS | DISPLAYS | STATUS | NAME | GRANT | REVOKE | CONFIRM | IGNORE |
		AUDIT | SUSPEND | RESUME | FORGET,
};

static const struct command commands[] = {
	{"run", "", "all roles in the foreground; Ctrl-C ends them", 0, 0, RUN, false},
	{"pair", "", "prints a one-time link that pairs a display", 0, 0, PAIR, false},
	{"cameras", "", "lists the cameras, how they are and who may see them", 0, 0, CAMERAS,
		false},
	{"displays", "", "lists the paired displays and what they may see", 0, 0, DISPLAYS, false},
	{"status", "", "how the gateway is", 0, 0, STATUS, false},
	{"name", "CAMERA NEWNAME", "gives a camera another name", 2, 2, NAME, false},
	{"grant", "DISPLAY CAMERA", "shows a camera on a display", 2, 2, GRANT, false},
	{"revoke", "DISPLAY [CAMERA]", "takes a camera, or everything, from a display at once", 0,
		2, REVOKE, false},
	{"suspend", "WHAT",
		"cuts off browser, kiosk, integration, a display or a camera, keeping its grants",
		1, 1, SUSPEND, false},
	{"resume", "WHAT", "ends that", 1, 1, RESUME, false},
	{"forget", "", "the factory reset: deletes all that the hub knows", 0, 0, FORGET, false},
	{"check-config", "[FILE]",
		"says what is wrong with the configuration (/etc/camgate/camgate.conf), or ok", 0,
		1, CHECK_CONFIG, false},
	{"probe", "DEVICE", "says whether a device is a camera, and why not, as udev's rules ask",
		1, 1, PROBE, false},
	{"confirm", "CAMERA", "takes a camera that cannot be told apart, or was ignored", 1, 1,
		CONFIRM, false},
	{"ignore", "CAMERA", "keeps a camera off until it is confirmed", 1, 1, IGNORE, false},
	{"audit", "", "who saw what, when, and who was allowed to", 0, 0, AUDIT, false},
	{"doctor", "", "looks at all that a hub needs, and says what to do", 0, 0, DOCTOR, false},
	{"generator", "DIRECTORY [FILE]", "tells systemd where to listen, as it asks", 1, 2,
		GENERATOR, false},
	{"keeper", "", "identity, displays, grants, audit", 0, 0, KEEPER, true},
	{"web", "", "serves the page and the sealed frames", 0, 0, WEB, true},
	{"camera", "SPEC", "captures and seals one camera: /dev/videoN, pattern or pattern:WxH@FPS",
		1, 1, CAMERA, true},
};

static const struct command_option command_options[] = {
	{'s', "--state", "DIR",
		"where keys, displays and grants are kept; run: ~/.local/state/camgate, others: "
		"that of the running gateway, or /var/lib/camgate",
		RUN | ROLES | ADMIN | DOCTOR},
	{'f', "--config", "FILE", "the configuration, instead of /etc/camgate/camgate.conf",
		RUN | ROLES},
	{'l', "--listen", "ADDR:PORT",
		"where to listen, [::]:8443 if not given; port 0 picks a free one", RUN | WEB},
	{'c', "--camera", "SPEC",
		"/dev/videoN, pattern or pattern:WxH@FPS; repeat for several; without it all "
		"cameras found are used",
		RUN},
	{'n', "--name", "NAME",
		"run, keeper: the host name for links; pair: what the display will be called",
		RUN | KEEPER | PAIR},
	{'h', "--host", "NAME",
		"another host name under which browsers may open the hub; repeat for more",
		RUN | KEEPER},
	{'g', "--cameras", "all|none|NAME,...",
		"which cameras the new display is given: an owner all, others none if not said",
		PAIR},
	{'o', "--owner", NULL, "the new display may also give and take rights", PAIR},
	{'m', "--minutes", "N", "how long the link can be used, 1 to 1440", PAIR},
	{'q', "--qr", NULL, "prints the QR code also when the output is no terminal", RUN | PAIR},
	{'r', "--rotate", "SECONDS", "life of a camera key, 1 to 600", RUN | CAMERA},
	{'i', "--linger", "SECONDS", "how long a camera runs on after its last viewer, 0 to 3600",
		RUN | CAMERA},
	{'D', "--discovered", NULL, "says nothing if SPEC is no camera, and ends with code 3",
		CAMERA},
	{'I', "--instance", "N", "tells several test pictures apart", CAMERA},
	{'L', "--listen-fd", "N", "an inherited listening socket", WEB},
	{'R', "--ready-fd", "N", "write one byte to this descriptor when ready", ROLES},
	{'u', "--udev", NULL,
		"ends with code 0 also for what is no camera, so that udev keeps the reason",
		PROBE},
	{'j', "--json", NULL, "prints JSON", RUN | ADMIN | DOCTOR | PROBE},
	{'C', "--camera", "CAMERA", "only what is about this camera", AUDIT},
	{'d', "--display", "DISPLAY", "only what is about this display", AUDIT},
	{'S', "--since", "TIME", "from when on: 2026-11-22, \"2026-11-22 14:00\", yesterday, 2h",
		AUDIT},
	{'U', "--until", "TIME", "until when", AUDIT},
	{'v', "--verify", NULL, "checks that no entry was changed or removed", AUDIT},
	{'e', "--exposure", "CAMERA", "who could have seen this camera in that time, and who did",
		AUDIT},
	{'a', "--all", NULL, "everything of everybody; no display is paired then", REVOKE},
	{'y', "--yes", NULL, "do not ask", REVOKE | FORGET},
	{'t', "--reason", "TEXT", "why, for the record and for status", SUSPEND},
	{'k', "--kind", "KIND", "browser, kiosk or integration: what can be suspended as one",
		PAIR},
	{'b', "--bench", NULL, "measures what one core of this machine can do, within 20 s",
		DOCTOR},
};

enum {
	COMMANDS = sizeof commands / sizeof commands[0],
	OPTIONS = sizeof command_options / sizeof command_options[0],
};

const struct command *command_find(const char *name)
{
	for (unsigned int i = 0; i < COMMANDS; i++) {
		if (strcmp(commands[i].name, name) == 0) {
			return &commands[i];
		}
	}
	return NULL;
}

const struct command_option *command_option_find(
	const struct command *command, const char *name, size_t size)
{
	for (unsigned int i = 0; i < OPTIONS; i++) {
		const struct command_option *o = &command_options[i];

		if ((o->commands & command->bit) != 0 && strlen(o->name) == size &&
			memcmp(o->name, name, size) == 0) {
			return o;
		}
	}
	return NULL;
}

const char *command_nearest(const char *name)
{
	const char *names[COMMANDS + 1] = {NULL};

	for (unsigned int i = 0; i < COMMANDS; i++) {
		names[i] = commands[i].name;
	}
	return nearest_find(name, names);
}

static void help_overview(FILE *out)
{
	(void)fprintf(out, "camgate: cameras of this machine, live on paired browsers\n\n"
			   "usage: camgate COMMAND [options]\n\n");
	for (unsigned int i = 0; i < COMMANDS; i++) {
		char usage[64];

		if (i > 0 && commands[i].role && !commands[i - 1].role) {
			(void)fprintf(out, "\none role alone, as service units start it:\n");
		}
		(void)snprintf(
			usage, sizeof usage, "%s %s", commands[i].name, commands[i].arguments);
		(void)fprintf(out, "  %-24s %s\n", usage, commands[i].summary);
	}
	(void)fprintf(
		out, "\n  %-24s %s\n  %-24s %s\n", "help", "this", "version", "prints the version");
	(void)fprintf(out, "\ncamgate COMMAND --help tells the options of a command.\n");
}

/* Wraps text at the terminal's usual width, below its own first column. */
static void print_wrapped(const char *text, int column, FILE *out)
{
	int width = 96 - column;

	while ((int)strlen(text) > width) {
		int cut = width;

		while (cut > 0 && text[cut] != ' ') {
			cut--;
		}
		if (cut == 0) {
			break;
		}
		(void)fprintf(out, "%.*s\n%*s", cut, text, column, "");
		text += cut + 1;
	}
	(void)fprintf(out, "%s\n", text);
}

void command_help(const struct command *command, FILE *out)
{
	if (command == NULL) {
		help_overview(out);
		return;
	}
	(void)fprintf(out, "usage: camgate %s%s%s [options]\n\n%s\n\n", command->name,
		command->arguments[0] != '\0' ? " " : "", command->arguments, command->summary);
	for (unsigned int i = 0; i < OPTIONS; i++) {
		const struct command_option *o = &command_options[i];
		char usage[64];

		if ((o->commands & command->bit) == 0) {
			continue;
		}
		(void)snprintf(usage, sizeof usage, "%s %s", o->name,
			o->argument != NULL ? o->argument : "");
		(void)fprintf(out, "  %-28s ", usage);
		print_wrapped(o->help, 31, out);
	}
}
