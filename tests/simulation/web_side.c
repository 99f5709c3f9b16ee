/* Web processes: the product's own from the websocket inwards, and the link to the keeper; what
 * libwebsockets, TLS and TCP do is made up. */
#include "web_side.h"

#include "web/orders.h"
#include "web/socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FEED_WSIS = 64 };

static struct process {
	struct web *web; /* NULL: not running */
	struct peer *peer;
	struct lws link;
	struct lws *feeds[FEED_WSIS];
	bool failed;
	bool unsettled; /* a connection is to be killed */
} webs[WEBS];
static struct lws *lines[LINES_MAX]; /* by the line's place; NULL: the hub's side is closed */
static unsigned int budget; /* messages that the link may still receive */

static struct lws **at(const struct line *l)
{
	return &lines[l - world.lines];
}

/* ---- what web.c does ---- */

void web_unsettle(unsigned int web)
{
	webs[web].unsettled = true;
}

struct web *web_of(struct lws *wsi)
{
	return webs[wsi->web].web;
}

void web_fail(struct web *web)
{
	for (size_t i = 0; i < WEBS; i++) {
		if (webs[i].web == web) {
			webs[i].failed = webs[i].unsettled = true;
		}
	}
}

struct lws *web_adopt(struct web *web, int fd, const char *protocol)
{
	struct process *p = webs[0].web == web ? &webs[0] : &webs[1];

	(void)protocol;
	for (size_t i = 0; i < FEED_WSIS; i++) {
		if (!p->feeds[i]) {
			p->feeds[i] = spared_malloc(sizeof(struct lws));
			*p->feeds[i] = (struct lws){
				.kind = WSI_FEED, .web = (unsigned int)(p - webs), .fd = fd};
			return p->feeds[i];
		}
	}
	(void)close(fd);
	return NULL;
}

/* ---- the link (--wrap) ---- */

int __wrap_ipc_send(int fd, const uint8_t *data, size_t size, const int *descriptors, size_t count);
int __wrap_ipc_send(int fd, const uint8_t *data, size_t size, const int *descriptors, size_t count)
{
	struct peer *p = webs[fd].peer;

	return p->to_role.ended ? -EPIPE
				: channel_put(&p->to_keeper, data, size, descriptors, count);
}

int __wrap_ipc_receive(int fd, uint8_t *buffer, size_t size, struct ipc_message *ret);
int __wrap_ipc_receive(int fd, uint8_t *buffer, size_t size, struct ipc_message *ret)
{
	struct channel *c = &webs[fd].peer->to_role;
	struct parcel *p = budget > 0 ? channel_take(c) : NULL;

	if (!p) {
		return budget > 0 && c->ended ? -ECONNRESET : -EAGAIN;
	}
	budget--;
	if (p->size > size) {
		parcel_free(p);
		return -EBADMSG;
	}
	memcpy(buffer, p->bytes, p->size);
	*ret = parcel_message(p);
	ret->fields = buffer + 1;
	memset(p->descriptors, 0xff, sizeof(p->descriptors)); /* they are the receiver's now */
	parcel_free(p);
	return 0;
}

/* ---- what voids frames (--wrap) ---- */

static unsigned int hearing; /* the web process that is inside */

int __real_session_tell_key(struct session *s, const struct ipc_tell_key *m);
int __wrap_session_tell_key(struct session *s, const struct ipc_tell_key *m);
int __wrap_session_tell_key(struct session *s, const struct ipc_tell_key *m)
{
	if (m->breaks) {
		oracle_void(hearing, m->connection, m->stream, m->epoch);
	}
	return __real_session_tell_key(s, m);
}

int __real_session_take(struct session *s, uint16_t stream, struct ipc_counts *ret);
int __wrap_session_take(struct session *s, uint16_t stream, struct ipc_counts *ret);
int __wrap_session_take(struct session *s, uint16_t stream, struct ipc_counts *ret)
{
	oracle_void(hearing, s->connection, stream, UINT32_MAX);
	return __real_session_take(s, stream, ret);
}

void __real_session_drop_source(struct session *s, const struct source *source);
void __wrap_session_drop_source(struct session *s, const struct source *source);
void __wrap_session_drop_source(struct session *s, const struct source *source)
{
	for (unsigned int i = 0; i < s->streams_count; i++) {
		if (s->streams[i]->source == source) {
			oracle_void(hearing, s->connection, s->streams[i]->tag.stream, UINT32_MAX);
		}
	}
	__real_session_drop_source(s, source);
}

/* ---- connections ---- */

static void check_buffers(const struct lws *wsi)
{
	const struct connection *c = wsi->opaque;

	for (unsigned int i = 0; c && c->session && i < c->session->streams_count; i++) {
		oracle_buffer(wsi->line, c->id, &c->session->streams[i]->buffer);
	}
}

void web_accept(struct line *l)
{
	struct web *web = webs[l->web].web;
	const struct sockaddr_in from = {.sin_family = AF_INET, .sin_port = htons(1)};
	struct connection *c =
		connection_create(&web->connections, (const struct sockaddr *)&from, world.now_us);
	struct lws *wsi;

	if (!c) {
		l->closed = true;
		return;
	}
	wsi = spared_malloc(sizeof(*wsi));
	*wsi = (struct lws){.kind = WSI_LINE, .web = l->web, .line = l, .opaque = c};
	*at(l) = wsi;
	c->wsi = wsi;
	c->upgrade_granted = true;
	memcpy(c->origin, "https://hub.local:8443", sizeof("https://hub.local:8443"));
	oracle_connected(l, c->id);
	if (socket_callback(wsi, LWS_CALLBACK_ESTABLISHED, NULL, NULL, 0) < 0) {
		web_lose(l);
	}
}

void web_lose(struct line *l)
{
	struct lws *wsi = *at(l);

	if (!wsi) {
		return;
	}
	hearing = l->web;
	(void)socket_callback(wsi, LWS_CALLBACK_CLOSED, NULL, NULL, 0);
	if (wsi->opaque) {
		l->reset |= ((struct connection *)wsi->opaque)->cut;
		socket_end(web_of(wsi), wsi->opaque);
	}
	l->closed = true;
	oracle_disconnected(l);
	*at(l) = NULL;
	free(wsi);
}

void web_receive(struct line *l)
{
	struct lws *wsi = *at(l);
	struct parcel *p = wsi ? channel_take(&l->up) : NULL;

	hearing = l->web;
	if (!p) {
		if (wsi && l->left) {
			web_lose(l);
		}
		return;
	}
	if (socket_callback(wsi, LWS_CALLBACK_RECEIVE, NULL, p->bytes, p->size) < 0) {
		web_lose(l);
	} else {
		oracle_web_heard(l, p->bytes, p->size);
	}
	parcel_free(p);
}

bool line_is_free(const struct line *l)
{
	return *at(l) == NULL;
}

/* ---- the process ---- */

bool web_is_there(unsigned int index)
{
	return webs[index].web != NULL;
}

void web_start(unsigned int index)
{
	struct process *p = &webs[index];
	const struct ipc_web_hello hello = {.port = 8443, .listening = "[::]:8443"};

	if (p->web || !world.keeper.registry || !(p->peer = peer_join(ROLE_WEB, index))) {
		return;
	}
	trace("web process %u starts", index);
	p->web = spared_malloc(sizeof(*p->web));
	memset(p->web, 0, sizeof(*p->web));
	p->web->connections = (struct connections){.max = CONNECTIONS_DEFAULT,
		.strangers_max = CONNECTIONS_STRANGERS_MIN,
		.all = spared_malloc(CONNECTIONS_DEFAULT * sizeof(struct connection *))};
	p->failed = false;
	p->link = (struct lws){.kind = WSI_LINK, .web = index};
	p->web->link.web = p->web;
	p->web->link.fd = (int)index;
	p->web->link.wsi = &p->link;
	link_send_hello(&p->web->link, &hello);
}

void web_die(unsigned int index)
{
	struct process *p = &webs[index];
	struct web *web = p->web;

	if (!web) {
		return;
	}
	trace("web process %u ends", index);
	p->peer->to_role.ended = true;
	for (size_t i = 0; i < LINES_MAX; i++) {
		if (lines[i] && lines[i]->web == index) {
			web_lose(&world.lines[i]);
		}
	}
	for (size_t i = 0; i < FEEDS_MAX; i++) {
		if (web->feeds.all[i]) {
			source_finish(&web->feeds.all[i]->source);
			free(web->feeds.all[i]);
		}
	}
	for (size_t i = 0; i < FEED_WSIS; i++) {
		if (p->feeds[i]) {
			(void)close(p->feeds[i]->fd);
			free(p->feeds[i]);
			p->feeds[i] = NULL;
		}
	}
	link_finish(&web->link);
	connections_finish(&web->connections);
	free(web->ca);
	free(web);
	p->web = NULL;
	peer_leave(p->peer);
}

void web_settle(unsigned int index)
{
	struct process *p = &webs[index];

	if (!p->unsettled) {
		return;
	}
	p->unsettled = false;
	if (p->web && p->failed) {
		web_die(index);
	}
	for (size_t i = 0; p->web && i < LINES_MAX; i++) {
		if (lines[i] && lines[i]->web == index && lines[i]->kill) {
			web_lose(&world.lines[i]);
		}
	}
	for (size_t i = 0; p->web && i < FEED_WSIS; i++) {
		struct lws *wsi = p->feeds[i];

		if (wsi && wsi->kill) {
			(void)feed_callback(wsi, LWS_CALLBACK_RAW_CLOSE_FILE, NULL, NULL, 0);
			(void)close(wsi->fd);
			free(wsi);
			p->feeds[i] = NULL;
		}
	}
}

void web_hear(unsigned int index)
{
	struct process *p = &webs[index];

	if (!p->web) {
		return;
	}
	hearing = index;
	budget = 1 + chance_below(8);
	(void)link_callback(&p->link, LWS_CALLBACK_RAW_RX_FILE, NULL, NULL, 0);
	if (p->link.writable_wanted && !p->failed) {
		p->link.writable_wanted = false;
		(void)link_callback(&p->link, LWS_CALLBACK_RAW_WRITEABLE_FILE, NULL, NULL, 0);
	}
	web_settle(index);
}

static void serve_line(struct lws *wsi)
{
	if (!wsi->writable_wanted || lws_send_pipe_choked(wsi)) {
		return;
	}
	wsi->writable_wanted = false;
	if (socket_callback(wsi, LWS_CALLBACK_SERVER_WRITEABLE, NULL, NULL, 0) < 0) {
		web_lose(wsi->line);
	} else {
		check_buffers(wsi);
	}
}

void web_serve(unsigned int index)
{
	struct process *p = &webs[index];

	hearing = index;
	for (size_t i = 0; p->web && i < FEEDS_MAX; i++) {
		const struct feed *f = p->web->feeds.all[i];

		if (f && f->wsi && ring_newest(&f->source.reader) > f->source.seen) {
			(void)feed_callback(f->wsi, LWS_CALLBACK_RAW_RX_FILE, NULL, NULL, 0);
		}
	}
	for (size_t i = 0; p->web && i < LINES_MAX; i++) {
		if (lines[i] && lines[i]->web == index) {
			serve_line(lines[i]);
		}
	}
	web_settle(index);
}

void web_report(unsigned int index)
{
	struct web *web = webs[index].web;
	struct ipc_counts counts;

	for (unsigned int i = 0; web && i < web->connections.count; i++) {
		struct session *s = web->connections.all[i]->session;

		while (s && session_counts(s, &counts)) {
			link_send_counts(&web->link, &counts);
		}
	}
	if (web && web->connections.refusals.counts[WEB_HELD_BACK] > 0 &&
		world.allocations_every == 0) {
		oracle_fail("I13", "the web role held back %u frames as mixed up",
			web->connections.refusals.counts[WEB_HELD_BACK]);
	}
	web_settle(index);
}
