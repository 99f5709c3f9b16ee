/* Sockets and waiting. */
#include "preload.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int fails(int error)
{
	errno = error;
	return -1;
}

/* EINTR, EAGAIN or 0. flags: of the call. */
static int failure(int fd, int flags)
{
	if (inject(INJECT_INTERRUPT)) {
		return EINTR;
	}
	if (inject_is_due(INJECT_AGAIN) &&
		((flags & MSG_DONTWAIT) != 0 || (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0)) {
		inject_count(INJECT_AGAIN);
		return EAGAIN;
	}
	return 0;
}

enum { PIECES = 16 };

/* A datagram that was cut would be another message. */
static size_t shortened(int fd, size_t size)
{
	if (size < 2 || !inject_is_due(INJECT_SHORT) || descriptor_of(fd) != DESCRIPTOR_STREAM) {
		return size;
	}
	inject_count(INJECT_SHORT);
	return 1 + size / PIECES;
}

EXPORT ssize_t send(int fd, const void *data, size_t size, int flags)
{
	static _Atomic(void *) next;
	int error = failure(fd, flags);
	if (error != 0) {
		return fails(error);
	}
	return ((ssize_t(*)(int, const void *, size_t, int))next_of(&next, "send"))(
		fd, data, shortened(fd, size), flags);
}

EXPORT ssize_t recv(int fd, void *out, size_t size, int flags)
{
	static _Atomic(void *) next;
	int error = failure(fd, flags);
	if (error != 0) {
		return fails(error);
	}
	return ((ssize_t(*)(int, void *, size_t, int))next_of(&next, "recv"))(
		fd, out, shortened(fd, size), flags);
}

EXPORT ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
	static _Atomic(void *) next;
	int error = failure(fd, flags);
	if (error != 0) {
		return fails(error);
	}
	return ((ssize_t(*)(int, const struct msghdr *, int))next_of(&next, "sendmsg"))(
		fd, m, flags);
}

/* What the kernel does when there is no room for the descriptors of a message. */
static void lose_descriptors(struct msghdr *m)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(m);
	if (c == NULL || c->cmsg_type != SCM_RIGHTS || !inject(INJECT_DESCRIPTOR)) {
		return;
	}
	size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	for (size_t i = 0; i < count; i++) {
		int fd;
		memcpy(&fd, CMSG_DATA(c) + i * sizeof(fd), sizeof(fd));
		(void)close(fd);
	}
	m->msg_controllen = 0;
	m->msg_flags |= MSG_CTRUNC;
}

EXPORT ssize_t recvmsg(int fd, struct msghdr *m, int flags)
{
	static _Atomic(void *) next;
	int error = failure(fd, flags);
	if (error != 0) {
		return fails(error);
	}
	ssize_t n =
		((ssize_t(*)(int, struct msghdr *, int))next_of(&next, "recvmsg"))(fd, m, flags);
	if (n >= 0) {
		lose_descriptors(m);
	}
	return n;
}

static int accept_failure(void)
{
	if (inject(INJECT_INTERRUPT)) {
		return EINTR;
	}
	return inject(INJECT_DESCRIPTOR) ? EMFILE : 0;
}

EXPORT int accept4(int fd, struct sockaddr *address, socklen_t *size, int flags)
{
	static _Atomic(void *) next;
	int error = accept_failure();
	return error != 0 ? fails(error)
			  : ((int (*)(int, struct sockaddr *, socklen_t *, int))next_of(
				    &next, "accept4"))(fd, address, size, flags);
}

EXPORT int socket(int domain, int type, int protocol)
{
	static _Atomic(void *) next;
	return inject(INJECT_DESCRIPTOR)
		       ? fails(EMFILE)
		       : ((int (*)(int, int, int))next_of(&next, "socket"))(domain, type, protocol);
}

/* ---- waiting ---- */

EXPORT int poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
	static _Atomic(void *) next;
	return inject(INJECT_INTERRUPT) ? fails(EINTR)
					: ((int (*)(struct pollfd *, nfds_t, int))next_of(
						  &next, "poll"))(fds, count, timeout_ms);
}

EXPORT int epoll_wait(int fd, struct epoll_event *ret, int count, int timeout_ms)
{
	static _Atomic(void *) next;
	return inject(INJECT_INTERRUPT) ? fails(EINTR)
					: ((int (*)(int, struct epoll_event *, int, int))next_of(
						  &next, "epoll_wait"))(fd, ret, count, timeout_ms);
}

EXPORT int ioctl(int fd, unsigned long request, ...)
{
	static _Atomic(void *) next;
	va_list arguments;
	va_start(arguments, request);
	void *argument = va_arg(arguments, void *);
	va_end(arguments);
	return inject(INJECT_INTERRUPT) ? fails(EINTR)
					: ((int (*)(int, unsigned long, ...))next_of(
						  &next, "ioctl"))(fd, request, argument);
}

/* ---- TLS ---- */

EXPORT int SSL_read(SSL *ssl, void *out, int size)
{
	static _Atomic(void *) next;
	if (size > 1 && inject(INJECT_SHORT)) {
		size /= 2;
	}
	return ((int (*)(SSL *, void *, int))next_of(&next, "SSL_read"))(ssl, out, size);
}

void sockets_start(void)
{
	char byte = 0;
	struct msghdr m = {0};
	struct epoll_event event;
	(void)send(-1, &byte, 1, 0);
	(void)recv(-1, &byte, 1, 0);
	(void)sendmsg(-1, &m, 0);
	(void)recvmsg(-1, &m, 0);
	(void)accept4(-1, NULL, NULL, 0);
	(void)poll(NULL, 0, 0);
	(void)epoll_wait(-1, &event, 1, 0);
	(void)ioctl(-1, 0, NULL);
}
