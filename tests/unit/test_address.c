#include "address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static bool contains(const struct address_list *list, const char *text)
{
	for (unsigned int i = 0; i < list->count; i++) {
		if (strcmp(list->text[i], text) == 0) {
			return true;
		}
	}
	return false;
}

static void names_are_lower_case_and_once(void **state)
{
	struct address_list list = {0};

	(void)state;
	assert_true(address_add(&list, "Hub.Example."));
	assert_true(address_add(&list, "hub.example"));
	assert_int_equal(list.count, 1);
	assert_string_equal(list.text[0], "hub.example");
	assert_false(address_add(&list, ""));
	assert_false(address_add(&list, "a b"));
	assert_false(address_add(&list, "a/b"));
	assert_false(address_add(&list, "a\nb"));
	assert_int_equal(list.count, 1);
}

static void a_full_list_takes_no_more(void **state)
{
	struct address_list list = {0};
	char name[] = "a.example";

	(void)state;
	for (unsigned int i = 0; i < ADDRESS_MAX; i++) {
		name[0] = (char)('a' + i % 26);
		name[1] = (char)('a' + i / 26);
		assert_true(address_add(&list, name));
	}
	assert_false(address_add(&list, "one-more"));
	assert_int_equal(list.count, ADDRESS_MAX);
}

static void search_domains_of_resolv_conf_are_appended_to_the_host_name(void **state)
{
	static const char text[] =
		"# comment\nnameserver 192.0.2.1\nsearch home.example  fritz.box\t\n"
		"domain lan\nsearchlight wrong.example\nsearch\noptions ndots:1";
	struct address_list list = {0};

	(void)state;
	address_search_domains(text, "hub.whatever", &list);
	assert_int_equal(list.count, 3);
	assert_string_equal(list.text[0], "hub.home.example");
	assert_string_equal(list.text[1], "hub.fritz.box");
	assert_string_equal(list.text[2], "hub.lan");
}

static void accepted_names_are_the_configured_the_own_and_localhost(void **state)
{
	const char *const configured[] = {"Cameras.example", "other.example"};
	struct address_list list;
	char hostname[256];
	char local[300];

	(void)state;
	assert_int_equal(gethostname(hostname, sizeof hostname), 0);
	assert_true((size_t)snprintf(local, sizeof local, "%.*s.local", (int)strcspn(hostname, "."),
			    hostname) < sizeof local);
	assert_int_equal(address_names(configured, 2, &list), 0);
	assert_string_equal(list.text[0], "cameras.example");
	assert_true(contains(&list, "other.example"));
	assert_true(contains(&list, local));
	assert_true(contains(&list, "localhost"));
	assert_false(contains(&list, "127.0.0.1"));
}

static void local_addresses_end_with_loopback_and_hold_no_link_local(void **state)
{
	struct address_list list;
	bool loopback = false;

	(void)state;
	assert_int_equal(address_local(&list), 0);
	for (unsigned int i = 0; i < list.count; i++) {
		bool is_loopback =
			strncmp(list.text[i], "127.", 4) == 0 || strcmp(list.text[i], "::1") == 0;

		assert_true(is_loopback || !loopback);
		assert_true(strncmp(list.text[i], "fe80:", 5) != 0);
		assert_null(strchr(list.text[i], '%'));
		loopback = loopback || is_loopback;
	}
}

static void a_hub_on_loopback_is_linked_as_localhost_only(void **state)
{
	const char *const configured[] = {"cameras.example"};
	struct address_list list;

	(void)state;
	assert_int_equal(address_link_hosts(configured, 1, "127.0.0.1:8443", &list), 0);
	assert_int_equal(list.count, 1);
	assert_string_equal(list.text[0], "localhost");
	assert_int_equal(address_link_hosts(NULL, 0, "[::1]:8443", &list), 0);
	assert_int_equal(list.count, 1);
}

static void a_configured_name_begins_the_link(void **state)
{
	const char *const configured[] = {"cameras.example"};
	struct address_list list;

	(void)state;
	assert_int_equal(address_link_hosts(configured, 1, "[::]:8443", &list), 0);
	assert_string_equal(list.text[0], "cameras.example");
	assert_string_equal(list.text[list.count - 1], "localhost");
	assert_int_equal(address_link_hosts(NULL, 0, "192.0.2.7:8443", &list), 0);
	assert_true(contains(&list, "192.0.2.7"));
	assert_false(contains(&list, "localhost"));
}

static void host_and_port_are_split(void **state)
{
	static const struct {
		const char *text, *host;
		unsigned int port;
	} good[] = {
		{"[::]:8443", "::", 8443},
		{"127.0.0.1:0", "127.0.0.1", 0},
		{"localhost:65535", "localhost", 65535},
		{":80", "", 80},
		{"80", "", 80},
	};
	static const char *const bad[] = {"", ":", "host:", "host", "::1:80", "1.2.3.4:65536",
		"h:-1", "h: 1", "[::1]", "a:b"};
	char host[32];
	unsigned int port;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		assert_int_equal(address_split(good[i].text, host, sizeof host, &port), 0);
		assert_string_equal(host, good[i].host);
		assert_int_equal(port, good[i].port);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_true(address_split(bad[i], host, sizeof host, &port) < 0);
	}
	assert_true(address_split("a-host-that-is-too-long-for-the-buffer:80", host, sizeof host,
			    &port) < 0);
}

static void urls_have_brackets_where_needed(void **state)
{
	char url[64];

	(void)state;
	assert_int_equal(address_url("hub.local", 8443, url, sizeof url), 0);
	assert_string_equal(url, "https://hub.local:8443/");
	assert_int_equal(address_url("2001:db8::1", 443, url, sizeof url), 0);
	assert_string_equal(url, "https://[2001:db8::1]:443/");
	assert_true(address_url("hub.local", 8443, url, 10) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_lower_case_and_once),
		cmocka_unit_test(a_full_list_takes_no_more),
		cmocka_unit_test(search_domains_of_resolv_conf_are_appended_to_the_host_name),
		cmocka_unit_test(accepted_names_are_the_configured_the_own_and_localhost),
		cmocka_unit_test(local_addresses_end_with_loopback_and_hold_no_link_local),
		cmocka_unit_test(a_hub_on_loopback_is_linked_as_localhost_only),
		cmocka_unit_test(a_configured_name_begins_the_link),
		cmocka_unit_test(host_and_port_are_split),
		cmocka_unit_test(urls_have_brackets_where_needed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
