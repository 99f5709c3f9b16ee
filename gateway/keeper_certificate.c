/* keeper.h: the certificate that browsers see: the owner's, where one is configured, otherwise the
 * hub's own, which is kept and renewed all the same. */
#include "keeper.h"
#include "clock.h"
#include "log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RENEW_EVERY_S = 60 * 60, RENEW_AGAIN_S = 5 * 60 };

static void directory_of(const char *path, char ret[static PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	int size = slash != NULL && slash != path ? (int)(slash - path) : 1;

	(void)snprintf(ret, PATH_MAX, "%.*s", size, path);
}

/* Where the sandbox has to let us read: beside the name, where a new file will be put, and beside
 * what it leads to, for renewal programs put links there. */
static void note_places(struct keeper_certificate *c)
{
	for (size_t i = 0; i < 2; i++) {
		char *real = realpath(c->paths[i], NULL);

		directory_of(c->paths[i], c->places[2 * i]);
		directory_of(real != NULL ? real : c->paths[i], c->places[2 * i + 1]);
		free(real);
	}
}

/* 0, 1 with a remark, -errno: as tls_files_read. */
static int read_files(
	const struct keeper *k, struct tls_files *ret, char problem[static TLS_FILES_PROBLEM_BYTES])
{
	const struct keeper_certificate *c = &k->certificate;

	return tls_files_read(
		c->paths[0], c->paths[1], (int64_t)time(NULL), k->options->name, ret, problem);
}

int keeper_certificate_init(struct keeper *k)
{
	const struct options *o = k->options;
	struct keeper_certificate *c = &k->certificate;
	char problem[TLS_FILES_PROBLEM_BYTES];
	int r;

	k->renew_us = clock_now_us() + RENEW_EVERY_S * UINT64_C(1000000);
	if (o->config.tls_cert[0] == '\0') {
		return 0;
	}
	r = tls_files_path(o->config.tls_cert, c->paths[0], problem);
	if (r == 0) {
		r = tls_files_path(o->config.tls_key, c->paths[1], problem);
	}
	if (r == 0) {
		note_places(c);
		r = read_files(k, &c->files, problem);
	}
	if (r < 0) {
		log_error("%s:%u: %s", o->config_file, o->config.tls_line, problem);
		return r;
	}
	/* A dark hub would help nobody: browsers say the same. */
	if (r > 0) {
		log_warning("%s:%u: %s", o->config_file, o->config.tls_line, problem);
	}
	c->configured = true;
	return 0;
}

size_t keeper_certificate_places(
	const struct keeper *k, const char *ret[static KEEPER_CERTIFICATE_PLACES])
{
	if (!k->certificate.configured) {
		return 0;
	}
	for (size_t i = 0; i < KEEPER_CERTIFICATE_PLACES; i++) {
		ret[i] = k->certificate.places[i];
	}
	return KEEPER_CERTIFICATE_PLACES;
}

static void tell_webs(const struct keeper *k)
{
	struct ipc_web_config config;

	keeper_fill_config(k, &config);
	registry_web_config(k->registry, &config);
}

void keeper_certificate_reload(struct keeper *k)
{
	struct keeper_certificate *c = &k->certificate;
	char problem[TLS_FILES_PROBLEM_BYTES];
	struct tls_files files = {0};
	int r;

	if (!c->configured) {
		log_info("no certificate is configured: nothing to read again");
		return;
	}
	r = read_files(k, &files, problem);
	if (r != 0) {
		log_error("the certificate is not changed: %s", problem);
		tls_files_finish(&files);
		return;
	}
	tls_files_finish(&c->files);
	c->files = files;
	tell_webs(k);
	log_info("the certificate is read again from %s", c->paths[0]);
}

void keeper_certificate_renew(struct keeper *k, uint64_t now_us)
{
	int r;

	if (now_us < k->renew_us) {
		return;
	}
	k->renew_us = now_us + RENEW_EVERY_S * UINT64_C(1000000);
	r = authority_renew(&k->authority, k->options->state_dir, &k->names, &k->addresses,
		(int64_t)time(NULL));
	if (r < 0) {
		k->renew_us = now_us + RENEW_AGAIN_S * UINT64_C(1000000);
		log_error("the hub's own certificate cannot be renewed: %s", strerror(-r));
	} else if (r > 0) {
		log_info("the hub's own certificate is renewed");
		tell_webs(k);
	}
}

void keeper_certificate_finish(struct keeper *k)
{
	tls_files_finish(&k->certificate.files);
}

void keeper_fill_config(const struct keeper *k, struct ipc_web_config *ret)
{
	const struct authority *a = &k->authority;
	const struct keeper_certificate *c = &k->certificate;

	memset(ret, 0, sizeof(*ret));
	if (c->configured) {
		ret->certificate_pem = c->files.certificate_pem;
		ret->certificate_pem_size = c->files.certificate_pem_size;
		ret->key_pem = (const uint8_t *)c->files.key_pem;
		ret->key_pem_size = c->files.key_pem_size;
	} else {
		ret->certificate_pem = a->certificate_pem;
		ret->certificate_pem_size = a->certificate_pem_size;
		ret->key_pem = (const uint8_t *)a->key_pem;
		ret->key_pem_size = a->key_pem_size;
		ret->ca_der = a->ca_der;
		ret->ca_der_size = a->ca_der_size;
	}
	for (unsigned int i = 0; i < k->names.count && i < IPC_HOSTS_MAX; i++) {
		size_t length = strlen(k->names.text[i]);

		if (length <= IPC_TEXT_MAX_BYTES) {
			memcpy(ret->hosts[ret->hosts_count++], k->names.text[i], length + 1);
		}
	}
}
