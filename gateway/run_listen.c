#include "run_listen.h"
#include "address.h"
#include "holder.h"
#include "log.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 128 };

static int socket_bind(const struct sockaddr *sa, socklen_t size)
{
	const int on = 1;
	const int off = 0;
	int fd = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0) {
		return -errno;
	}
	/* Otherwise the port stays taken for a minute by connections of the last run. */
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (sa->sa_family == AF_INET6) {
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
	}
	if (bind(fd, sa, size) < 0 || listen(fd, BACKLOG) < 0) {
		int r = -errno;

		(void)close(fd);
		return r;
	}
	return fd;
}

static int bind_all_addresses(unsigned int port)
{
	const struct sockaddr_in6 six = {.sin6_family = AF_INET6,
		.sin6_port = htons((uint16_t)port),
		.sin6_addr = in6addr_any};
	const struct sockaddr_in four = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr = {htonl(INADDR_ANY)}};
	int fd = socket_bind((const struct sockaddr *)&six, sizeof six);

	/* A kernel booted with ipv6.disable=1. */
	if (fd == -EAFNOSUPPORT || fd == -EADDRNOTAVAIL) {
		fd = socket_bind((const struct sockaddr *)&four, sizeof four);
	}
	return fd;
}

static int bind_host(const char *host, unsigned int port)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE | AI_NUMERICSERV};
	struct addrinfo *found;
	char service[16];
	int fd;

	(void)snprintf(service, sizeof service, "%u", port);
	if (getaddrinfo(host, service, &hints, &found) != 0) {
		return -EADDRNOTAVAIL;
	}
	fd = socket_bind(found->ai_addr, found->ai_addrlen);
	freeaddrinfo(found);
	return fd;
}

static int describe(int fd, char *out, size_t size)
{
	struct sockaddr_storage sa;
	socklen_t sa_size = sizeof sa;
	char host[ADDRESS_TEXT_BYTES];
	char port[16];

	if (getsockname(fd, (struct sockaddr *)&sa, &sa_size) < 0) {
		return -errno;
	}
	if (getnameinfo((const struct sockaddr *)&sa, sa_size, host, sizeof host, port, sizeof port,
		    NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
		return -EADDRNOTAVAIL;
	}
	bool brackets = sa.ss_family == AF_INET6;
	int n = snprintf(
		out, size, "%s%s%s:%s", brackets ? "[" : "", host, brackets ? "]" : "", port);
	return n < 0 || (size_t)n >= size ? -ENOSPC : 0;
}

int listen_open(const char *text, int *ret_fd, char *listening, size_t size)
{
	char host[ADDRESS_TEXT_BYTES];
	unsigned int port;
	int fd;

	if (address_split(text, host, sizeof host, &port) < 0) {
		return -EINVAL;
	}
	if (host[0] == '\0' || strcmp(host, "::") == 0) {
		fd = bind_all_addresses(port);
	} else {
		fd = bind_host(host, port);
	}
	if (fd < 0) {
		return fd;
	}
	int r = describe(fd, listening, size);
	if (r < 0) {
		(void)close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}

void listen_explain(const char *text, int error)
{
	char host[ADDRESS_TEXT_BYTES], words[HOLDER_WORDS_BYTES];
	unsigned int port = 0;

	if (error == -EADDRINUSE) {
		(void)address_split(text, host, sizeof host, &port);
		holder_port_words(port, words);
		log_error("%s is in use %s, or choose another port: --listen [::]:8444, or 0 for "
			  "any",
			text, words);
	} else if (error == -EACCES) {
		log_error("%s: ports below 1024 are for root; choose a higher one with --listen",
			text);
	} else {
		log_error("cannot listen on %s: %s", text, strerror(-error));
	}
}
