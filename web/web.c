#include "web.h"
#include "front.h"
#include "page.h"
#include "socket.h"
#include "gateway/activation.h"
#include "gateway/address.h"
#include "gateway/clock.h"
#include "gateway/keys.h"
#include "gateway/leash.h"
#include "gateway/log.h"
#include "gateway/options.h"
#include "gateway/sandbox.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	CLOSE_REFUSED = 4000,
	CLOSE_BUSY = 4001,
	CONFIG_PATIENCE_MS = 10000,
	GOODBYE_US = 500000,
	SWEEP_US = 500000,
	COUNTS_US = 5000000,
	REQUEST_S = 10,
	TX_BYTES = 16384, /* one TLS record */
	RX_BYTES = 1024, /* more than a message of a display */
};

static volatile sig_atomic_t told_to_end;
static struct lws_context *context_to_wake;

static const struct lws_protocols protocols[] = {
	{.name = WEB_PROTOCOL_HTTP,
		.callback = page_callback,
		.rx_buffer_size = RX_BYTES,
		.tx_packet_size = TX_BYTES},
	{.name = WEB_PROTOCOL_SOCKET,
		.callback = socket_callback,
		.rx_buffer_size = RX_BYTES,
		.tx_packet_size = TX_BYTES},
	{.name = WEB_PROTOCOL_FRONT, .callback = front_callback},
	{.name = WEB_PROTOCOL_LINK, .callback = link_callback},
	{.name = WEB_PROTOCOL_FEED, .callback = feed_callback},
	{.name = NULL},
};

static const lws_retry_bo_t idle_policy = {
	.secs_since_valid_ping = 10,
	.secs_since_valid_hangup = 25,
};

struct web *web_of(struct lws *wsi)
{
	return lws_context_user(lws_get_context(wsi));
}

struct lws *web_adopt(struct web *web, int fd, const char *protocol)
{
	lws_adopt_desc_t adopt = {.vh = web->vhost,
		.type = LWS_ADOPT_RAW_FILE_DESC,
		.fd = {.filefd = fd},
		.vh_prot_name = protocol};
	struct lws *wsi = lws_adopt_descriptor_vhost_via_info(&adopt);

	if (!wsi) {
		(void)close(fd);
	}
	return wsi;
}

void web_fail(struct web *web)
{
	if (web->failed) {
		return;
	}
	web->failed = true;
	for (unsigned int i = 0; i < web->connections.count; i++) {
		if (web->connections.all[i]->wsi) {
			socket_reset(web, web->connections.all[i]);
		}
	}
}

static void on_signal(int number)
{
	(void)number;
	told_to_end = 1;
	if (context_to_wake) {
		lws_cancel_service(context_to_wake);
	}
}

static void on_library_log(int level, const char *line)
{
	static unsigned int lines;

	(void)level;
	/* Peers can cause these: the first ones help, a journal full of them does not. */
	if (++lines <= 20) {
		log_warning("libwebsockets: %.*s", (int)strcspn(line, "\n"), line);
	}
}

/* ---- the sweep, twice a second ---- */

static void report_counts(struct web *web, uint64_t now_us)
{
	struct ipc_counts counts;

	if (now_us - web->counts_us < COUNTS_US) {
		return;
	}
	web->counts_us = now_us;
	for (unsigned int i = 0; i < web->connections.count; i++) {
		struct session *s = web->connections.all[i]->session;

		while (s && session_counts(s, &counts)) {
			link_send_counts(&web->link, &counts);
		}
	}
}

static void report_refusals(struct web *web)
{
	static const struct ipc_refusals none;

	if (memcmp(&web->connections.refusals, &none, sizeof none) != 0) {
		link_send_refusals(&web->link, &web->connections.refusals);
		web->connections.refusals = none;
	}
}

static void on_sweep(lws_sorted_usec_list_t *sul)
{
	struct web *web = lws_container_of(sul, struct web, sweep);
	uint64_t now_us = clock_now_us();

	for (unsigned int i = 0; i < web->connections.count; i++) {
		struct connection *c = web->connections.all[i];
		if (!c->wsi || c->close_status || c->cut || !connection_is_overdue(c, now_us)) {
			continue;
		}
		if (c->session) {
			connection_note_refusal(&web->connections, WEB_REFUSED_TIME, c->peer,
				"no login in time", now_us);
			socket_close(web, c, CLOSE_REFUSED);
		} else {
			socket_reset(web, c);
		}
	}
	if (tls_check(&web->tls) < 0) {
		web_fail(web);
	}
	front_resume(web);
	report_counts(web, now_us);
	report_refusals(web);
	notify_alive(&web->notify, now_us);
	lws_sul_schedule(web->context, 0, &web->sweep, on_sweep, SWEEP_US);
}

/* ---- start ---- */

static int open_listener(const struct options *o)
{
	int fd = o->listen_fd >= 0 ? o->listen_fd : activation_socket();

	if (fd == -ENOENT) {
		fd = front_listen(o->listen);
	} else if (fd == -E2BIG || fd == -ENOTSOCK) {
		log_error("the service manager has to hand over one listening TCP socket: give "
			  "camgate-web.socket one ListenStream=");
		return fd;
	}
	if (fd == -EADDRINUSE) {
		log_error("%s is in use by another program; `ss -ltnp` says which. Stop it, or use "
			  "--listen with another port",
			o->listen);
	} else if (fd == -EACCES) {
		log_error("%s may not be used by this user; for ports below 1024 let systemd "
			  "open the socket, or use --listen with a higher port",
			o->listen);
	} else if (fd == -EAFNOSUPPORT && getenv("INVOCATION_ID") != NULL) {
		log_error("no socket was handed over: `sudo systemctl restart camgate-web.socket`");
	} else if (fd < 0) {
		log_error("cannot listen on %s: %s", o->listen, strerror(-fd));
	}
	return fd;
}

/* systemd listens where it was told when that socket was started. */
static void compare_with_configured(const struct options *o, const struct ipc_web_hello *hello)
{
	char host[ADDRESS_TEXT_BYTES];
	unsigned int port;

	if (o->listen_fd < 0 && o->listen_given &&
		address_split(o->listen, host, sizeof host, &port) == 0 && port != 0 &&
		port != hello->port) {
		log_warning("listen = %s, but systemd listens on %s: `sudo systemctl daemon-reload "
			    "&& sudo systemctl restart camgate-web.socket`",
			o->listen, hello->listening);
	}
}

static int start_link(struct web *web, const struct options *o, int listener)
{
	struct ipc_web_hello hello = {0};
	int r = front_name(listener, &hello.port, hello.listening, sizeof hello.listening);

	if (r < 0) {
		log_error("the listening socket is none: %s", strerror(-r));
		return r;
	}
	web->hosts.port = hello.port;
	compare_with_configured(o, &hello);
	r = link_init(&web->link, web, o->socket_dir);
	if (r < 0) {
		log_error("cannot reach the keeper in %s: %s. Is it running?", o->socket_dir,
			strerror(-r));
		return r;
	}
	leash_give(web->link.fd);
	link_send_hello(&web->link, &hello);
	r = link_wait_for_config(&web->link, CONFIG_PATIENCE_MS);
	if (r < 0) {
		log_error("no configuration from the keeper: %s", strerror(-r));
	}
	return r;
}

static int start_library(struct web *web)
{
	struct lws_context_creation_info info = {
		.port = CONTEXT_PORT_NO_LISTEN_SERVER,
		.protocols = protocols,
		.options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT |
			   LWS_SERVER_OPTION_CREATE_VHOST_SSL_CTX |
			   LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
			   LWS_SERVER_OPTION_SKIP_SERVER_CANONICAL_NAME,
		.user = web,
		.timeout_secs = REQUEST_S,
		.keepalive_timeout = REQUEST_S,
		.alpn = "http/1.1",
		.max_http_header_pool = (unsigned short)web->connections.strangers_max,
		.retry_and_idle_policy = &idle_policy,
	};

	/* No change of user: whoever started us chose it. */
	info.gid--;
	info.uid--;
	lws_set_log_level(LLL_ERR, on_library_log);
	web->context = lws_create_context(&info);
	if (!web->context) {
		log_error("libwebsockets does not start");
		return -ENOMEM;
	}
	web->vhost = lws_create_vhost(web->context, &info);
	if (!web->vhost || !web->tls.context) {
		log_error("TLS does not start with this certificate");
		return -EIO;
	}
	return 0;
}

static int enter_sandbox(struct web *web)
{
	static const struct sandbox sandbox = {.rights = SANDBOX_ACCEPT};
	struct ipc_sandbox m = {0};
	int r = sandbox_enter(&sandbox, m.report, sizeof m.report);

	if (r < 0) {
		log_error("the sandbox cannot be entered (%s): %s", strerror(-r), m.report);
		return r;
	}
	log_info("sandbox: %s", m.report);
	link_send_sandbox(&web->link, &m);
	return 0;
}

static int start(struct web *web, const struct options *o)
{
	unsigned int connections =
		o->config.connections > 0 ? o->config.connections : CONNECTIONS_DEFAULT;
	int listener = open_listener(o);
	int r = listener;

	if (r < 0) {
		return r;
	}
	front_limit_descriptors(connections);
	r = connections_init(&web->connections, connections);
	if (r == 0) {
		r = start_link(web, o, listener);
	}
	if (r == 0) {
		r = start_library(web);
	}
	if (r == 0) {
		r = link_adopt(&web->link);
	}
	if (r == 0 && !web_adopt(web, listener, WEB_PROTOCOL_FRONT)) {
		r = -ENOMEM;
	}
	if (r == 0) {
		r = enter_sandbox(web);
	}
	if (r < 0) {
		return r;
	}
	lws_sul_schedule(web->context, 0, &web->sweep, on_sweep, SWEEP_US);
	if (o->ready_fd >= 0) {
		(void)!write(o->ready_fd, "1", 1);
		(void)close(o->ready_fd);
	}
	notify_ready(&web->notify, "serving");
	return 0;
}

/* ---- running and ending ---- */

static void say_goodbye(struct web *web)
{
	web->ending = true;
	for (unsigned int i = 0; i < web->connections.count; i++) {
		struct connection *c = web->connections.all[i];

		if (c->session) {
			socket_close(web, c, CLOSE_BUSY);
		} else if (c->wsi) {
			socket_reset(web, c);
		}
	}
}

static void serve(struct web *web)
{
	uint64_t end_us = UINT64_MAX;

	while (!web->failed && (web->connections.count > 0 || !web->ending) &&
		clock_now_us() < end_us) {
		if (told_to_end && !web->ending) {
			notify_stopping(&web->notify, NULL);
			say_goodbye(web);
			end_us = clock_now_us() + GOODBYE_US;
			continue;
		}
		if (lws_service(web->context, 0) < 0) {
			web_fail(web);
		}
	}
}

static void finish(struct web *web)
{
	link_finish(&web->link);
	if (web->context) {
		context_to_wake = NULL;
		for (unsigned int i = 0; i < FEEDS_MAX; i++) {
			if (web->feeds.all[i]) {
				feed_close(web, web->feeds.all[i]->source.ring.ring);
			}
		}
		lws_context_destroy(web->context);
	}
	connections_finish(&web->connections);
	notify_finish(&web->notify);
	tls_finish(&web->tls);
	free(web->ca);
}

int web_main(const struct options *o)
{
	static struct web web; /* large, and there is one */
	struct sigaction act = {.sa_handler = on_signal};
	int r;

	log_init("web");
	sandbox_prepare(false);
	notify_init(&web.notify);
	r = secure_heap_init();
	if (r < 0) {
		log_error("no memory that is locked for keys: %s", strerror(-r));
		return 1;
	}
	(void)sigaction(SIGTERM, &act, NULL);
	(void)sigaction(SIGINT, &act, NULL);
	r = start(&web, o);
	if (r == 0) {
		context_to_wake = web.context;
		serve(&web);
	}
	bool failed = r < 0 || web.failed;
	finish(&web);
	return failed ? 1 : 0;
}
