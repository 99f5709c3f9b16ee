/* A certificate of the owner's: shown to browsers, changed without dropping viewers. */
#include "viewer.h"

#include <arpa/inet.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { SERIAL_FIRST = 1001, SERIAL_SECOND = 1002, DAY_S = 24 * 60 * 60 };

static struct client_loop *loop;
static struct hub hub;
static char certificate[128], key[128], config[128];

static int set_up(void **state)
{
	(void)state;
	hub_init(&hub, loop);
	(void)snprintf(config, sizeof(config), "%s/live", hub.dir);
	assert_int_equal(mkdir(config, 0700), 0);
	(void)snprintf(certificate, sizeof(certificate), "%s/live/cert.pem", hub.dir);
	(void)snprintf(key, sizeof(key), "%s/live/key.pem", hub.dir);
	(void)snprintf(config, sizeof(config), "%s/camgate.conf", hub.dir);
	FILE *f = fopen(config, "we");
	assert_non_null(f);
	(void)fprintf(
		f, "[hub]\ntls_cert = %s\ntls_key = %s\nname = hub.example\n", certificate, key);
	assert_int_equal(fclose(f), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)viewer_drop_all(state);
	hub_finish(&hub);
	return 0;
}

static X509 *make_certificate(EVP_PKEY *pair, long serial, long until_s)
{
	X509 *x = X509_new();
	assert_non_null(x);
	X509_NAME *name = X509_get_subject_name(x);
	(void)X509_set_version(x, 2);
	(void)ASN1_INTEGER_set(X509_get_serialNumber(x), serial);
	(void)X509_gmtime_adj(X509_getm_notBefore(x), -2L * DAY_S);
	(void)X509_gmtime_adj(X509_getm_notAfter(x), until_s);
	(void)X509_NAME_add_entry_by_txt(
		name, "CN", MBSTRING_ASC, (const unsigned char *)"test", -1, -1, 0);
	(void)X509_set_issuer_name(x, name);
	(void)X509_set_pubkey(x, pair);
	X509_EXTENSION *names =
		X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:hub.example");
	assert_int_equal(X509_add_ext(x, names, -1), 1);
	X509_EXTENSION_free(names);
	assert_true(X509_sign(x, pair, EVP_sha256()) > 0);
	return x;
}

/* Each into its file if it has one. */
static void write_pair(long serial, long until_s, const char *to_certificate, const char *to_key)
{
	EVP_PKEY *pair = EVP_EC_gen("P-256");
	X509 *x = make_certificate(pair, serial, until_s);
	FILE *f = to_certificate == NULL ? NULL : fopen(to_certificate, "we");
	if (f != NULL) {
		assert_int_equal(PEM_write_X509(f, x), 1);
		(void)fclose(f);
	}
	f = to_key == NULL ? NULL : fopen(to_key, "we");
	if (f != NULL) {
		assert_int_equal(PEM_write_PrivateKey(f, pair, NULL, NULL, 0, NULL, NULL), 1);
		(void)fclose(f);
	}
	X509_free(x);
	EVP_PKEY_free(pair);
}

static int tcp_connect(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
		.sin_port = htons(hub.port),
		.sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
	struct timeval patience = {.tv_sec = 5};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

/* The serial number of the certificate that a new connection is shown; the answer's head goes to
 * head. */
static long served(char *head, size_t size)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL *ssl = SSL_new(context);
	char request[128];
	int fd = tcp_connect(), n;
	assert_int_equal(SSL_set_fd(ssl, fd), 1);
	assert_int_equal(SSL_connect(ssl), 1);
	X509 *x = SSL_get1_peer_certificate(ssl);
	assert_non_null(x);
	long serial = ASN1_INTEGER_get(X509_get0_serialNumber(x));
	n = snprintf(request, sizeof(request),
		"GET / HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nConnection: close\r\n\r\n", hub.port);
	assert_int_equal(SSL_write(ssl, request, n), n);
	n = SSL_read(ssl, head, (int)size - 1);
	assert_true(n > 0);
	head[n] = '\0';
	X509_free(x);
	SSL_free(ssl);
	SSL_CTX_free(context);
	(void)close(fd);
	return serial;
}

static void start(void)
{
	hub_start(
		&hub, (const char *[]){"--config", config, "--camera", "pattern:320x192@15", NULL});
}

static void reload(void)
{
	assert_int_equal(kill(hub_role(&hub, "keeper", 0), SIGHUP), 0);
}

static void a_certificate_changes_without_dropping_a_viewer(void **state)
{
	static struct viewer v;
	char head[4096];
	(void)state;
	write_pair(SERIAL_FIRST, DAY_S, certificate, key);
	start();
	assert_int_equal(served(head, sizeof(head)), SERIAL_FIRST);
	assert_non_null(strstr(head, "\r\nStrict-Transport-Security: "));
	viewer_pair_owner(&v, &hub, "Tablet");
	json_t *camera = hub_camera(&hub, "320x192");
	const char *name = json_string_value(json_object_get(camera, "name"));
	viewer_await(&v, name, 3);

	write_pair(SERIAL_SECOND, DAY_S, certificate, key);
	reload();
	hub_wait_log(&hub, "the certificate is read again");
	WAIT_FOR(loop, served(head, sizeof(head)) == SERIAL_SECOND, HUB_PATIENCE_MS);
	viewer_await(&v, name, 5);
	assert_int_equal(v.welcomes, 1);
	assert_int_equal(v.closes, 0);
	json_decref(camera);
	viewer_finish(&v);
	hub_end(&hub);
}

static void a_link_that_leads_elsewhere_now_is_followed_at_a_reload(void **state)
{
	char head[4096], first[160], second[160], moved[160];
	(void)state;
	(void)snprintf(first, sizeof(first), "%s/archive/1.pem", hub.dir);
	(void)snprintf(second, sizeof(second), "%s/archive/2.pem", hub.dir);
	(void)snprintf(moved, sizeof(moved), "%s/archive", hub.dir);
	assert_int_equal(mkdir(moved, 0700), 0);
	(void)snprintf(moved, sizeof(moved), "%s/new", hub.dir);
	write_pair(SERIAL_FIRST, DAY_S, first, key);
	assert_int_equal(symlink(first, certificate), 0);
	start();
	write_pair(SERIAL_SECOND, DAY_S, second, key);
	assert_int_equal(symlink(second, moved), 0);
	assert_int_equal(rename(moved, certificate), 0);
	reload();
	hub_wait_log(&hub, "the certificate is read again");
	WAIT_FOR(loop, served(head, sizeof(head)) == SERIAL_SECOND, HUB_PATIENCE_MS);
	hub_end(&hub);
}

static void a_reload_that_cannot_be_used_leaves_the_old_one(void **state)
{
	char head[4096];
	(void)state;
	write_pair(SERIAL_FIRST, DAY_S, certificate, key);
	start();
	write_pair(SERIAL_SECOND, DAY_S, certificate, NULL);
	reload();
	hub_wait_log(&hub, "the certificate is not changed: the key in ");
	write_pair(SERIAL_SECOND, -DAY_S, certificate, key);
	reload();
	hub_wait_log(&hub, "ended on ");
	assert_int_equal(unlink(certificate), 0);
	reload();
	hub_wait_log(&hub, "No such file or directory");
	assert_int_equal(served(head, sizeof(head)), SERIAL_FIRST);
	hub_end(&hub);
}

static void a_hub_does_not_start_with_a_key_that_does_not_match(void **state)
{
	char where[512];
	(void)state;
	write_pair(SERIAL_FIRST, DAY_S, certificate, NULL);
	write_pair(SERIAL_SECOND, DAY_S, NULL, key);
	const char *const arguments[] = {"--config", config, NULL};
	assert_int_equal(hub_start_and_fail(&hub, arguments), 1);
	(void)snprintf(where, sizeof(where),
		"%s:3: the key in %s does not match the certificate in", config, key);
	if (!hub_log_has(&hub, where)) {
		fail_msg("'%s' is not in:\n%s", where, hub_log(&hub));
	}
}

static void an_ended_certificate_is_shown_with_a_warning(void **state)
{
	char head[4096];
	(void)state;
	write_pair(SERIAL_FIRST, -DAY_S, certificate, key);
	start();
	hub_wait_log(&hub, "camgate.conf:3: the certificate in ");
	assert_int_equal(served(head, sizeof(head)), SERIAL_FIRST);
	hub_end(&hub);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_certificate_changes_without_dropping_a_viewer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_link_that_leads_elsewhere_now_is_followed_at_a_reload, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_reload_that_cannot_be_used_leaves_the_old_one, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_hub_does_not_start_with_a_key_that_does_not_match, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			an_ended_certificate_is_shown_with_a_warning, set_up, tear_down),
	};
	loop = secure_heap_init() < 0 ? NULL : client_loop_create();
	if (loop == NULL) {
		return 1;
	}
	int failures = cmocka_run_group_tests_name("certificate", tests, NULL, NULL);
	client_loop_destroy(loop);
	return failures;
}
