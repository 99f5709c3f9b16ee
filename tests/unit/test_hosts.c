#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "web/hosts.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static struct hosts ours = {.port = 8443, .count = 3, .names = {"hub", "hub.local", "localhost"}};

static struct sockaddr_storage local_address(const char *text)
{
	struct sockaddr_storage sa = {.ss_family = AF_UNSPEC};
	struct sockaddr_in *four = (struct sockaddr_in *)&sa;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)&sa;

	if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
		sa.ss_family = AF_INET;
	} else {
		assert_int_equal(inet_pton(AF_INET6, text, &six->sin6_addr), 1);
		sa.ss_family = AF_INET6;
	}
	return sa;
}

static bool accepted(const char *host, const char *local)
{
	struct sockaddr_storage sa = local_address(local);

	return hosts_accept(&ours, host, (const struct sockaddr *)&sa);
}

static void host_is_accepted_when_it_is_a_name_of_ours_with_our_port(void **state)
{
	static const char *const good[] = {"hub:8443", "HUB.Local:8443", "localhost:8443"};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		assert_true(accepted(good[i], "192.0.2.1"));
	}
}

static void host_matches_whole_and_never_by_a_part(void **state)
{
	static const char *const bad[] = {"", ":8443", "hub", "hub:443", "hub:84430", "hub:8443 ",
		" hub:8443", "hu:8443", "hub.:8443", "hub.localx:8443", "xhub:8443",
		"hub.local.evil:8443", "hub:", "hub:8443:8443", "hub:08443x", "hub/:8443",
		"hub@evil:8443", "evil@hub:8443", "[hub]:8443", "hub:-8443", "hub:65536", "hub:0",
		"hub.local:8443\r\nx", "h\xc3\xbc:8443", "hub,hub:8443"};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		if (accepted(bad[i], "192.0.2.1")) {
			fail_msg("accepted \"%s\"", bad[i]);
		}
	}
}

static void host_may_be_the_very_address_of_the_connection(void **state)
{
	(void)state;
	assert_true(accepted("192.0.2.1:8443", "192.0.2.1"));
	assert_true(accepted("192.0.2.1:8443", "::ffff:192.0.2.1"));
	assert_true(accepted("[2001:db8::1]:8443", "2001:db8::1"));
	assert_true(accepted("[2001:DB8:0::0:1]:8443", "2001:db8::1"));
	assert_false(accepted("192.0.2.2:8443", "192.0.2.1"));
	assert_false(accepted("192.0.2.1:443", "192.0.2.1"));
	assert_false(accepted("[2001:db8::2]:8443", "2001:db8::1"));
	assert_false(accepted("2001:db8::1:8443", "2001:db8::1"));
	assert_false(accepted("[192.0.2.1]:8443", "192.0.2.1"));
	assert_false(accepted("[::ffff:192.0.2.1]:8443", "::ffff:192.0.2.1"));
	assert_false(accepted("[2001:db8::1:8443", "2001:db8::1"));
	assert_false(accepted("0xc0000201:8443", "192.0.2.1"));
	assert_false(accepted("192.0.513:8443", "192.0.2.1"));
}

static void port_443_is_left_out_by_browsers(void **state)
{
	struct hosts h = {.port = 443, .count = 1, .names = {"hub"}};
	struct sockaddr_storage sa = local_address("192.0.2.1");

	(void)state;
	assert_true(hosts_accept(&h, "hub", (const struct sockaddr *)&sa));
	assert_true(hosts_accept(&h, "hub:443", (const struct sockaddr *)&sa));
	assert_true(hosts_same_origin("https://hub", "hub:443"));
}

static void origin_is_https_of_the_same_host_and_port(void **state)
{
	static const char *const bad[] = {"", "null", "hub:8443", "http://hub:8443", "https://hub",
		"https://hub:8444", "https://hub:8443/", "https://evil:8443",
		"https://hub:8443.evil", "https://hub:8443@evil", "HTTPS//hub:8443",
		"wss://hub:8443"};

	(void)state;
	assert_true(hosts_same_origin("https://hub:8443", "hub:8443"));
	assert_true(hosts_same_origin("https://hub:8443", "HUB:8443"));
	assert_true(hosts_same_origin("https://[2001:db8::1]:8443", "[2001:db8::1]:8443"));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		if (hosts_same_origin(bad[i], "hub:8443")) {
			fail_msg("accepted \"%s\"", bad[i]);
		}
	}
}

static void refused_host_is_noted_once_and_not_without_end(void **state)
{
	static struct hosts h = {.port = 8443};
	unsigned int noted = 0;

	(void)state;
	assert_true(hosts_note_refused(&h, "evil:8443"));
	assert_false(hosts_note_refused(&h, "evil:8443"));
	for (int i = 0; i < 1000; i++) {
		char name[32];

		(void)snprintf(name, sizeof name, "evil%d", i);
		noted += hosts_note_refused(&h, name);
	}
	assert_int_equal(noted, HOSTS_REFUSED_MAX - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(host_is_accepted_when_it_is_a_name_of_ours_with_our_port),
		cmocka_unit_test(host_matches_whole_and_never_by_a_part),
		cmocka_unit_test(host_may_be_the_very_address_of_the_connection),
		cmocka_unit_test(port_443_is_left_out_by_browsers),
		cmocka_unit_test(origin_is_https_of_the_same_host_and_port),
		cmocka_unit_test(refused_host_is_noted_once_and_not_without_end),
	};

	return cmocka_run_group_tests_name("hosts", tests, NULL, NULL);
}
