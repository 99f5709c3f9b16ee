/*
 * The page: static files that travel inside the binary (web/ui, by web/assets.sh) and the hub's CA
 * certificate. GET and HEAD, nothing else; there is no picture, stream or status at any path, and
 * whatever is not there is refused in one way.
 *
 * page_find and page_head are pure; the rest is the glue to libwebsockets, on its thread.
 */
#ifndef CAMGATE_PAGE_H
#define CAMGATE_PAGE_H

#include <libwebsockets.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Ended by an entry without a name. */
struct page_asset {
	const char *name;
	const unsigned char *data, *end;
};
extern const struct page_asset page_assets[];

enum { PAGE_HEAD_BYTES = 2048 };

struct page_answer {
	unsigned int status;
	const char *type;
	const unsigned char *body;
	size_t body_size;
};

/* What is at this path ("/", "/app.js"); ca is what /ca.crt serves. Paths match whole. Always fills
 * in an answer, 404 if there is nothing. */
void page_find(const struct page_asset *assets, const char *path, const uint8_t *ca, size_t ca_size,
	struct page_answer *ret);
/* The status line and headers, the empty line included. configured: the certificate is the owner's,
 * and browsers are told to insist on TLS. Bytes, or -ENOSPC. */
ssize_t page_head(const struct page_answer *answer, bool keep_alive, bool configured, char *out,
	size_t size);

/* The callback of everything that is HTTP and not yet a websocket. */
int page_callback(
	struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t size);

#endif
