#include "activation.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FIRST_DESCRIPTOR = 3 };

static unsigned long number_read(const char *name)
{
	const char *text = getenv(name);
	unsigned long value;
	char *end;

	if (text == NULL || text[0] < '0' || text[0] > '9') {
		return 0;
	}
	errno = 0;
	value = strtoul(text, &end, 10);
	return errno != 0 || *end != '\0' ? 0 : value;
}

static int option_read(int fd, int option)
{
	int value = -1;
	socklen_t size = sizeof value;

	return getsockopt(fd, SOL_SOCKET, option, &value, &size) < 0 ? -1 : value;
}

static int socket_take(int fd)
{
	int domain = option_read(fd, SO_DOMAIN);
	int flags;

	if ((domain != AF_INET && domain != AF_INET6) || option_read(fd, SO_TYPE) != SOCK_STREAM ||
		option_read(fd, SO_ACCEPTCONN) != 1) {
		return -ENOTSOCK;
	}
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
		fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) {
		return -errno;
	}
	return fd;
}

int activation_socket(void)
{
	/* Variables that were meant for our parent name descriptors that are none of ours. */
	unsigned long count = number_read("LISTEN_PID") == (unsigned long)getpid()
				      ? number_read("LISTEN_FDS")
				      : 0;

	(void)unsetenv("LISTEN_PID");
	(void)unsetenv("LISTEN_FDS");
	(void)unsetenv("LISTEN_FDNAMES");
	if (count == 0) {
		return -ENOENT;
	}
	return count > 1 ? -E2BIG : socket_take(FIRST_DESCRIPTOR);
}
