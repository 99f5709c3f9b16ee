#include "admin_client.h"
#include "clock.h"
#include "ipc.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* As much as a sequenced packet can carry with the kernel's default buffers. */
enum { REPLY_MAX_BYTES = 256 << 10 };

static int wait_for(int fd, short events, uint64_t deadline_us)
{
	for (;;) {
		struct pollfd p = {.fd = fd, .events = events};
		uint64_t now = clock_now_us();
		int r;

		if (now >= deadline_us) {
			return -ETIMEDOUT;
		}
		r = poll(&p, 1, (int)((deadline_us - now) / 1000) + 1);
		if (r > 0) {
			return 0;
		}
		if (r < 0 && errno != EINTR) {
			return -errno;
		}
	}
}

static int send_request(int fd, const json_t *request)
{
	char *text = json_dumps(request, JSON_COMPACT);
	size_t size;
	int r = 0;

	if (text == NULL) {
		return -ENOMEM;
	}
	for (size = 0; text[size] != '\0'; size++) {
	}
	if (send(fd, text, size, MSG_NOSIGNAL) < 0) {
		r = errno == EPIPE ? -ECONNRESET : -errno;
	}
	free(text);
	return r;
}

static int receive_reply(int fd, json_t **ret)
{
	char *text = malloc(REPLY_MAX_BYTES);
	ssize_t n;
	int r = 0;

	if (text == NULL) {
		return -ENOMEM;
	}
	n = recv(fd, text, REPLY_MAX_BYTES, 0);
	if (n < 0) {
		r = -errno;
	} else if (n == 0) {
		r = -ECONNRESET;
	} else {
		json_t *reply = json_loadb(text, (size_t)n, 0, NULL);

		if (reply == NULL || !json_is_boolean(json_object_get(reply, "ok"))) {
			json_decref(reply);
			r = -EBADMSG;
		} else {
			*ret = reply;
		}
	}
	free(text);
	return r;
}

int admin_request(const char *socket_dir, const json_t *request, int timeout_ms, json_t **ret_reply)
{
	uint64_t deadline_us = clock_now_us() + (uint64_t)timeout_ms * 1000;
	int fd = ipc_connect(socket_dir, "admin");
	int r;

	if (fd < 0) {
		return fd;
	}
	r = wait_for(fd, POLLOUT, deadline_us);
	if (r == 0) {
		r = send_request(fd, request);
	}
	if (r == 0) {
		r = wait_for(fd, POLLIN, deadline_us);
	}
	if (r == 0) {
		r = receive_reply(fd, ret_reply);
	}
	(void)close(fd);
	return r;
}
