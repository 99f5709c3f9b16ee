#include "authority.h"
#include "authority_certificate.h"
#include "authority_file.h"
#include "store_fixture.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#define NOW_S (AUTHORITY_CLOCK_FLOOR_S + 100 * DAY_S)
#define DAY_S INT64_C(86400)

static char dir[64];
static struct address_list names, addresses;
static struct authority authority;

static int set_up(void **state)
{
	(void)state;
	directory_make(dir);
	memset(&names, 0, sizeof(names));
	memset(&addresses, 0, sizeof(addresses));
	address_add(&names, "hub");
	address_add(&names, "hub.local");
	address_add(&names, "localhost");
	address_add(&addresses, "192.168.1.20");
	address_add(&addresses, "fd00::20");
	address_add(&addresses, "203.0.113.9"); /* not private */
	address_add(&addresses, "2001:db8::9"); /* nor this */
	address_add(&addresses, "127.0.0.1");
	address_add(&addresses, "::1");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	authority_finish(&authority);
	directory_remove(dir);
	return 0;
}

static int start(int64_t now_s)
{
	char problem[AUTHORITY_PROBLEM_BYTES] = "";

	authority_finish(&authority);
	return authority_init(&authority, dir, &names, &addresses, now_s, true, problem);
}

/* The nth certificate of the chain for the web role. */
static X509 *certificate(int n)
{
	BIO *bio = BIO_new_mem_buf(authority.certificate_pem, (int)authority.certificate_pem_size);
	X509 *x = NULL;

	for (int i = 0; i <= n; i++) {
		X509_free(x);
		x = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	}
	BIO_free(bio);
	assert_non_null(x);
	return x;
}

/* As a client that has installed the CA would check it. */
static int verify_for(const char *host, int64_t now_s)
{
	X509 *leaf = certificate(0), *ca = certificate(1);
	X509_STORE *trusted = X509_STORE_new();
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	X509_VERIFY_PARAM *param;
	int error;

	X509_STORE_add_cert(trusted, ca);
	X509_STORE_CTX_init(context, trusted, leaf, NULL);
	param = X509_STORE_CTX_get0_param(context);
	X509_VERIFY_PARAM_set_time(param, (time_t)now_s);
	X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_SERVER);
	if (X509_VERIFY_PARAM_set1_ip_asc(param, host) != 1) {
		X509_VERIFY_PARAM_set1_host(param, host, 0);
	}
	X509_verify_cert(context);
	error = X509_STORE_CTX_get_error(context);
	X509_STORE_CTX_free(context);
	X509_STORE_free(trusted);
	X509_free(leaf);
	X509_free(ca);
	return error;
}

static void write_file(const char *name, const char *text)
{
	assert_int_equal(authority_file_write(dir, name, text, strlen(text)), 0);
}

static void the_chain_holds_for_every_name_and_private_address(void **state)
{
	static const char *const good[] = {
		"hub", "hub.local", "localhost", "192.168.1.20", "fd00::20", "127.0.0.1", "::1"};
	static const char *const bad[] = {
		"example.com", "hub.example", "192.168.1.21", "203.0.113.9", "2001:db8::9"};

	(void)state;
	assert_int_equal(start(NOW_S), 0);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(verify_for(good[i], NOW_S), X509_V_OK);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_not_equal(verify_for(bad[i], NOW_S), X509_V_OK);
	}
}

static void the_ca_cannot_sign_for_anybody_else(void **state)
{
	static const char *const foreign[] = {"example.com", "203.0.113.9"};
	char *pem;
	size_t size;
	struct key_pair ca, leaf_key;

	(void)state;
	assert_int_equal(start(NOW_S), 0);
	assert_int_equal(authority_file_read(dir, "ca-key.pem", &pem, &size), 0);
	assert_int_equal(key_pair_from_pem(pem, size, &ca), 0);
	OPENSSL_secure_clear_free(pem, AUTHORITY_FILE_MAX_BYTES);
	assert_int_equal(key_pair_generate(&leaf_key), 0);
	for (size_t i = 0; i < 2; i++) {
		struct address_list asked = {0}, none = {0};
		X509 *ca_certificate = certificate(1), *leaf;

		address_add(&asked, foreign[i]);
		leaf = certificate_make_leaf(&leaf_key, &ca, ca_certificate, &asked, &none, NOW_S);
		/* a public address does not even get into it */
		assert_true(
			leaf == NULL || i == 1 || !certificate_ca_fits(ca_certificate, &ca, leaf));
		X509_free(leaf);
		X509_free(ca_certificate);
	}
	key_pair_finish(&ca);
	key_pair_finish(&leaf_key);
}

static void extensions_that_must_be_critical_are(void **state)
{
	X509 *ca, *leaf;

	(void)state;
	assert_int_equal(start(NOW_S), 0);
	ca = certificate(1);
	leaf = certificate(0);
	int at = X509_get_ext_by_NID(ca, NID_name_constraints, -1);
	assert_true(at >= 0);
	assert_true(X509_EXTENSION_get_critical(X509_get_ext(ca, at)));
	assert_int_equal(X509_get_pathlen(ca), 0);
	assert_true(X509_check_ca(ca) == 1);
	assert_int_equal(X509_check_ca(leaf), 0);
	X509_free(ca);
	X509_free(leaf);
}

static void a_certificate_lives_at_most_397_days_and_is_backdated(void **state)
{
	int days, seconds;
	X509 *leaf;
	time_t now = (time_t)NOW_S;

	(void)state;
	assert_int_equal(start(NOW_S), 0);
	leaf = certificate(0);
	assert_int_equal(ASN1_TIME_diff(&days, &seconds, X509_get0_notBefore(leaf),
				 X509_get0_notAfter(leaf)),
		1);
	assert_true(days < AUTHORITY_LEAF_DAYS);
	assert_true(X509_cmp_time(X509_get0_notBefore(leaf), &now) < 0);
	X509_free(leaf);
}

static void without_a_clock_the_certificate_is_of_the_floor_and_kept(void **state)
{
	(void)state;
	assert_int_equal(start(0), 0);
	assert_int_equal(verify_for("hub.local", AUTHORITY_CLOCK_FLOOR_S), X509_V_OK);
	assert_int_equal(authority_renew(&authority, dir, &names, &addresses, 1000), 0);
	/* and when the clock comes, and is two years later, it is renewed */
	assert_int_equal(authority_renew(&authority, dir, &names, &addresses,
				 AUTHORITY_CLOCK_FLOOR_S + 730 * DAY_S),
		1);
	assert_int_equal(verify_for("hub.local", AUTHORITY_CLOCK_FLOOR_S + 730 * DAY_S), X509_V_OK);
}

static void it_is_renewed_with_the_same_keys_30_days_before_its_end(void **state)
{
	uint8_t fingerprint[FINGERPRINT_BYTES];
	int64_t end_s = NOW_S + (AUTHORITY_LEAF_DAYS - AUTHORITY_BACKDATED_DAYS) * DAY_S;
	X509 *before, *after, *ca_before, *ca_after;

	(void)state;
	assert_int_equal(start(NOW_S), 0);
	memcpy(fingerprint, authority.fingerprint, sizeof(fingerprint));
	before = certificate(0);
	ca_before = certificate(1);
	assert_int_equal(
		authority_renew(&authority, dir, &names, &addresses, end_s - 31 * DAY_S), 0);
	assert_int_equal(
		authority_renew(&authority, dir, &names, &addresses, end_s - 29 * DAY_S), 1);
	after = certificate(0);
	ca_after = certificate(1);
	assert_int_not_equal(X509_cmp(before, after), 0);
	assert_int_equal(X509_cmp(ca_before, ca_after), 0);
	assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(before), X509_get0_pubkey(after)), 1);
	assert_int_equal(start(end_s - 29 * DAY_S), 0);
	assert_memory_equal(fingerprint, authority.fingerprint, sizeof(fingerprint));
	X509_free(before);
	X509_free(after);
	X509_free(ca_before);
	X509_free(ca_after);
}

static void a_new_name_is_in_the_next_certificate_and_nothing_changes_without(void **state)
{
	X509 *before, *after;

	(void)state;
	assert_int_equal(start(NOW_S), 0);
	before = certificate(0);
	assert_int_equal(start(NOW_S), 0);
	after = certificate(0);
	assert_int_equal(X509_cmp(before, after), 0);
	X509_free(after);
	address_add(&names, "camgate.example");
	assert_int_equal(start(NOW_S), 0);
	after = certificate(0);
	assert_int_not_equal(X509_cmp(before, after), 0);
	assert_int_equal(verify_for("camgate.example", NOW_S), X509_V_OK);
	X509_free(before);
	X509_free(after);
}

static void files_are_for_the_user_alone(void **state)
{
	static const char *const files[] = {
		"identity.pem", "ca-key.pem", "ca.pem", "web-key.pem", "web.pem"};
	char path[512];
	struct stat st;

	(void)state;
	assert_int_equal(start(NOW_S), 0);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
	}
}

static void a_damaged_identity_is_refused_and_kept(void **state)
{
	char problem[AUTHORITY_PROBLEM_BYTES] = "", *kept;
	size_t size;

	(void)state;
	write_file("identity.pem", "-----BEGIN PRIVATE KEY-----\nno\n");
	assert_int_equal(authority_init(&authority, dir, &names, &addresses, NOW_S, true, problem),
		-EBADMSG);
	assert_non_null(strstr(problem, "identity.pem is damaged"));
	assert_int_equal(authority_file_read(dir, "identity.pem", &kept, &size), 0);
	assert_int_equal(size, 31);
	OPENSSL_secure_clear_free(kept, AUTHORITY_FILE_MAX_BYTES);
}

static void a_lost_identity_is_not_replaced_while_displays_are_paired(void **state)
{
	char problem[AUTHORITY_PROBLEM_BYTES] = "";

	(void)state;
	assert_int_equal(authority_init(&authority, dir, &names, &addresses, NOW_S, false, problem),
		-ENOENT);
	assert_non_null(strstr(problem, "identity.pem is missing"));
}

static void a_damaged_certificate_is_made_anew(void **state)
{
	(void)state;
	assert_int_equal(start(NOW_S), 0);
	write_file("web.pem", "nonsense");
	write_file("ca.pem", "");
	assert_int_equal(start(NOW_S), 0);
	assert_int_equal(verify_for("hub.local", NOW_S), X509_V_OK);
}

static void what_a_dead_keeper_was_writing_does_not_matter(void **state)
{
	(void)state;
	write_file("identity.pem.new", "half a ke");
	assert_int_equal(start(NOW_S), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_chain_holds_for_every_name_and_private_address),
		TEST(the_ca_cannot_sign_for_anybody_else),
		TEST(extensions_that_must_be_critical_are),
		TEST(a_certificate_lives_at_most_397_days_and_is_backdated),
		TEST(without_a_clock_the_certificate_is_of_the_floor_and_kept),
		TEST(it_is_renewed_with_the_same_keys_30_days_before_its_end),
		TEST(a_new_name_is_in_the_next_certificate_and_nothing_changes_without),
		TEST(files_are_for_the_user_alone),
		TEST(a_damaged_identity_is_refused_and_kept),
		TEST(a_lost_identity_is_not_replaced_while_displays_are_paired),
		TEST(a_damaged_certificate_is_made_anew),
		TEST(what_a_dead_keeper_was_writing_does_not_matter),
	};

	return cmocka_run_group_tests_name("authority", tests, NULL, NULL);
}
