/* Which host a printed link begins with: see address.h. */
#include "address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { MDNS_WAIT_MS = 300 };

static const char AVAHI_SOCKET[] = "/run/avahi-daemon/socket";

static int avahi_connect(void)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0) {
		return -errno;
	}
	memcpy(sa.sun_path, AVAHI_SOCKET, sizeof AVAHI_SOCKET);
	if (connect(fd, (const struct sockaddr *)&sa, sizeof sa) < 0) {
		int r = -errno;

		(void)close(fd);
		return r;
	}
	return fd;
}

/* Avahi's simple protocol answers "+ INTERFACE PROTOCOL NAME ADDRESS" when the name resolves. That
 * it resolves here, on the machine that would have to answer, is as near to "answers on this
 * network" as one can get without another machine. */
static bool mdns_answers(const char *name)
{
	char line[ADDRESS_TEXT_BYTES + 64];
	bool answers = false;
	int fd = avahi_connect();

	if (fd < 0) {
		return false;
	}
	int n = snprintf(line, sizeof line, "RESOLVE-HOSTNAME-IPV4 %s\n", name);
	if (n > 0 && (size_t)n < sizeof line && send(fd, line, (size_t)n, MSG_NOSIGNAL) == n) {
		struct pollfd p = {.fd = fd, .events = POLLIN};

		if (poll(&p, 1, MDNS_WAIT_MS) == 1) {
			ssize_t got = read(fd, line, sizeof line - 1);

			line[got > 0 ? got : 0] = '\0';
			/* On loopback alone nobody else hears it. */
			answers = line[0] == '+' && strstr(line, " 127.") == NULL;
		}
	}
	(void)close(fd);
	return answers;
}

/* The one address that a hub listens on, or empty when it listens on all. */
static void bound_address(const char *listening, char *out, size_t size)
{
	unsigned int port;

	if (address_split(listening, out, size, &port) < 0 || strcmp(out, "::") == 0 ||
		strcmp(out, "0.0.0.0") == 0) {
		out[0] = '\0';
	}
}

static bool is_loopback(const char *host)
{
	return strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 ||
	       strncmp(host, "127.", 4) == 0;
}

static void add_local_addresses(struct address_list *list)
{
	struct address_list local;

	if (address_local(&local) < 0) {
		return;
	}
	for (unsigned int i = 0; i < local.count; i++) {
		if (!is_loopback(local.text[i])) {
			(void)address_add(list, local.text[i]);
		}
	}
}

int address_link_hosts(const char *const *configured, unsigned int n, const char *listening,
	struct address_list *ret)
{
	char bound[ADDRESS_TEXT_BYTES];
	char hostname[128];
	char local[sizeof hostname + 8];

	ret->count = 0;
	bound_address(listening, bound, sizeof bound);
	if (is_loopback(bound)) {
		(void)address_add(ret, "localhost");
		return 0;
	}
	for (unsigned int i = 0; i < n; i++) {
		(void)address_add(ret, configured[i]);
	}
	if (gethostname(hostname, sizeof hostname) == 0) {
		hostname[sizeof hostname - 1] = '\0';
		(void)snprintf(
			local, sizeof local, "%.*s.local", (int)strcspn(hostname, "."), hostname);
		if (mdns_answers(local)) {
			(void)address_add(ret, local);
		}
	}
	if (bound[0] != '\0') {
		(void)address_add(ret, bound);
	} else {
		add_local_addresses(ret);
		(void)address_add(ret, "localhost");
	}
	return 0;
}
