/* `camgate check-config [FILE]`: says what is wrong with a configuration, or "ok". */
#include "config.h"
#include "options.h"
#include "tls_files.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct check {
	bool failed;
};

static void print_problem(void *data, bool warning, const char *problem)
{
	struct check *check = data;

	(void)printf("%s%s\n", warning ? "warning: " : "", problem);
	check->failed = check->failed || !warning;
}

/* The files of the certificate, as the keeper would find them. */
static void check_certificate(
	const struct config *c, const struct config_report *report, const char *path)
{
	char certificate[PATH_MAX], key[PATH_MAX], problem[TLS_FILES_PROBLEM_BYTES];
	struct tls_files files = {0};
	int r;

	if (c->tls_cert[0] != '/' || c->tls_key[0] != '/') {
		if (c->tls_cert[0] != '\0') {
			config_complain(report, true, path, c->tls_line,
				"the certificate is not checked: only the keeper sees a systemd "
				"credential");
		}
		return;
	}
	r = tls_files_path(c->tls_cert, certificate, problem);
	if (r == 0) {
		r = tls_files_path(c->tls_key, key, problem);
	}
	if (r == 0) {
		r = tls_files_read(certificate, key, (int64_t)time(NULL),
			c->name[0] != '\0' ? c->name : NULL, &files, problem);
	}
	if (r != 0) {
		config_complain(report, false, path, c->tls_line, "%s", problem);
	}
	tls_files_finish(&files);
}

int config_check_main(const struct options *o)
{
	static struct config config;
	const char *path = o->arguments_count > 0 ? o->arguments[0] : CONFIG_FILE;
	struct check check = {.failed = false};
	const struct config_report report = {.data = &check, .say = print_problem};
	int r = config_read(path, &config, &report);

	if (r == -ENOENT && o->arguments_count > 0) {
		(void)printf("there is no file %s\n", path);
		return EXIT_FAILED;
	}
	if (r == 0) {
		check_certificate(&config, &report, path);
	}
	if ((r < 0 && r != -ENOENT) || check.failed) {
		return EXIT_FAILED;
	}
	if (r == -ENOENT) {
		(void)printf("ok: there is no %s, so everything has its default\n", path);
	} else {
		(void)printf("ok\n");
	}
	return EXIT_OK;
}
