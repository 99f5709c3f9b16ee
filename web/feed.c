#include "feed.h"
#include "socket.h"
#include "gateway/fault.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static struct feed **find_slot(struct feeds *feeds, uint32_t ring)
{
	for (unsigned int i = 0; i < FEEDS_MAX; i++) {
		if (feeds->all[i] && feeds->all[i]->source.ring.ring == ring) {
			return &feeds->all[i];
		}
	}
	return NULL;
}

static struct feed *feed_of(struct lws *wsi)
{
	const struct feeds *feeds = &web_of(wsi)->feeds;

	for (unsigned int i = 0; i < FEEDS_MAX; i++) {
		if (feeds->all[i] && feeds->all[i]->wsi == wsi) {
			return feeds->all[i];
		}
	}
	return NULL; /* closed already, its wsi follows */
}

static struct feed **free_slot(struct feeds *feeds)
{
	for (unsigned int i = 0; i < FEEDS_MAX; i++) {
		if (!feeds->all[i]) {
			return &feeds->all[i];
		}
	}
	return NULL;
}

const struct source *feed_find(const struct feeds *feeds, uint32_t ring)
{
	if (fault_happens(FAULT_CACHE_BY_INDEX)) {
		ring = ring % 2 + 1; /* its place, before the list moved */
	}
	for (unsigned int i = 0; i < FEEDS_MAX; i++) {
		if (feeds->all[i] && feeds->all[i]->source.ring.ring == ring) {
			return &feeds->all[i]->source;
		}
	}
	return NULL;
}

static void destroy(struct feed *f)
{
	if (f) {
		source_finish(&f->source);
		free(f);
	}
}

int feed_open(struct web *web, const struct ipc_ring *ring, int memfd, int eventfd)
{
	struct feed **slot = free_slot(&web->feeds);
	struct feed *f = NULL;
	int r = -ENOSPC;

	if (find_slot(&web->feeds, ring->ring)) {
		r = -EEXIST;
		goto fail;
	}
	if (!slot) {
		goto fail;
	}
	r = -ENOMEM;
	f = calloc(1, sizeof *f);
	if (!f) {
		goto fail;
	}
	r = source_init(&f->source, ring, memfd);
	if (r < 0) {
		free(f);
		f = NULL;
		goto fail;
	}
	f->wsi = web_adopt(web, eventfd, WEB_PROTOCOL_FEED);
	if (!f->wsi) {
		destroy(f);
		return -ENOMEM;
	}
	*slot = f;
	return 0;
fail:
	(void)close(eventfd);
	return r;
}

void feed_close(struct web *web, uint32_t ring)
{
	struct feed **slot = find_slot(&web->feeds, ring);
	struct feed *f = slot ? *slot : NULL;

	if (!f) {
		return;
	}
	*slot = NULL;
	for (unsigned int i = 0; i < web->connections.count; i++) {
		struct connection *c = web->connections.all[i];

		if (c->session) {
			session_drop_source(c->session, &f->source);
			socket_wake(c);
		}
	}
	if (f->wsi) {
		lws_set_timeout(f->wsi, PENDING_TIMEOUT_KILLED_BY_PARENT, LWS_TO_KILL_ASYNC);
	}
	destroy(f);
}

static void on_new_frame(struct web *web, struct lws *wsi, struct feed *f)
{
	uint64_t count;

	/* The number does not matter, only the newest frame does. */
	if (read(lws_get_socket_fd(wsi), &count, sizeof count) < 0) {
		return;
	}
	source_note(&f->source);
	for (unsigned int i = 0; i < web->connections.count; i++) {
		socket_wake(web->connections.all[i]);
	}
}

int feed_callback(
	struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t size)
{
	struct feed *f = feed_of(wsi);

	(void)user;
	(void)in;
	(void)size;
	switch (reason) {
	case LWS_CALLBACK_RAW_RX_FILE:
		if (!f) {
			return -1;
		}
		on_new_frame(web_of(wsi), wsi, f);
		return 0;
	case LWS_CALLBACK_RAW_CLOSE_FILE:
		if (f) {
			f->wsi = NULL;
		}
		return 0;
	default:
		return 0;
	}
}
