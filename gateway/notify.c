#include "notify.h"
#include "log.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { MESSAGE_BYTES = 512 };

/* A path, or, with '@' for its first byte, a name in the abstract namespace. */
static int address_read(const char *text, struct sockaddr_un *a, socklen_t *ret_size)
{
	size_t size = strlen(text);

	if ((text[0] != '/' && text[0] != '@') || size < 2) {
		return -EINVAL;
	}
	if (size >= sizeof(a->sun_path)) {
		return -ENAMETOOLONG;
	}
	*a = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(a->sun_path, text, size);
	if (text[0] == '@') {
		a->sun_path[0] = '\0';
	}
	/* An abstract name is as long as it is said to be, a path has its end within. */
	*ret_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size +
				(text[0] == '/' ? 1 : 0));
	return 0;
}

static int socket_open(const char *text)
{
	struct sockaddr_un a;
	socklen_t size;
	int r = address_read(text, &a, &size);
	int fd;

	if (r < 0) {
		return r;
	}
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		return -errno;
	}
	if (connect(fd, (const struct sockaddr *)&a, size) < 0) {
		r = -errno;
		(void)close(fd);
		return r;
	}
	return fd;
}

static uint64_t number_read(const char *text)
{
	unsigned long long value;
	char *end;

	if (text == NULL || text[0] < '0' || text[0] > '9') {
		return 0;
	}
	errno = 0;
	value = strtoull(text, &end, 10);
	return errno != 0 || *end != '\0' ? 0 : value;
}

/* Half of what the service manager waits, so that one late round is no reason to end us. */
static uint64_t interval_read(void)
{
	const char *pid = getenv("WATCHDOG_PID");

	if (pid != NULL && number_read(pid) != (uint64_t)getpid()) {
		return 0;
	}
	return number_read(getenv("WATCHDOG_USEC")) / 2;
}

void notify_init(struct notify *n)
{
	const char *text = getenv("NOTIFY_SOCKET");
	int fd;

	*n = (struct notify){.fd = -1};
	if (text == NULL || text[0] == '\0') {
		return;
	}
	fd = socket_open(text);
	if (fd < 0) {
		log_warning("the service manager's socket %s cannot be reached: %s", text,
			strerror(-fd));
	} else {
		n->fd = fd;
		n->interval_us = interval_read();
	}
	(void)unsetenv("NOTIFY_SOCKET");
	(void)unsetenv("WATCHDOG_USEC");
	(void)unsetenv("WATCHDOG_PID");
}

static void message_send(struct notify *n, const char *state, const char *status)
{
	char text[MESSAGE_BYTES];
	int size = snprintf(text, sizeof text, "%s%s%s", state, status != NULL ? "\nSTATUS=" : "",
		status != NULL ? status : "");

	if (n->fd < 0 || size < 0) {
		return;
	}
	if ((size_t)size >= sizeof text) {
		size = sizeof text - 1;
	}
	/* A line of its own would be another statement than the one that is meant. */
	for (size_t i = strlen(state) + 1; i < (size_t)size; i++) {
		if (text[i] == '\n') {
			text[i] = ' ';
		}
	}
	if (send(n->fd, text, (size_t)size, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
		return; /* it is lost */
	}
}

void notify_ready(struct notify *n, const char *status)
{
	message_send(n, "READY=1", status);
}

void notify_stopping(struct notify *n, const char *status)
{
	message_send(n, "STOPPING=1", status);
}

void notify_alive(struct notify *n, uint64_t now_us)
{
	if (n->interval_us > 0 && now_us >= n->next_us) {
		n->next_us = now_us + n->interval_us;
		message_send(n, "WATCHDOG=1", NULL);
	}
}

int notify_timeout_ms(const struct notify *n, uint64_t now_us, int timeout_ms)
{
	uint64_t left_ms;

	if (n->interval_us == 0) {
		return timeout_ms;
	}
	left_ms = n->next_us <= now_us ? 0 : (n->next_us - now_us + 999) / 1000;
	return timeout_ms < 0 || left_ms < (uint64_t)timeout_ms ? (int)left_ms : timeout_ms;
}

void notify_finish(struct notify *n)
{
	if (n->fd >= 0) {
		(void)close(n->fd);
	}
	*n = (struct notify){.fd = -1};
}
