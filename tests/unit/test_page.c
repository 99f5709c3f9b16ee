#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "web/page.h"

#include <errno.h>
#include <string.h>

static const unsigned char index_html[] = "<!doctype html>";
static const unsigned char app_js[] = "export {}";
static const uint8_t ca[] = {0x30, 0};

static const struct page_asset assets[] = {
	{"index.html", index_html, index_html + sizeof index_html - 1},
	{"app.js", app_js, app_js + sizeof app_js - 1},
	{NULL, NULL, NULL},
};

static void page_finds_files_by_their_whole_path(void **state)
{
	struct page_answer a;

	(void)state;
	page_find(assets, "/", ca, sizeof ca, &a);
	assert_int_equal(a.status, 200);
	assert_ptr_equal(a.body, index_html);
	assert_int_equal(a.body_size, 15);
	assert_string_equal(a.type, "text/html; charset=utf-8");
	page_find(assets, "/app.js", ca, sizeof ca, &a);
	assert_string_equal(a.type, "text/javascript; charset=utf-8");
	page_find(assets, "/ca.crt", ca, sizeof ca, &a);
	assert_ptr_equal(a.body, ca);
	assert_string_equal(a.type, "application/x-x509-ca-cert");
}

static void assert_same(const struct page_answer *a, const struct page_answer *b)
{
	assert_int_equal(a->status, b->status);
	assert_string_equal(a->type, b->type);
	assert_ptr_equal(a->body, b->body);
	assert_int_equal(a->body_size, b->body_size);
}

static void page_refuses_everything_else_in_one_way(void **state)
{
	static const char *const paths[] = {"", "//", "/app", "/app.js/", "/APP.JS", "/app.js?x",
		"/../app.js", "app.js", "//app.js", "/index.htm", "/snapshot", "/stream", "/status",
		"*"};
	struct page_answer first, a;

	(void)state;
	page_find(assets, "/none", ca, sizeof ca, &first);
	assert_int_equal(first.status, 404);
	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		page_find(assets, paths[i], ca, sizeof ca, &a);
		assert_same(&a, &first);
	}
	page_find(assets, "/ca.crt", NULL, 0, &a);
	assert_same(&a, &first);
}

static void page_headers_allow_nothing_but_this_hub(void **state)
{
	struct page_answer a;
	char head[PAGE_HEAD_BYTES];
	ssize_t n;

	(void)state;
	page_find(assets, "/", ca, sizeof ca, &a);
	n = page_head(&a, true, false, head, sizeof head);
	assert_true(n > 0);
	assert_memory_equal(head, "HTTP/1.1 200 OK\r\n", 17);
	assert_string_equal(head + n - 4, "\r\n\r\n");
	assert_non_null(strstr(head, "\r\nContent-Length: 15\r\n"));
	assert_non_null(strstr(head,
		"\r\nContent-Security-Policy: default-src 'none'; script-src 'self'; worker-src "
		"'self'; "
		"style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; "
		"form-action 'none'; frame-ancestors 'none'; require-trusted-types-for "
		"'script'; trusted-types camgate\r\n"));
	assert_non_null(strstr(head, "\r\nCache-Control: no-store\r\n"));
	assert_non_null(strstr(head, "\r\nX-Content-Type-Options: nosniff\r\n"));
	assert_non_null(strstr(head, "\r\nReferrer-Policy: no-referrer\r\n"));
	assert_non_null(strstr(head, "\r\nCross-Origin-Opener-Policy: same-origin\r\n"));
	assert_non_null(strstr(head, "\r\nCross-Origin-Resource-Policy: same-origin\r\n"));
	assert_non_null(strstr(head, "\r\nPermissions-Policy: camera=(), microphone=()"));
	assert_null(strstr(head, "unsafe"));
	assert_null(strstr(head, "Strict-Transport-Security"));
	assert_int_equal(page_head(&a, true, false, head, 100), -ENOSPC);
}

static void page_asks_for_strict_transport_with_a_configured_certificate_only(void **state)
{
	struct page_answer a;
	char head[PAGE_HEAD_BYTES];

	(void)state;
	page_find(assets, "/", NULL, 0, &a);
	assert_true(page_head(&a, true, true, head, sizeof head) > 0);
	assert_non_null(strstr(head, "\r\nStrict-Transport-Security: max-age=2592000\r\n"));
	assert_true(page_head(&a, true, false, head, sizeof head) > 0);
	assert_null(strstr(head, "Strict-Transport-Security"));
}

static void page_of_this_program_has_an_index(void **state)
{
	struct page_answer a;

	(void)state;
	page_find(page_assets, "/", NULL, 0, &a);
	assert_int_equal(a.status, 200);
	assert_true(a.body_size > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(page_finds_files_by_their_whole_path),
		cmocka_unit_test(page_refuses_everything_else_in_one_way),
		cmocka_unit_test(page_headers_allow_nothing_but_this_hub),
		cmocka_unit_test(page_asks_for_strict_transport_with_a_configured_certificate_only),
		cmocka_unit_test(page_of_this_program_has_an_index),
	};

	return cmocka_run_group_tests_name("page", tests, NULL, NULL);
}
