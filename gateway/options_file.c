/* options.h: what the configuration file adds to the command line. */
#include "config.h"
#include "log.h"
#include "options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void report_error(void *data, bool warning, const char *problem)
{
	const bool *quiet = data;

	if (!warning) {
		log_error("%s", problem);
	} else if (!*quiet) {
		log_warning("%s", problem);
	}
}

static void fill(struct options *o)
{
	const struct config *c = &o->config;

	if (o->name == NULL && c->name[0] != '\0') {
		o->name = c->name;
	}
	if (o->hosts_count == 0) {
		for (unsigned int i = 0; i < c->hosts_count; i++) {
			o->hosts[o->hosts_count++] = c->hosts[i];
		}
	}
	if (!o->listen_given && c->listen[0] != '\0') {
		(void)snprintf(o->listen, sizeof o->listen, "%s", c->listen);
		o->listen_given = true;
	}
	if (o->linger_s == OPTIONS_UNSET && c->has_linger) {
		o->linger_s = c->linger_s;
	}
	if (o->rotate_s == OPTIONS_UNSET && c->has_rotate) {
		o->rotate_s = c->rotate_s;
	}
}

int options_from_file(struct options *o, bool quiet)
{
	const struct config_report report = {.data = &quiet, .say = report_error};
	bool given = o->config_file != NULL;
	int r = config_read(given ? o->config_file : CONFIG_FILE, &o->config, &report);

	if (r == -ENOENT && !given) {
		return 0;
	}
	if (r == -ENOENT) {
		log_error("there is no configuration file %s", o->config_file);
	}
	if (r < 0) {
		return -EBADMSG;
	}
	if (!given) {
		o->config_file = CONFIG_FILE;
	}
	fill(o);
	return 0;
}
