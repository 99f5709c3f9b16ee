/*
 * `camgate generator DIRECTORY [FILE]`: what udev/camgate-generator asks for at boot and at
 * `systemctl daemon-reload`, see systemd.generator(7). On an installed hub systemd opens the port
 * before there is a web role; where the configuration has a `listen`, this writes it to
 * DIRECTORY/camgate-web.socket.d, under a name that comes before `systemctl edit`'s. Without one,
 * and when something is wrong, the unit stays as it was shipped.
 */
#include "address.h"
#include "config.h"
#include "log.h"
#include "options.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SOCKET_BYTES = INET6_ADDRSTRLEN + 16 };

/* Warnings are the roles' to give: this runs whenever systemd reads its units. */
static void report_error(void *data, bool warning, const char *problem)
{
	(void)data;
	if (!warning) {
		log_error("%s", problem);
	}
}

/* What systemd.socket(5) takes, and nothing but an address and a port. 0 or -EINVAL. */
static int socket_text(const char *listening, char out[static SOCKET_BYTES])
{
	char host[ADDRESS_TEXT_BYTES];
	uint8_t address[16];
	unsigned int port;

	if (address_split(listening, host, sizeof host, &port) < 0 || port == 0) {
		return -EINVAL;
	}
	if (host[0] == '\0') {
		(void)snprintf(out, SOCKET_BYTES, "[::]:%u", port);
	} else if (inet_pton(AF_INET, host, address) == 1) {
		(void)snprintf(out, SOCKET_BYTES, "%.15s:%u", host, port);
	} else if (inet_pton(AF_INET6, host, address) == 1) {
		(void)snprintf(out, SOCKET_BYTES, "[%.45s]:%u", host, port);
	} else {
		return -EINVAL;
	}
	return 0;
}

static int make_directory(const char *path)
{
	return mkdir(path, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

/* 0, or -errno. */
static int drop_in_write(const char *directory, const char *configuration, const char *socket)
{
	char path[PATH_MAX];
	FILE *f;
	int n = snprintf(path, sizeof path, "%s/camgate-web.socket.d", directory);
	int r;

	if (n < 0 || (size_t)n + sizeof "/10-listen.conf" > sizeof path) {
		return -ENAMETOOLONG;
	}
	r = make_directory(path);
	if (r < 0) {
		return r;
	}
	(void)snprintf(path + n, sizeof path - (size_t)n, "/10-listen.conf");
	f = fopen(path, "we");
	if (f == NULL) {
		return -errno;
	}
	n = fprintf(f, "# listen in %s\n[Socket]\nListenStream=\nListenStream=%s\n", configuration,
		socket);
	r = n < 0 ? -EIO : 0;
	if (fclose(f) != 0 && r == 0) {
		r = -errno;
	}
	if (r < 0) {
		/* Half of it would be a socket that listens nowhere. */
		(void)unlink(path);
	}
	return r;
}

int generator_main(const struct options *o)
{
	static struct config config;
	const struct config_report report = {.say = report_error};
	const char *path = o->arguments_count > 1 ? o->arguments[1] : CONFIG_FILE;
	char socket[SOCKET_BYTES];
	int r;

	log_init("camgate-generator");
	r = config_read(path, &config, &report);
	if (r == -ENOENT || (r == 0 && config.listen[0] == '\0')) {
		return EXIT_OK;
	}
	if (r < 0) {
		log_error("so camgate-web.socket does not follow it; when it is mended: sudo "
			  "systemctl daemon-reload && sudo systemctl restart camgate-web.socket");
		return EXIT_FAILED;
	}
	if (socket_text(config.listen, socket) < 0) {
		log_error("%s: listen = %s is nothing that systemd can listen on, so "
			  "camgate-web.socket does not follow it; write an address and a port, as "
			  "[::]:8443 or 192.0.2.1:8443",
			path, config.listen);
		return EXIT_FAILED;
	}
	r = drop_in_write(o->arguments[0], path, socket);
	if (r < 0) {
		log_error("cannot write %s/camgate-web.socket.d/10-listen.conf: %s; "
			  "camgate-web.socket does not follow listen = %s",
			o->arguments[0], strerror(-r), config.listen);
	}
	return r < 0 ? EXIT_FAILED : EXIT_OK;
}
