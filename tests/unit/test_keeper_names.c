/* The hub's names, addresses and certificate, under clocks of the test's own. What the kernel says
 * of addresses and of the host's name, the test says: these functions are linked instead of
 * gateway/address_local.c and of the C library's time() and gethostname(). */
#include "keeper_fixture.h"

#include "authority_certificate.h"
#include "keeper.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>

enum { WEB = 1 };
#define S_US UINT64_C(1000000)
#define DAY_S INT64_C(86400)

static struct {
	int64_t time_s;
	struct address_list addresses;
	int no_socket, no_changes, no_answer; /* -errno */
	bool changed;
	const char *hostname; /* NULL: the kernel does not say */
} world;

time_t time(time_t *ret)
{
	if (ret != NULL) {
		*ret = (time_t)world.time_s;
	}
	return (time_t)world.time_s;
}

int gethostname(char *ret, size_t size)
{
	if (world.hostname == NULL) {
		errno = EPERM;
		return -1;
	}
	assert_true(strlen(world.hostname) < size);
	memcpy(ret, world.hostname, strlen(world.hostname) + 1);
	return 0;
}

int address_kernel_open(bool changes)
{
	int refused = changes ? world.no_changes : world.no_socket;

	return refused < 0 ? refused : open("/dev/null", O_RDONLY | O_CLOEXEC);
}

int address_kernel_ask(int fd, struct address_list *ret)
{
	(void)fd;
	if (world.no_answer < 0) {
		return world.no_answer;
	}
	*ret = world.addresses;
	return 0;
}

bool address_kernel_changed(int fd)
{
	(void)fd;
	return world.changed;
}

int address_local(struct address_list *ret)
{
	return address_kernel_ask(-1, ret);
}

static struct keeper keeper;
static struct options options;

static int set_up(void **state)
{
	fixture_set_up(state);
	memset(&keeper, 0, sizeof(keeper));
	memset(&options, 0, sizeof(options));
	memset(&world, 0, sizeof(world));
	world.time_s = AUTHORITY_CLOCK_FLOOR_S + 100 * DAY_S;
	address_add(&world.addresses, "192.168.1.20");
	world.changed = true;
	world.hostname = "before";
	keeper.options = &options;
	keeper.registry = fixture.registry;
	keeper.kernel = keeper.changes = -1;
	snprintf(options.state_dir, sizeof(options.state_dir), "%s", fixture.files.dir);
	web_join(WEB);
	sent_forget();
	return 0;
}

static int tear_down(void **state)
{
	keeper_certificate_finish(&keeper);
	keeper_names_finish(&keeper);
	authority_finish(&keeper.authority);
	return fixture_tear_down(state);
}

/* As the keeper does, a moment after the hub was switched on; the next look is at keeper.renew_us.
 */
static void start(void)
{
	char problem[AUTHORITY_PROBLEM_BYTES] = "";

	assert_int_equal(keeper_names_init(&keeper), 0);
	assert_int_equal(keeper_certificate_init(&keeper), 0);
	assert_int_equal(authority_init(&keeper.authority, options.state_dir, &keeper.names,
				 &keeper.addresses, world.time_s, true, problem),
		0);
}

/* name: a host's, or an address. */
static bool certificate_names(const char *name)
{
	BIO *bio = BIO_new_mem_buf(
		keeper.authority.certificate_pem, (int)keeper.authority.certificate_pem_size);
	X509 *x = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	bool does;

	assert_non_null(x);
	does = X509_check_ip_asc(x, name, 0) == 1 || X509_check_host(x, name, 0, 0, NULL) == 1;
	X509_free(x);
	BIO_free(bio);
	return does;
}

/* The web role was handed what is valid now. */
static void assert_web_has_it(void)
{
	struct ipc_message m;
	struct ipc_web_config config;

	sent_take(WEB, IPC_WEB_CONFIG, &m);
	assert_int_equal(ipc_parse_web_config(&m, &config), 0);
	assert_int_equal(config.certificate_pem_size, keeper.authority.certificate_pem_size);
	assert_memory_equal(config.certificate_pem, keeper.authority.certificate_pem,
		config.certificate_pem_size);
	assert_nothing_sent(WEB, IPC_WEB_CONFIG);
}

/* ---- the start ---- */

static void a_name_that_is_none_is_an_error(void **state)
{
	(void)state;
	options.name = "no name";
	assert_int_equal(keeper_names_init(&keeper), -EINVAL);
	options.name = "hub";
	options.hosts[0] = "hub.example";
	options.hosts[1] = "";
	options.hosts_count = 2;
	assert_int_equal(keeper_names_init(&keeper), -EINVAL);
	options.hosts_count = 1;
	assert_int_equal(keeper_names_init(&keeper), 0);
	assert_string_equal(keeper.configured.text[0], "hub");
	assert_string_equal(keeper.configured.text[1], "hub.example");
	assert_int_equal(keeper.configured.count, 2);
}

static void a_hub_that_cannot_learn_its_addresses_does_not_start(void **state)
{
	(void)state;
	world.no_socket = -EMFILE;
	assert_int_equal(keeper_names_init(&keeper), -EMFILE);
	keeper_names_finish(&keeper);
	world.no_socket = 0;
	world.no_answer = -ENOBUFS;
	assert_int_equal(keeper_names_init(&keeper), -ENOBUFS);
	keeper_names_finish(&keeper);
	/* One that cannot hear of changes does. */
	world.no_answer = 0;
	world.no_changes = -EMFILE;
	assert_int_equal(keeper_names_init(&keeper), 0);
	assert_int_equal(keeper.changes, -EMFILE);
}

/* ---- addresses that come and go ---- */

static void a_new_address_is_in_the_certificate_a_second_after_it_came(void **state)
{
	uint64_t now_us = 5 * S_US;

	(void)state;
	start();
	address_add(&world.addresses, "192.168.7.7");
	keeper_names_hear(&keeper, now_us);
	/* A lease comes as several words: they do not put it off. */
	keeper_names_hear(&keeper, now_us + S_US / 2);
	keeper_names_follow(&keeper, now_us + S_US - 1);
	assert_int_equal(keeper.addresses.count, 1);
	keeper_names_follow(&keeper, now_us + S_US);
	assert_int_equal(keeper.addresses.count, 2);
	assert_int_equal(keeper.names_due_us, 0);
	assert_int_equal(keeper.renew_us, now_us + S_US);
	keeper_certificate_renew(&keeper, now_us + S_US);
	assert_true(certificate_names("192.168.7.7"));
	assert_true(certificate_names("192.168.1.20"));
	assert_web_has_it();
}

static void an_address_that_is_gone_needs_no_other_certificate(void **state)
{
	(void)state;
	start();
	world.addresses.count = 0;
	address_add(&world.addresses, "127.0.0.1");
	keeper_names_hear(&keeper, 0);
	keeper_names_follow(&keeper, S_US);
	assert_int_equal(keeper.addresses.count, 1);
	assert_string_equal(keeper.addresses.text[0], "127.0.0.1");
}

static void a_public_address_is_not_in_the_certificate(void **state)
{
	(void)state;
	start();
	address_add(&world.addresses, "203.0.113.9");
	keeper_names_hear(&keeper, 0);
	keeper_names_follow(&keeper, S_US);
	keeper_certificate_renew(&keeper, keeper.renew_us);
	assert_false(certificate_names("203.0.113.9"));
	assert_nothing_sent(WEB, IPC_WEB_CONFIG);
}

static void other_news_of_interfaces_change_nothing(void **state)
{
	uint64_t renew_us;

	(void)state;
	start();
	renew_us = keeper.renew_us;
	world.changed = false;
	keeper_names_hear(&keeper, 0);
	assert_int_equal(keeper.names_due_us, 0);
	world.changed = true;
	keeper_names_hear(&keeper, 0);
	keeper_names_follow(&keeper, S_US);
	assert_int_equal(keeper.names_due_us, 0);
	assert_int_equal(keeper.renew_us, renew_us);
}

static void a_kernel_that_does_not_answer_leaves_what_is_known(void **state)
{
	(void)state;
	start();
	world.no_answer = -ENOBUFS;
	keeper_names_hear(&keeper, 0);
	keeper_names_follow(&keeper, S_US);
	assert_int_equal(keeper.addresses.count, 1);
	/* The next word is followed. */
	world.no_answer = 0;
	address_add(&world.addresses, "192.168.7.7");
	keeper_names_hear(&keeper, 2 * S_US);
	keeper_names_follow(&keeper, 3 * S_US);
	assert_int_equal(keeper.addresses.count, 2);
}

/* ---- a host that is called otherwise ---- */

static void another_name_of_the_host_is_in_the_certificate_ten_seconds_later(void **state)
{
	uint64_t now_us = 5 * S_US, renew_us;

	(void)state;
	start();
	renew_us = keeper.renew_us;
	keeper_names_follow(&keeper, now_us);
	assert_int_equal(keeper.renew_us, renew_us);
	world.hostname = "after";
	/* The kernel says nothing of it, so it is asked now and then. */
	keeper_names_follow(&keeper, now_us + 10 * S_US - 1);
	assert_int_equal(keeper.renew_us, renew_us);
	now_us += 10 * S_US;
	keeper_names_follow(&keeper, now_us);
	assert_int_equal(keeper.renew_us, now_us);
	keeper_certificate_renew(&keeper, now_us);
	assert_true(certificate_names("after"));
	assert_true(certificate_names("after.local"));
	assert_true(certificate_names("before"));
	assert_web_has_it();
	/* That is told once. */
	renew_us = keeper.renew_us;
	keeper_names_follow(&keeper, now_us + 10 * S_US);
	assert_int_equal(keeper.renew_us, renew_us);
}

static void a_host_whose_name_cannot_be_asked_is_called_as_before(void **state)
{
	uint64_t renew_us;

	(void)state;
	start();
	renew_us = keeper.renew_us;
	world.hostname = NULL;
	keeper_names_follow(&keeper, 10 * S_US);
	assert_string_equal(keeper.hostname, "before");
	assert_int_equal(keeper.renew_us, renew_us);
}

/* ---- certificates that end ---- */

static void a_certificate_is_renewed_30_days_before_its_end_and_the_web_role_has_it(void **state)
{
	const int64_t days = AUTHORITY_LEAF_DAYS - AUTHORITY_BACKDATED_DAYS - AUTHORITY_RENEW_DAYS;
	uint64_t due_us;

	(void)state;
	start();
	world.time_s += (days - 1) * DAY_S;
	due_us = keeper.renew_us;
	keeper_certificate_renew(&keeper, due_us);
	assert_nothing_sent(WEB, IPC_WEB_CONFIG);
	assert_int_equal(keeper.renew_us, due_us + 3600 * S_US);
	/* It looks once an hour. */
	world.time_s += 2 * DAY_S;
	keeper_certificate_renew(&keeper, keeper.renew_us - 1);
	assert_nothing_sent(WEB, IPC_WEB_CONFIG);
	keeper_certificate_renew(&keeper, keeper.renew_us);
	assert_web_has_it();
}

static void a_certificate_that_cannot_be_renewed_stays_and_is_tried_again_in_5_minutes(void **state)
{
	struct ipc_web_config before, after;
	uint64_t due_us;

	(void)state;
	start();
	keeper_fill_config(&keeper, &before);
	world.time_s += AUTHORITY_LEAF_DAYS * DAY_S;
	snprintf(options.state_dir, sizeof(options.state_dir), "%s/not/there", fixture.files.dir);
	due_us = keeper.renew_us;
	keeper_certificate_renew(&keeper, due_us);
	assert_int_equal(keeper.renew_us, due_us + 300 * S_US);
	assert_nothing_sent(WEB, IPC_WEB_CONFIG);
	keeper_fill_config(&keeper, &after);
	assert_ptr_equal(before.certificate_pem, after.certificate_pem);
	snprintf(options.state_dir, sizeof(options.state_dir), "%s", fixture.files.dir);
	keeper_certificate_renew(&keeper, keeper.renew_us);
	assert_web_has_it();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_name_that_is_none_is_an_error),
		TEST(a_hub_that_cannot_learn_its_addresses_does_not_start),
		TEST(a_new_address_is_in_the_certificate_a_second_after_it_came),
		TEST(an_address_that_is_gone_needs_no_other_certificate),
		TEST(a_public_address_is_not_in_the_certificate),
		TEST(other_news_of_interfaces_change_nothing),
		TEST(a_kernel_that_does_not_answer_leaves_what_is_known),
		TEST(another_name_of_the_host_is_in_the_certificate_ten_seconds_later),
		TEST(a_host_whose_name_cannot_be_asked_is_called_as_before),
		TEST(a_certificate_is_renewed_30_days_before_its_end_and_the_web_role_has_it),
		TEST(a_certificate_that_cannot_be_renewed_stays_and_is_tried_again_in_5_minutes),
	};

	if (secure_heap_init() < 0) {
		return 1;
	}
	return cmocka_run_group_tests_name("keeper names", tests, NULL, NULL);
}
