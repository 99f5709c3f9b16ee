#include "orders.h"
#include "socket.h"
#include "gateway/fault.h"
#include "gateway/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CLOSE_REFUSED = 4000, CLOSE_BUSY = 4001 };

static int on_config(struct web *web, const struct ipc_message *m)
{
	struct ipc_web_config config;
	uint8_t *ca;
	int r = ipc_parse_web_config(m, &config);

	if (r < 0) {
		return r;
	}
	r = tls_load(&web->tls, config.certificate_pem, config.certificate_pem_size, config.key_pem,
		config.key_pem_size);
	if (r < 0) {
		log_error("the certificate and key from the keeper cannot be used");
		return r;
	}
	ca = malloc(config.ca_der_size + 1);
	if (!ca) {
		return -ENOMEM;
	}
	memcpy(ca, config.ca_der, config.ca_der_size);
	free(web->ca);
	web->ca = ca;
	web->ca_size = config.ca_der_size;
	web->hosts.count = config.hosts_count;
	memcpy(web->hosts.names, config.hosts, sizeof web->hosts.names);
	web->configured = true;
	return web->tls.context ? tls_install(&web->tls) : 0;
}

/* Both kinds of message that a display is sent. */
static struct connection *listener_of(struct web *web, uint64_t connection)
{
	struct connection *c = connection_find(&web->connections, connection);

	return c && c->session ? c : NULL;
}

static int on_tell(struct web *web, const struct ipc_message *m)
{
	struct ipc_relay tell;
	struct connection *c;
	int r = ipc_parse_relay(m, &tell);

	if (r < 0) {
		return r;
	}
	c = listener_of(web, tell.connection);
	if (c && session_tell(c->session, tell.bytes, tell.size) < 0) {
		socket_close(web, c, CLOSE_BUSY);
	} else if (c) {
		socket_wake(c);
	}
	return 0;
}

static int on_tell_key(struct web *web, const struct ipc_message *m)
{
	struct ipc_tell_key key;
	struct connection *c;
	int r = ipc_parse_tell_key(m, &key);

	if (r < 0) {
		return r;
	}
	c = listener_of(web, key.connection);
	if (c && session_tell_key(c->session, &key) < 0) {
		socket_close(web, c, CLOSE_BUSY);
	} else if (c) {
		socket_wake(c);
	}
	return 0;
}

static int on_admit(struct web *web, const struct ipc_message *m)
{
	struct ipc_connection admit;
	struct connection *c;
	int r = ipc_parse_connection(m, &admit);

	if (r < 0) {
		return r;
	}
	c = listener_of(web, admit.connection);
	if (c) {
		c->admitted = true;
		session_admit(c->session);
		socket_wake(c);
	}
	return 0;
}

static void report_taken(
	struct web *web, struct connection *c, uint64_t connection, uint16_t stream)
{
	struct ipc_counts counts;

	if (c && c->session && session_take(c->session, stream, &counts) == 0) {
		link_send_counts(&web->link, &counts);
		socket_wake(c);
	}
	link_send_taken(&web->link, connection, stream);
}

static int on_give(struct web *web, const struct ipc_message *m)
{
	struct ipc_give give;
	const struct source *source;
	struct connection *c;
	int r = ipc_parse_give(m, &give);

	if (r < 0) {
		return r;
	}
	if (fault_happens(FAULT_SESSIONS_SWAPPED)) {
		accident_swap_rows(&give);
	}
	c = listener_of(web, give.connection);
	if (!c) {
		return 0;
	}
	source = feed_find(&web->feeds, give.ring);
	r = source ? session_give(c->session, &give, source) : -ENOENT;
	if (r == -EPERM) {
		web->connections.refusals.counts[WEB_HELD_BACK]++;
	}
	if (r < 0) {
		log_error("a camera could not be given to %s: %s", c->peer, strerror(-r));
		/* The stream that is there already is not the one that was meant: it ends, too. */
		report_taken(web, c, give.connection, give.stream);
	} else {
		socket_wake(c);
	}
	return 0;
}

static int on_take(struct web *web, const struct ipc_message *m)
{
	struct ipc_stream take;
	int r = ipc_parse_stream(m, &take);

	if (r < 0) {
		return r;
	}
	report_taken(web, connection_find(&web->connections, take.connection), take.connection,
		take.stream);
	return 0;
}

static int on_cut(struct web *web, const struct ipc_message *m)
{
	struct ipc_cut cut;
	struct connection *c;
	int r = ipc_parse_cut(m, &cut);

	if (r < 0) {
		return r;
	}
	c = connection_find(&web->connections, cut.connection);
	if (c && cut.mode == CUT_REFUSE) {
		socket_close(web, c, CLOSE_REFUSED);
	} else if (c && cut.mode == CUT_BUSY) {
		socket_close(web, c, CLOSE_BUSY);
	} else if (c) {
		socket_reset(web, c);
	}
	link_send_connection(&web->link, IPC_CUT_DONE, cut.connection);
	return 0;
}

static int on_ring(struct web *web, struct ipc_message *m)
{
	struct ipc_ring ring;
	int r = ipc_parse_ring(m, &ring);

	if (r < 0) {
		return r;
	}
	if (m->descriptors[0] < 0 || m->descriptors[1] < 0) {
		return -EBADMSG;
	}
	r = feed_open(web, &ring, m->descriptors[0], m->descriptors[1]);
	m->descriptors[1] = -1;
	if (r < 0) {
		log_error("a camera's ring cannot be used: %s", strerror(-r));
	}
	/* With a bad ring the camera stays dark here and the others go on. Where it is we who have
	 * no room for it, it would be dark for as long as we live: we end and start anew. */
	return r == -ENOMEM || r == -EMFILE || r == -ENFILE ? r : 0;
}

static int on_ring_gone(struct web *web, const struct ipc_message *m)
{
	struct ipc_ring_gone gone;
	int r = ipc_parse_ring_gone(m, &gone);

	if (r == 0) {
		feed_close(web, gone.ring);
	}
	return r;
}

int orders_carry_out(struct web *web, struct ipc_message *m)
{
	switch (m->type) {
	case IPC_WEB_CONFIG:
		return on_config(web, m);
	case IPC_TELL:
		return on_tell(web, m);
	case IPC_TELL_KEY:
		return on_tell_key(web, m);
	case IPC_ADMIT:
		return on_admit(web, m);
	case IPC_GIVE:
		return on_give(web, m);
	case IPC_TAKE:
		return on_take(web, m);
	case IPC_CUT:
		return on_cut(web, m);
	case IPC_RING:
		return on_ring(web, m);
	case IPC_RING_GONE:
		return on_ring_gone(web, m);
	default:
		return -EBADMSG;
	}
}
