#include "front.h"
#include "gateway/address.h"
#include "gateway/clock.h"
#include "gateway/log.h"
#include "web.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
	BACKLOG = 128,
	TLS_HANDSHAKE = 0x16, /* first byte of a TLS connection */
	SILENT_S = 1, /* how long the kernel keeps a connection that has said nothing */
	UNSENT_BYTES = 16 << 10,
	ACCEPTS_PER_TURN = 16,
	DESCRIPTORS_BESIDES = 768, /* rings, the loop's own, and what is just being closed */
};

int front_listen(const char *listening)
{
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_ANY_INIT};
	struct sockaddr_in four = {.sin_family = AF_INET};
	char host[128];
	unsigned int port;
	int fd;
	int r = address_split(listening, host, sizeof host, &port);

	if (r < 0) {
		return r;
	}
	six.sin6_port = four.sin_port = htons((uint16_t)port);
	bool is_four = inet_pton(AF_INET, host, &four.sin_addr) == 1;

	if (!is_four && host[0] != '\0' && inet_pton(AF_INET6, host, &six.sin6_addr) != 1) {
		return -EINVAL;
	}
	fd = socket(is_four ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		return -errno;
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	if (!is_four) {
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int){0}, sizeof(int));
	}
	if (bind(fd, is_four ? (const struct sockaddr *)&four : (const struct sockaddr *)&six,
		    is_four ? sizeof four : sizeof six) < 0 ||
		listen(fd, BACKLOG) < 0) {
		r = -errno;
		(void)close(fd);
		return r;
	}
	return fd;
}

int front_name(int listener, uint16_t *ret_port, char *out, size_t size)
{
	struct sockaddr_storage sa = {.ss_family = AF_UNSPEC};
	socklen_t sa_size = sizeof sa;
	char text[INET6_ADDRSTRLEN];

	if (getsockname(listener, (struct sockaddr *)&sa, &sa_size) < 0) {
		return -errno;
	}
	if (sa.ss_family == AF_INET) {
		const struct sockaddr_in *four = (const struct sockaddr_in *)&sa;

		*ret_port = ntohs(four->sin_port);
		(void)inet_ntop(AF_INET, &four->sin_addr, text, sizeof text);
		(void)snprintf(out, size, "%s:%u", text, *ret_port);
		return 0;
	}
	if (sa.ss_family == AF_INET6) {
		const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)&sa;

		*ret_port = ntohs(six->sin6_port);
		(void)inet_ntop(AF_INET6, &six->sin6_addr, text, sizeof text);
		(void)snprintf(out, size, "[%s]:%u", text, *ret_port);
		return 0;
	}
	return -EAFNOSUPPORT;
}

void front_limit_descriptors(unsigned int connections)
{
	rlim_t wanted = connections + DESCRIPTORS_BESIDES;
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0) {
		return;
	}
	if (files.rlim_max < wanted) {
		log_warning("connections = %u needs %u descriptors, and this process may have %u: "
			    "`sudo systemctl edit camgate-web`, write [Service] and LimitNOFILE=%u",
			connections, (unsigned int)wanted, (unsigned int)files.rlim_max,
			(unsigned int)wanted);
		wanted = files.rlim_max;
	}
	files = (struct rlimit){.rlim_cur = wanted, .rlim_max = wanted};
	(void)setrlimit(RLIMIT_NOFILE, &files);
}

/* The value of the only Host header of a complete request head, or -EBADMSG. */
static int find_host(const char *request, char *out, size_t size)
{
	const char *line = strstr(request, "\r\n");
	bool found = false;

	if (!strstr(request, "\r\n\r\n")) {
		return -EBADMSG;
	}
	for (; line && strncmp(line, "\r\n\r\n", 4) != 0; line = strstr(line + 2, "\r\n")) {
		size_t n;

		if (strncasecmp(line + 2, "Host:", 5) != 0) {
			continue;
		}
		line += 2 + 5;
		line += strspn(line, " \t");
		n = strcspn(line, " \t\r\n");
		if (found || n == 0 || n >= size) {
			return -EBADMSG;
		}
		memcpy(out, line, n);
		out[n] = '\0';
		found = true;
	}
	return found ? 0 : -EBADMSG;
}

size_t front_answer_plain(const struct hosts *h, const char *request, size_t request_size,
	const struct sockaddr *local, char *out, size_t size)
{
	char text[FRONT_REQUEST_BYTES + 1];
	char host[HOSTS_TEXT_BYTES];
	int n;

	if (request_size <= FRONT_REQUEST_BYTES) {
		memcpy(text, request, request_size);
		text[request_size] = '\0';
		if (find_host(text, host, sizeof host) == 0 && hosts_accept(h, host, local)) {
			n = snprintf(out, size,
				"HTTP/1.1 307 Temporary Redirect\r\nLocation: https://%s/\r\n"
				"Content-Length: 0\r\nCache-Control: no-store\r\n"
				"Connection: close\r\n\r\n",
				host);
			return n > 0 && (size_t)n < size ? (size_t)n : 0;
		}
	}
	n = snprintf(out, size,
		"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n"
		"Connection: close\r\n\r\n");
	return n > 0 && (size_t)n < size ? (size_t)n : 0;
}

/* The whole request is here, because the kernel waited for it: one answer, and that was it. A peer
 * that sends it in pieces gets 400; nobody is waited for. */
static void answer_plain(const struct web *web, int fd)
{
	struct sockaddr_storage local = {.ss_family = AF_UNSPEC};
	socklen_t local_size = sizeof local;
	char request[FRONT_REQUEST_BYTES];
	char reply[FRONT_REPLY_BYTES];
	ssize_t n = recv(fd, request, sizeof request, MSG_DONTWAIT);
	size_t size;

	if (n > 0 && getsockname(fd, (struct sockaddr *)&local, &local_size) == 0) {
		size = front_answer_plain(&web->hosts, request, (size_t)n,
			(const struct sockaddr *)&local, reply, sizeof reply);
		(void)!send(fd, reply, size, MSG_DONTWAIT | MSG_NOSIGNAL);
		(void)shutdown(fd, SHUT_WR);
	}
	(void)close(fd);
}

/* Little is left unsent in the kernel, so that what is sent is new, and a small message is not kept
 * for company. */
static void tune(int fd)
{
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &(int){UNSENT_BYTES}, sizeof(int));
}

static void serve(struct web *web, int fd, const struct sockaddr *peer)
{
	lws_adopt_desc_t adopt = {.vh = web->vhost,
		.type = LWS_ADOPT_SOCKET | LWS_ADOPT_HTTP | LWS_ADOPT_ALLOW_SSL,
		.fd = {.sockfd = fd}};
	struct connection *c = connection_create(&web->connections, peer, clock_now_us());

	if (!c) {
		(void)close(fd);
		return;
	}
	tune(fd);
	adopt.opaque = c;
	web->adopting = c;
	/* Where this fails the wsi is destroyed, and c with it, or there never was one. */
	const struct lws *wsi = lws_adopt_descriptor_vhost_via_info(&adopt);

	if (web->adopting && !wsi) {
		connection_destroy(&web->connections, c);
	}
	web->adopting = NULL;
}

/* A listener with somebody waiting keeps the loop awake, so nobody is listened to until the next
 * sweep. Who came is in the kernel's queue. */
static void pause_listening(struct web *web, struct lws *wsi)
{
	if (lws_rx_flow_control(wsi, 0) == 0) {
		web->listening = wsi;
		connection_note_refusal(&web->connections, WEB_REFUSED_LIMIT, "whoever comes",
			"no descriptor is left", clock_now_us());
	}
}

void front_resume(struct web *web)
{
	if (web->listening && lws_rx_flow_control(web->listening, 1) == 0) {
		web->listening = NULL;
	}
}

static void on_connection(struct web *web, struct lws *wsi)
{
	int listener = lws_get_socket_fd(wsi);

	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		struct sockaddr_storage peer = {.ss_family = AF_UNSPEC};
		socklen_t size = sizeof peer;
		int fd = accept4(
			listener, (struct sockaddr *)&peer, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
		uint8_t first = 0;

		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) {
				pause_listening(web, wsi);
			}
			return; /* otherwise none, or gone again */
		}
		ssize_t n = recv(fd, &first, 1, MSG_PEEK | MSG_DONTWAIT);

		if (web->ending || n == 0) {
			(void)close(fd);
		} else if (n == 1 && first != TLS_HANDSHAKE) {
			answer_plain(web, fd);
		} else {
			serve(web, fd, (const struct sockaddr *)&peer);
		}
	}
}

int front_callback(
	struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t size)
{
	(void)user;
	(void)in;
	(void)size;
	switch (reason) {
	case LWS_CALLBACK_RAW_ADOPT_FILE:
		/* The kernel hands a connection over when it has said something. */
		(void)setsockopt(lws_get_socket_fd(wsi), IPPROTO_TCP, TCP_DEFER_ACCEPT,
			&(int){SILENT_S}, sizeof(int));
		return 0;
	case LWS_CALLBACK_RAW_RX_FILE:
		on_connection(web_of(wsi), wsi);
		return 0;
	default:
		return 0;
	}
}
