/*
 * The configuration file, /etc/camgate/camgate.conf: INI, read by inih. It fills the options that
 * the command line left open (options.h); without the file everything has a sensible default.
 *
 *   [hub]                              name, hosts, listen, tls_cert, tls_key, linger, rotate,
 *                                      record_size, record_days, connections
 *   [camera NAME]                      mode = WIDTHxHEIGHT[@FPS]
 *
 * Everything wrong is reported, not only the first, as one sentence that begins with FILE:LINE. A
 * key or section that there is not is a warning that names the nearest one, so that a file of a
 * newer version still works. config_parse is pure.
 */
#ifndef CAMGATE_CONFIG_H
#define CAMGATE_CONFIG_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONFIG_FILE "/etc/camgate/camgate.conf"

enum {
	CONFIG_FILE_MAX_BYTES = 64 << 10,
	CONFIG_TEXT_BYTES = 256,
	CONFIG_LISTEN_BYTES = 128,
	CONFIG_HOSTS_MAX = 16,
	CONFIG_CAMERAS_MAX = 32,
	CONFIG_CONNECTIONS_MIN = 16,
	CONFIG_CONNECTIONS_MAX = 2048,
	CONFIG_CAMERA_BYTES = 192,
	CONFIG_PROBLEM_BYTES = 768,
};

struct config_mode {
	uint16_t width, height; /* width 0: none was given */
	uint16_t fps; /* 0: any */
};

struct config_camera {
	char camera[CONFIG_CAMERA_BYTES]; /* as in the brackets; what it may be: v4l2/wish.h */
	struct config_mode mode;
};

/* What the file says. Texts that it does not mention are empty. */
struct config {
	char name[CONFIG_TEXT_BYTES];
	char hosts[CONFIG_HOSTS_MAX][CONFIG_TEXT_BYTES];
	unsigned int hosts_count;
	char listen[CONFIG_LISTEN_BYTES];
	char tls_cert[CONFIG_TEXT_BYTES], tls_key[CONFIG_TEXT_BYTES]; /* both or none */
	unsigned int tls_line; /* of the later one, for what is wrong in the files themselves */
	bool has_linger, has_rotate;
	unsigned int linger_s, rotate_s;
	unsigned int record_size_mib, record_days; /* 0: not given */
	unsigned int connections; /* 0: not said */
	struct config_camera cameras[CONFIG_CAMERAS_MAX];
	unsigned int cameras_count;
};

/* Gets every problem: "camgate.conf:3: …". */
struct config_report {
	void *data;
	void (*say)(void *data, bool warning, const char *problem);
};

/* path is for the reports only. 0, or -EBADMSG after the errors were reported; *ret is untouched
 * then. */
int config_parse(const char *text, size_t size, const char *path, struct config *ret,
	const struct config_report *report);
/* Reads the file. -ENOENT without a report if there is none; otherwise as config_parse, or another
 * -errno that was reported. */
int config_read(const char *path, struct config *ret, const struct config_report *report);
/* Makes a report that begins with "PATH:LINE: ". */
void config_complain(const struct config_report *report, bool warning, const char *path,
	unsigned int line, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* "1280x720@15" or "1280x720". 0 or -EINVAL. Pure. */
int config_mode_parse(const char *text, struct config_mode *ret);
/* What the file says of the camera that has one of these names (NULL-ended, any may be empty), or
 * NULL. */
const struct config_camera *config_camera_find(
	const struct config *config, const char *const *names);

#endif
