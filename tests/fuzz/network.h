/*
 * A hub for fuzzing, from the network to the keeper: bytes go into libwebsockets over TCP (without
 * TLS), through the web role's own callbacks, session and link, to the registry of keeper.h. One
 * client at a time; what it hears is kept.
 */
#ifndef CAMGATE_TESTS_FUZZ_NETWORK_H
#define CAMGATE_TESTS_FUZZ_NETWORK_H

#include "keeper.h"
#include "web/front.h"
#include "web/page.h"
#include "web/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>

enum { HEARD_BYTES = 1 << 17, TURNS_MAX = 48 };

static struct web web;
static int keeper_end_fd, listener;
static struct sockaddr_in address;

/* The one connection of an input. */
static int client;
static uint8_t heard[HEARD_BYTES];
static size_t heard_size;
static uint64_t connection;
static uint8_t challenge[WIRE_CHALLENGE_BYTES];
static bool challenged;
static uint8_t session[SESSION_ID_BYTES];
static unsigned int honest, admitted; /* right answers that were sent, and what came of them */

/* ---- start ---- */

static const struct lws_protocols protocols[] = {
	{.name = WEB_PROTOCOL_HTTP,
		.callback = page_callback,
		.rx_buffer_size = 1024,
		.tx_packet_size = 16384},
	{.name = WEB_PROTOCOL_SOCKET,
		.callback = socket_callback,
		.rx_buffer_size = 1024,
		.tx_packet_size = 16384},
	{.name = WEB_PROTOCOL_LINK, .callback = link_callback},
	{.name = NULL},
};

static void must(bool ok)
{
	if (!ok) {
		abort();
	}
}

static void listen_somewhere(void)
{
	socklen_t size = sizeof(address);

	address = (struct sockaddr_in){
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(listener >= 0 && bind(listener, (struct sockaddr *)&address, size) == 0 &&
		listen(listener, 1) == 0 &&
		getsockname(listener, (struct sockaddr *)&address, &size) == 0);
}

static void stop(void)
{
	lws_context_destroy(web.context);
	link_finish(&web.link);
	connections_finish(&web.connections);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct lws_context_creation_info info = {.port = CONTEXT_PORT_NO_LISTEN_SERVER,
		.protocols = protocols,
		.options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
			   LWS_SERVER_OPTION_SKIP_SERVER_CANONICAL_NAME,
		.user = &web,
		.timeout_secs = 10,
		.max_http_header_pool = CONNECTIONS_STRANGERS_MIN};
	int pair[2];

	(void)argc;
	(void)argv;
	info.gid--;
	info.uid--;
	lws_set_log_level(0, NULL);
	must(connections_init(&web.connections, CONNECTIONS_DEFAULT) == 0);
	must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
	web.hosts = (struct hosts){.port = 8443, .count = 2, .names = {"hub.local", "localhost"}};
	web.context = lws_create_context(&info);
	must(web.context != NULL);
	web.vhost = lws_create_vhost(web.context, &info);
	web.link.web = &web;
	web.link.fd = pair[0];
	keeper_end_fd = pair[1];
	must(web.vhost != NULL && link_adopt(&web.link) == 0);
	listen_somewhere();
	atexit(stop);
	return 0;
}

/* ---- the keeper ---- */

/* Rings and certificates are not what this is about. */
static void forward(uint64_t peer, const uint8_t *bytes, size_t size)
{
	const struct ipc_message m = {.fields = bytes + 1, .fields_size = size - 1};
	struct ipc_relay tell;
	struct wire_challenge c;

	if (peer != WEB || bytes[0] == IPC_WEB_CONFIG || bytes[0] == IPC_RING ||
		bytes[0] == IPC_RING_GONE) {
		return;
	}
	if (bytes[0] == IPC_ADMIT) {
		must(++admitted <= honest);
	}
	if (bytes[0] == IPC_TELL && !challenged) {
		must(ipc_parse_relay(&m, &tell) == 0 &&
			wire_parse_challenge(tell.bytes, tell.size, &c) == 0);
		memcpy(challenge, tell.bytes, sizeof(challenge));
		memcpy(session, c.session, sizeof(session));
		challenged = true;
	}
	must(ipc_send(keeper_end_fd, bytes, size, NULL, 0) == 0);
}

static void on_message(const struct ipc_message *m)
{
	struct ipc_opened opened;
	struct ipc_relay relay;
	struct ipc_connection about;
	struct ipc_stream taken;
	struct ipc_counts counts;

	if (m->type == IPC_OPENED) {
		must(ipc_parse_opened(m, &opened) == 0);
		connection = opened.connection;
		registry_web_opened(fixture.registry, WEB, &opened);
	} else if (m->type == IPC_HEARD) {
		must(ipc_parse_relay(m, &relay) == 0);
		registry_web_heard(fixture.registry, WEB, &relay);
	} else if (m->type == IPC_CLOSED || m->type == IPC_CUT_DONE) {
		must(ipc_parse_connection(m, &about) == 0);
		if (m->type == IPC_CLOSED) {
			registry_web_closed(fixture.registry, WEB, about.connection);
		} else {
			registry_web_cut_done(fixture.registry, WEB, about.connection);
		}
	} else if (m->type == IPC_TAKEN) {
		must(ipc_parse_stream(m, &taken) == 0);
		registry_web_taken(fixture.registry, WEB, &taken);
	} else {
		must(m->type == IPC_COUNTS && ipc_parse_counts(m, &counts) == 0);
		registry_web_counts(fixture.registry, WEB, &counts);
	}
}

static bool keeper_hears(void)
{
	static uint8_t buffer[IPC_MESSAGE_MAX_BYTES];
	struct ipc_message m;
	bool any = false;

	while (ipc_receive(keeper_end_fd, buffer, sizeof(buffer), &m) == 0) {
		on_message(&m);
		ipc_message_finish(&m);
		any = true;
	}
	return any;
}

/* ---- the network ---- */

static bool client_hears(void)
{
	uint8_t rest[4096];
	bool full = heard_size == sizeof(heard);
	ssize_t n = recv(client, full ? rest : heard + heard_size,
		full ? sizeof(rest) : sizeof(heard) - heard_size, MSG_DONTWAIT);

	heard_size += !full && n > 0 ? (size_t)n : 0;
	return n > 0;
}

/* Until nobody has anything to say. */
static void turn(void)
{
	for (int quiet = 0, i = 0; quiet < 2 && i < TURNS_MAX; i++) {
		(void)lws_service(web.context, -1);
		bool any = keeper_hears();
		any = client_hears() || any;
		quiet = any ? 0 : quiet + 1;
	}
	must(!web.failed);
}

static void open_client(void)
{
	lws_adopt_desc_t adopt = {
		.vh = web.vhost, .type = LWS_ADOPT_SOCKET | LWS_ADOPT_HTTP | LWS_ADOPT_ALLOW_SSL};
	struct sockaddr_in peer = address;
	struct connection *c;

	client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(client >= 0 && connect(client, (struct sockaddr *)&address, sizeof(address)) == 0);
	adopt.fd.sockfd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	c = connection_create(&web.connections, (struct sockaddr *)&peer, 1000000);
	must(adopt.fd.sockfd >= 0 && c != NULL);
	adopt.opaque = c;
	web.adopting = c;
	must(lws_adopt_descriptor_vhost_via_info(&adopt) != NULL);
	web.adopting = NULL;
}

/* By a reset, so that no port waits, and the hub holds nothing of it. */
static void close_client(void)
{
	const struct linger at_once = {.l_onoff = 1};

	(void)setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	(void)close(client);
	for (int i = 0; i < 200 && web.connections.count > 0; i++) {
		(void)lws_service(web.context, -1);
		(void)keeper_hears();
	}
	must(web.connections.count == 0);
	(void)keeper_hears();
}

static void send_bytes(const uint8_t *data, size_t size)
{
	(void)send(client, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	turn();
}

#endif
