#include "page.h"
#include "socket.h"
#include "gateway/clock.h"
#include "gateway/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { PATH_BYTES = 128, PIECE_BYTES = 16000 };

static const char not_found[] = "Not found\n";

/* Nothing comes from elsewhere, nothing is sent elsewhere, nothing frames this page, and no text
 * becomes a script. */
static const char policy[] =
	"default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; "
	"connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
	"frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types camgate";

static const char *type_of(const char *name)
{
	static const struct {
		const char *suffix, *type;
	} types[] = {
		{".html", "text/html; charset=utf-8"},
		{".js", "text/javascript; charset=utf-8"},
		{".css", "text/css; charset=utf-8"},
		{".svg", "image/svg+xml"},
		{".png", "image/png"},
		{".ico", "image/x-icon"},
		{".webmanifest", "application/manifest+json"},
	};
	size_t length = strlen(name);

	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		size_t n = strlen(types[i].suffix);

		if (length > n && strcmp(name + length - n, types[i].suffix) == 0) {
			return types[i].type;
		}
	}
	return "application/octet-stream";
}

void page_find(const struct page_asset *assets, const char *path, const uint8_t *ca, size_t ca_size,
	struct page_answer *ret)
{
	const char *name = strcmp(path, "/") == 0 ? "index.html" : path + 1;

	*ret = (struct page_answer){.status = 404,
		.type = "text/plain; charset=utf-8",
		.body = (const unsigned char *)not_found,
		.body_size = sizeof not_found - 1};
	if (path[0] != '/') {
		return;
	}
	if (strcmp(name, "ca.crt") == 0 && ca_size > 0) {
		*ret = (struct page_answer){.status = 200,
			.type = "application/x-x509-ca-cert",
			.body = ca,
			.body_size = ca_size};
		return;
	}
	for (const struct page_asset *a = assets; a->name; a++) {
		if (strcmp(a->name, name) == 0) {
			*ret = (struct page_answer){.status = 200,
				.type = type_of(name),
				.body = a->data,
				.body_size = (size_t)(a->end - a->data)};
			return;
		}
	}
}

ssize_t page_head(const struct page_answer *answer, bool keep_alive, bool configured, char *out,
	size_t size)
{
	/* Thirty days: who goes back to the hub's own certificate must be able to. */
	const char *strict = configured ? "Strict-Transport-Security: max-age=2592000\r\n" : "";
	int n = snprintf(out, size,
		"HTTP/1.1 %u %s\r\n"
		"Content-Type: %s\r\n"
		"Content-Length: %zu\r\n"
		"Cache-Control: no-store\r\n"
		"Content-Security-Policy: %s\r\n"
		"X-Content-Type-Options: nosniff\r\n"
		"Referrer-Policy: no-referrer\r\n"
		"Cross-Origin-Opener-Policy: same-origin\r\n"
		"Cross-Origin-Resource-Policy: same-origin\r\n"
		"Permissions-Policy: camera=(), microphone=(), geolocation=(), display-capture=(), "
		"usb=(), serial=(), payment=()\r\n"
		"X-Frame-Options: DENY\r\n"
		"%s"
		"Connection: %s\r\n"
		"\r\n",
		answer->status, answer->status == 200 ? "OK" : "Not Found", answer->type,
		answer->body_size, policy, strict, keep_alive ? "keep-alive" : "close");

	return n < 0 || (size_t)n >= size ? -ENOSPC : n;
}

/* ---- glue ---- */

static bool host_is_ours(struct web *web, struct lws *wsi, const struct connection *c)
{
	char host[HOSTS_TEXT_BYTES];
	struct sockaddr_storage local = {.ss_family = AF_UNSPEC};
	socklen_t size = sizeof local;

	if (lws_hdr_copy(wsi, host, sizeof host, WSI_TOKEN_HOST) <= 0 ||
		getsockname(lws_get_socket_fd(wsi), (struct sockaddr *)&local, &size) < 0) {
		return false;
	}
	if (hosts_accept(&web->hosts, host, (const struct sockaddr *)&local)) {
		return true;
	}
	web->connections.refusals.counts[WEB_REFUSED_HOST]++;
	hosts_log_refused(&web->hosts, host, c->peer);
	return false;
}

/* The path of a GET or HEAD request, otherwise -ENOTSUP. */
static int request_path(struct lws *wsi, char *path, size_t size, bool *ret_head_only)
{
	*ret_head_only = lws_hdr_total_length(wsi, WSI_TOKEN_HEAD_URI) > 0;
	if (lws_hdr_copy(wsi, path, (int)size,
		    *ret_head_only ? WSI_TOKEN_HEAD_URI : WSI_TOKEN_GET_URI) <= 0) {
		return -ENOTSUP;
	}
	return 0;
}

static int finish(struct lws *wsi, struct connection *c)
{
	c->body = c->body_end = NULL;
	c->since_us = clock_now_us();
	return c->close_after || lws_http_transaction_completed(wsi) ? -1 : 0;
}

static int on_request(struct lws *wsi, struct connection *c)
{
	struct web *web = web_of(wsi);
	unsigned char head[LWS_PRE + PAGE_HEAD_BYTES];
	struct page_answer answer;
	char path[PATH_BYTES] = "";
	bool head_only = false;
	bool ours =
		request_path(wsi, path, sizeof path, &head_only) == 0 && host_is_ours(web, wsi, c);
	ssize_t n;

	page_find(page_assets, ours ? path : "", web->ca, web->ca_size, &answer);
	/* What was refused may have a body that nobody reads. */
	c->close_after = !ours || web->ending;
	n = page_head(&answer, !c->close_after, web->ca_size == 0, (char *)head + LWS_PRE, PAGE_HEAD_BYTES);
	if (n < 0 || lws_write(wsi, head + LWS_PRE, (size_t)n, LWS_WRITE_HTTP_HEADERS) < (int)n) {
		return -1;
	}
	if (head_only) {
		return finish(wsi, c);
	}
	c->body = answer.body;
	c->body_end = answer.body + answer.body_size;
	lws_callback_on_writable(wsi);
	return 0;
}

static int on_writable(struct lws *wsi, struct connection *c)
{
	unsigned char piece[LWS_PRE + PIECE_BYTES];
	size_t n = (size_t)(c->body_end - c->body);
	bool last = n <= PIECE_BYTES;

	if (!c->body) {
		return 0;
	}
	if (!last) {
		n = PIECE_BYTES;
	}
	memcpy(piece + LWS_PRE, c->body, n);
	if (n > 0 && lws_write(wsi, piece + LWS_PRE, n,
			     last ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) < (int)n) {
		return -1;
	}
	c->body += n;
	if (last) {
		return finish(wsi, c);
	}
	lws_callback_on_writable(wsi);
	return 0;
}

int page_callback(
	struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t size)
{
	struct connection *c = lws_get_opaque_user_data(wsi);

	switch (reason) {
	case LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS:
		return tls_set_up(&web_of(wsi)->tls, user) < 0;
	case LWS_CALLBACK_SERVER_NEW_CLIENT_INSTANTIATED:
		if (c) {
			c->wsi = wsi;
		}
		return 0;
	case LWS_CALLBACK_WSI_DESTROY:
		if (c) {
			c->wsi = wsi;
			socket_end(web_of(wsi), c);
		}
		return 0;
	case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
		return c && socket_confirm(wsi, c) ? 0 : -1;
	case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
		return -1; /* a websocket of this protocol: there is none */
	case LWS_CALLBACK_HTTP:
		return c ? on_request(wsi, c) : -1;
	case LWS_CALLBACK_HTTP_WRITEABLE:
		return c ? on_writable(wsi, c) : -1;
	case LWS_CALLBACK_HTTP_BODY:
		return -1;
	default:
		(void)in;
		(void)size;
		return 0;
	}
}
