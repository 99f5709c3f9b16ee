#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "web/connection.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

enum { NOW_US = 1000000 };

static struct connections all;

static struct connection *accept_from(const char *address, bool admitted)
{
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(1234)};
	struct connection *c;

	assert_int_equal(inet_pton(AF_INET6, address, &six.sin6_addr), 1);
	c = connection_create(&all, (const struct sockaddr *)&six, NOW_US);
	if (c) {
		c->admitted = admitted;
	}
	return c;
}

static int close_all(void **state)
{
	(void)state;
	while (all.count > 0) {
		connection_destroy(&all, all.all[0]);
	}
	connections_finish(&all);
	return connections_init(&all, CONNECTIONS_DEFAULT);
}

static int set_up(void **state)
{
	(void)state;
	return connections_init(&all, CONNECTIONS_DEFAULT);
}

static int tear_down(void **state)
{
	(void)state;
	connections_finish(&all);
	return 0;
}

static void strangers_are_32_at_most(void **state)
{
	(void)state;
	for (int i = 0; i < CONNECTIONS_STRANGERS_MIN; i++) {
		assert_non_null(accept_from("2001:db8::1", false));
	}
	assert_null(accept_from("2001:db8::2", false));
	all.all[5]->admitted = true;
	assert_non_null(accept_from("2001:db8::2", false));
}

static void one_address_has_64_at_most_and_all_have_256(void **state)
{
	static const char *const addresses[] = {
		"2001:db8::1", "::ffff:192.0.2.1", "::1", "2001:db8::2"};

	(void)state;
	for (size_t k = 0; k < 4; k++) {
		for (int i = 0; i < CONNECTIONS_PER_ADDRESS; i++) {
			assert_non_null(accept_from(addresses[k], true));
		}
		assert_null(accept_from(addresses[k], true));
	}
	assert_int_equal(all.count, CONNECTIONS_DEFAULT);
	assert_null(accept_from("2001:db8::3", true));
	connection_destroy(&all, all.all[0]);
	assert_non_null(accept_from("2001:db8::3", true));
}

static void a_configured_total_is_kept_and_strangers_are_an_eighth_of_it(void **state)
{
	enum { MANY = 1024, FEW = 16 };
	char address[32];

	(void)state;
	connections_finish(&all);
	assert_int_equal(connections_init(&all, MANY), 0);
	for (int i = 0; i < MANY; i++) {
		(void)snprintf(address, sizeof address, "2001:db8::%x", i / 32 + 1);
		assert_non_null(accept_from(address, i >= MANY / 8));
		if (i == MANY / 8 - 1) {
			assert_null(accept_from("2001:db8::ffff", false));
			all.all[0]->admitted = true;
		}
	}
	assert_null(accept_from("2001:db8::ffff", true));
	assert_int_equal(all.count, MANY);
	(void)close_all(NULL);
	connections_finish(&all);
	assert_int_equal(connections_init(&all, FEW), 0);
	for (int i = 0; i < FEW; i++) {
		assert_non_null(accept_from("2001:db8::1", false));
	}
	assert_null(accept_from("2001:db8::1", false));
}

static void ipv4_is_one_address_whichever_way_it_came(void **state)
{
	struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(1234)};
	struct connection *a, *b = accept_from("::ffff:192.0.2.1", true);

	(void)state;
	assert_int_equal(inet_pton(AF_INET, "192.0.2.1", &four.sin_addr), 1);
	a = connection_create(&all, (const struct sockaddr *)&four, NOW_US);
	assert_memory_equal(&a->address, &b->address, sizeof a->address);
	assert_string_equal(a->peer, "192.0.2.1:1234");
	assert_string_equal(b->peer, a->peer);
	assert_string_equal(accept_from("2001:db8::1", true)->peer, "[2001:db8::1]:1234");
}

static void connection_is_overdue_until_it_logs_in(void **state)
{
	struct connection *c = accept_from("2001:db8::1", false);

	(void)state;
	assert_false(connection_is_overdue(c, NOW_US + CONNECTION_REQUEST_US));
	assert_true(connection_is_overdue(c, NOW_US + CONNECTION_REQUEST_US + 1));
	c->upgrade_granted = true;
	assert_true(connection_is_overdue(c, NOW_US + CONNECTION_LOGIN_US + 1));
	c->admitted = true;
	assert_false(connection_is_overdue(c, NOW_US + 100 * (uint64_t)CONNECTION_LOGIN_US));
}

static void connection_number_is_never_used_twice(void **state)
{
	uint64_t last = 0;

	(void)state;
	for (int i = 0; i < 100; i++) {
		struct connection *c = accept_from("2001:db8::1", true);

		assert_true(c->id > last);
		last = c->id;
		assert_ptr_equal(connection_find(&all, last), c);
		connection_destroy(&all, c);
		assert_null(connection_find(&all, last));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(strangers_are_32_at_most, close_all),
		cmocka_unit_test_teardown(one_address_has_64_at_most_and_all_have_256, close_all),
		cmocka_unit_test_teardown(
			a_configured_total_is_kept_and_strangers_are_an_eighth_of_it, close_all),
		cmocka_unit_test_teardown(ipv4_is_one_address_whichever_way_it_came, close_all),
		cmocka_unit_test_teardown(connection_is_overdue_until_it_logs_in, close_all),
		cmocka_unit_test_teardown(connection_number_is_never_used_twice, close_all),
	};

	return cmocka_run_group_tests_name("connection", tests, set_up, tear_down);
}
