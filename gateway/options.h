/*
 * The command line, `camgate COMMAND [options]`, and what the configuration file adds where the
 * command line says nothing. The tables are in command.h, the file's keys in config.h.
 */
#ifndef CAMGATE_OPTIONS_H
#define CAMGATE_OPTIONS_H

#include "config.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { OPTIONS_CAMERAS_MAX = 32, OPTIONS_HOSTS_MAX = CONFIG_HOSTS_MAX };
enum { OPTIONS_UNSET = UINT16_MAX }; /* while parsing: neither command line nor file has said */
enum exit_code { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_NO_CAMERA = 3 };

/* Not to be copied: name and hosts may point into config. */
struct options {
	const char *config_file; /* --config; otherwise CONFIG_FILE if it is there, or NULL */
	struct config config; /* what it says; zero for commands that do not read it */
	char state_dir[PATH_MAX]; /* --state; default /var/lib/camgate, `run`:
				     $XDG_STATE_HOME/camgate */
	char socket_dir[PATH_MAX]; /* $RUNTIME_DIRECTORY, otherwise STATE/sockets */
	bool state_given; /* by --state or $STATE_DIRECTORY */
	bool json; /* --json */
	char listen[CONFIG_LISTEN_BYTES]; /* --listen, default "[::]:8443" */
	bool listen_given;
	int listen_fd; /* --listen-fd N: an inherited listening socket; -1 */
	const char *name; /* --name: of the hub (run) or of the display (pair); borrowed */
	const char
		*hosts[OPTIONS_HOSTS_MAX]; /* --host, repeated: further accepted names; borrowed */
	unsigned int hosts_count;
	const char *cameras[OPTIONS_CAMERAS_MAX]; /* run: --camera SPEC, repeated; borrowed */
	unsigned int cameras_count;
	const char *grant_cameras; /* pair: --cameras all|none|NAME,… ; borrowed */
	bool owner; /* pair: --owner */
	bool qr; /* run, pair: --qr, also when standard output is no terminal */
	unsigned int minutes; /* pair: --minutes a link lives; 0: the keeper's default */
	unsigned int rotate_s; /* --rotate: life of an epoch in seconds, 1..600, default 600 */
	unsigned int linger_s; /* --linger: seconds of capture after the last viewer, default 2 */
	unsigned int instance; /* camera: --instance, tells several test patterns apart */
	bool discovered; /* camera: --discovered: a node that is no camera is not an error, the
			  * process ends with EXIT_NO_CAMERA and says nothing */
	bool bench; /* doctor: --bench, measures instead */
	const char *camera, *display; /* audit: --camera, --display; borrowed, as the next two */
	const char *since, *until; /* audit: --since, --until */
	const char *exposure; /* audit: --exposure CAMERA; borrowed */
	bool verify; /* audit: --verify */
	bool all, yes; /* revoke: --all; revoke, forget: --yes */
	const char *reason; /* suspend: --reason; borrowed */
	const char *kind; /* pair: --kind; borrowed */
	bool udev; /* probe: --udev, what is no camera is not an error */
	int ready_fd; /* --ready-fd N: write one byte there when ready to serve; -1 */
	const char *arguments[8]; /* what is left, in order; borrowed */
	unsigned int arguments_count;
};

/* Parses argv (argv[0] is the command), and the configuration file for commands that take --config.
 * 0; -EINVAL after one line on standard error that says what is wrong and how to see the help;
 * -EBADMSG after what is wrong with the file was logged. */
int options_parse(struct options *o, int argc, char **argv);
/* Fills what the command line left open from the file. quiet: without the warnings, which another
 * process has given already. 0 or -EBADMSG. */
int options_from_file(struct options *o, bool quiet);

/* The state directory of a user who runs camgate in the foreground: $XDG_STATE_HOME/camgate or
 * ~/.local/state/camgate. 0, -ENOENT without a home, -ENAMETOOLONG. */
int options_user_state_dir(char *out, size_t size);

/* The roles and commands; each returns the process's exit code: 0, 1 failure, 2 wrong usage. */
int run_main(const struct options *o);
int keeper_main(const struct options *o);
int web_main(const struct options *o);
int camera_main(const struct options *o); /* arguments[0] is the SPEC */
int doctor_main(const struct options *o);
int config_check_main(const struct options *o); /* arguments[0]: the file, if not CONFIG_FILE */
int generator_main(
	const struct options *o); /* arguments[0]: the directory, [1]: as config_check_main */
int probe_main(const struct options *o); /* arguments[0] is the device */
int audit_main(const struct options *o);
int forget_main(const struct options *o);
int admin_main(const char *command, const struct options *o);

#endif
