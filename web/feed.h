/*
 * The rings that the keeper handed over, and their wake-ups: each reader's eventfd is in the loop,
 * and a new frame wakes the connections that wait for it. Nothing is read from a ring here.
 *
 * One thread. 0 or -errno.
 */
#ifndef CAMGATE_FEED_H
#define CAMGATE_FEED_H

#include "source.h"

#include <libwebsockets.h>

enum { FEEDS_MAX = 64 };

struct web;

struct feed {
	struct source source;
	struct lws *wsi; /* owns the eventfd */
};

struct feeds {
	struct feed *all[FEEDS_MAX]; /* NULL where there is none */
};

/* Takes over eventfd, also on failure; memfd stays the caller's. -EEXIST, -ENOSPC, … */
int feed_open(struct web *web, const struct ipc_ring *ring, int memfd, int eventfd);
/* Ends what streams have of this ring, wiping it. */
void feed_close(struct web *web, uint32_t ring);
/* NULL if there is none. */
const struct source *feed_find(const struct feeds *feeds, uint32_t ring);

int feed_callback(
	struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t size);

#endif
