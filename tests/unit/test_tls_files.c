/* A configured certificate: what can be served is taken, and all else is told with its file. */
#include "tls_files.h"

#include <errno.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { DAY_S = 24 * 60 * 60 };
/* 2026-01-01, and a clock that was never set. */
static const int64_t NOW_S = INT64_C(1767225600), NO_CLOCK_S = 1000;

static char dir[] = "/tmp/camgate-tls-XXXXXX";
static char certificate[64], key[64], problem[TLS_FILES_PROBLEM_BYTES];
static struct tls_files files;

static int make_dir(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL) {
		return -1;
	}
	(void)snprintf(certificate, sizeof certificate, "%s/cert", dir);
	(void)snprintf(key, sizeof key, "%s/key", dir);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	(void)unlink(certificate);
	(void)unlink(key);
	return rmdir(dir);
}

static int clean(void **state)
{
	(void)state;
	tls_files_finish(&files);
	problem[0] = '\0';
	return 0;
}

/* Valid from NOW_S - 1 day for two days. passphrase may be NULL. */
static void write_pair(EVP_PKEY *pair, const char *passphrase)
{
	X509 *x = X509_new();
	FILE *f = fopen(certificate, "we");
	X509_EXTENSION *names = X509V3_EXT_conf_nid(
		NULL, NULL, NID_subject_alt_name, "DNS:hub.example,IP:192.0.2.1");

	assert_non_null(pair);
	assert_non_null(x);
	assert_non_null(f);
	(void)X509_set_version(x, 2);
	(void)ASN1_TIME_set(X509_getm_notBefore(x), (time_t)(NOW_S - DAY_S));
	(void)ASN1_TIME_set(X509_getm_notAfter(x), (time_t)(NOW_S + DAY_S));
	(void)X509_set_pubkey(x, pair);
	(void)X509_add_ext(x, names, -1);
	assert_true(X509_sign(x, pair, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_X509(f, x), 1);
	assert_int_equal(fclose(f), 0);
	f = fopen(key, "we");
	assert_non_null(f);
	assert_int_equal(
		PEM_write_PrivateKey(f, pair, passphrase != NULL ? EVP_aes_128_cbc() : NULL,
			(const unsigned char *)passphrase,
			passphrase != NULL ? (int)strlen(passphrase) : 0, NULL, NULL),
		1);
	assert_int_equal(fclose(f), 0);
	X509_EXTENSION_free(names);
	X509_free(x);
	EVP_PKEY_free(pair);
}

static int read_at(int64_t now_s, const char *name)
{
	tls_files_finish(&files);
	return tls_files_read(certificate, key, now_s, name, &files, problem);
}

static void says(const char *text)
{
	if (strstr(problem, text) == NULL) {
		fail_msg("'%s' is not in: %s", text, problem);
	}
}

static void a_pair_that_fits_is_taken_as_it_is(void **state)
{
	struct stat st;

	(void)state;
	write_pair(EVP_EC_gen("P-256"), NULL);
	assert_int_equal(read_at(NOW_S, NULL), 0);
	assert_int_equal(read_at(NOW_S, "hub.example"), 0);
	assert_int_equal(read_at(NOW_S, "192.0.2.1"), 0);
	assert_int_equal(stat(certificate, &st), 0);
	assert_int_equal(files.certificate_pem_size, st.st_size);
	assert_memory_equal(files.certificate_pem, "-----BEGIN CERTIFICATE", 22);
	assert_memory_equal(files.key_pem, "-----BEGIN ", 11);
	write_pair(EVP_RSA_gen(2048), NULL);
	assert_int_equal(read_at(NOW_S, NULL), 0);
}

static void what_browsers_will_complain_about_is_told_and_taken(void **state)
{
	(void)state;
	write_pair(EVP_EC_gen("P-256"), NULL);
	assert_int_equal(read_at(NOW_S + 2 * DAY_S, NULL), 1);
	says("cert ended on 2026-01-02 00:00 UTC; renew it");
	assert_non_null(files.key_pem);
	assert_int_equal(read_at(NOW_S - 2 * DAY_S, NULL), 1);
	says("cert begins on 2025-12-31 00:00 UTC; is this machine's clock right?");
	assert_int_equal(read_at(NOW_S, "other.example"), 1);
	says("cert is not for the name other.example");
}

static void a_machine_without_a_clock_does_not_judge_the_time(void **state)
{
	(void)state;
	write_pair(EVP_EC_gen("P-256"), NULL);
	assert_int_equal(read_at(NO_CLOCK_S, NULL), 0);
}

static void a_key_with_a_passphrase_is_told(void **state)
{
	(void)state;
	write_pair(EVP_EC_gen("P-256"), "secret");
	assert_int_equal(read_at(NOW_S, NULL), -EBADMSG);
	says("key has a passphrase");
	assert_null(files.key_pem);
}

static void what_tls_cannot_use_is_told(void **state)
{
	(void)state;
	write_pair(EVP_RSA_gen(1024), NULL);
	assert_int_equal(read_at(NOW_S, NULL), -EKEYREJECTED);
	says("too weak; use ECDSA P-256, or RSA with 2048 bits or more");
}

static void files_that_are_missing_or_something_else_are_told(void **state)
{
	FILE *f;

	(void)state;
	write_pair(EVP_EC_gen("P-256"), NULL);
	assert_int_equal(
		tls_files_read("/nonexistent", key, NOW_S, NULL, &files, problem), -ENOENT);
	says("cannot read /nonexistent: No such file");
	assert_int_equal(tls_files_read(key, key, NOW_S, NULL, &files, problem), -EBADMSG);
	says("there is no PEM certificate in ");
	assert_int_equal(
		tls_files_read(certificate, certificate, NOW_S, NULL, &files, problem), -EBADMSG);
	says("there is no PEM private key in ");
	f = fopen(key, "we");
	assert_non_null(f);
	for (int i = 0; i < TLS_FILES_MAX_BYTES; i++) {
		(void)fputc('a', f);
	}
	assert_int_equal(fclose(f), 0);
	assert_int_equal(read_at(NOW_S, NULL), -EFBIG);
}

static void a_name_without_a_slash_is_a_credential(void **state)
{
	char path[PATH_MAX];

	(void)state;
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
	assert_int_equal(tls_files_path("/etc/x", path, problem), 0);
	assert_string_equal(path, "/etc/x");
	assert_int_equal(tls_files_path("tls_key", path, problem), -ENOENT);
	says("add LoadCredential=tls_key:FILE to camgate-keeper.service");
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", "/run/credentials/k", 1), 0);
	assert_int_equal(tls_files_path("tls_key", path, problem), 0);
	assert_string_equal(path, "/run/credentials/k/tls_key");
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, clean)
	const struct CMUnitTest tests[] = {
		TEST(a_pair_that_fits_is_taken_as_it_is),
		TEST(what_browsers_will_complain_about_is_told_and_taken),
		TEST(a_machine_without_a_clock_does_not_judge_the_time),
		TEST(a_key_with_a_passphrase_is_told),
		TEST(what_tls_cannot_use_is_told),
		TEST(files_that_are_missing_or_something_else_are_told),
		TEST(a_name_without_a_slash_is_a_credential),
	};

	return cmocka_run_group_tests_name("tls_files", tests, make_dir, remove_dir);
}
