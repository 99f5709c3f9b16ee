#include "ipc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	BACKLOG = 64,
	SEND_BUFFER_BYTES = 1 << 20, /* what a role may be behind before it counts as hung */
};

/* Room for one descriptor more than we take: a peer that sends too many is told from one that sends
 * exactly enough. */
union control {
	struct cmsghdr header; /* for its alignment */
	char bytes[CMSG_SPACE((IPC_DESCRIPTORS_MAX + 1) * sizeof(int))];
};

/* Fills in the address of dir/name. A path too long for sun_path goes by way of the directory's
 * descriptor, which the caller closes afterwards (-1: there is none). */
static int address_init(struct sockaddr_un *a, const char *dir, const char *name, int *ret_dir_fd)
{
	int fd = -1;
	int n;

	*a = (struct sockaddr_un){.sun_family = AF_UNIX};
	n = snprintf(a->sun_path, sizeof(a->sun_path), "%s/%s", dir, name);
	if (n < 0 || (size_t)n >= sizeof(a->sun_path)) {
		fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0) {
			return -errno;
		}
		n = snprintf(a->sun_path, sizeof(a->sun_path), "/proc/self/fd/%d/%s", fd, name);
		if (n < 0 || (size_t)n >= sizeof(a->sun_path)) {
			close(fd);
			return -ENAMETOOLONG;
		}
	}
	*ret_dir_fd = fd;
	return 0;
}

static int socket_open(void)
{
	const int size = SEND_BUFFER_BYTES;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0) {
		return -errno;
	}
	/* The system's limit may be lower: then a peer just counts as hung earlier. */
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	return fd;
}

static int socket_connect(const struct sockaddr_un *a)
{
	int fd = socket_open();
	int err;

	if (fd < 0) {
		return fd;
	}
	if (connect(fd, (const struct sockaddr *)a, sizeof(*a)) < 0) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

/* A socket file that nobody listens on any more was left by a keeper that was killed. */
static int socket_bind(int fd, const struct sockaddr_un *a)
{
	struct stat st;
	int probe;

	if (bind(fd, (const struct sockaddr *)a, sizeof(*a)) == 0) {
		return 0;
	}
	if (errno != EADDRINUSE) {
		return -errno;
	}
	probe = socket_connect(a);
	if (probe != -ECONNREFUSED) {
		if (probe >= 0) {
			close(probe);
		}
		return -EADDRINUSE;
	}
	/* A file that is no socket refuses connections as well, and is not ours to remove. */
	if (lstat(a->sun_path, &st) < 0 || !S_ISSOCK(st.st_mode)) {
		return -EADDRINUSE;
	}
	if (unlink(a->sun_path) < 0 || bind(fd, (const struct sockaddr *)a, sizeof(*a)) < 0) {
		return -errno;
	}
	return 0;
}

/* The group first, so that the wider mode is never another group's. fchownat(2), because on some
 * architectures it is the only one of its kind. */
static int open_to_group(const struct sockaddr_un *a, gid_t group)
{
	if (group == (gid_t)-1) {
		return 0;
	}
	if (fchownat(AT_FDCWD, a->sun_path, (uid_t)-1, group, AT_SYMLINK_NOFOLLOW) < 0 ||
		chmod(a->sun_path, S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP) < 0) {
		return -errno;
	}
	return 0;
}

int ipc_listen(const char *socket_dir, const char *name)
{
	return ipc_listen_group(socket_dir, name, (gid_t)-1);
}

int ipc_listen_group(const char *socket_dir, const char *name, gid_t group)
{
	struct sockaddr_un a;
	int dir_fd, fd, err;

	err = address_init(&a, socket_dir, name, &dir_fd);
	if (err < 0) {
		return err;
	}
	fd = socket_open();
	if (fd < 0) {
		err = fd;
		goto out;
	}
	/* The mode of an unbound socket becomes that of its file: no moment with a wider one. */
	if (fchmod(fd, S_IRUSR | S_IWUSR) < 0) {
		err = -errno;
		goto fail;
	}
	err = socket_bind(fd, &a);
	if (err < 0) {
		goto fail;
	}
	if (listen(fd, BACKLOG) < 0) {
		err = -errno;
		goto fail;
	}
	/* Nobody connects before somebody listens, and none of the group before this. */
	err = open_to_group(&a, group);
	if (err < 0) {
		goto fail;
	}
	err = fd;
	goto out;
fail:
	close(fd);
out:
	if (dir_fd >= 0) {
		close(dir_fd);
	}
	return err;
}

int ipc_connect(const char *socket_dir, const char *name)
{
	struct sockaddr_un a;
	int dir_fd, fd, err;

	err = address_init(&a, socket_dir, name, &dir_fd);
	if (err < 0) {
		return err;
	}
	fd = socket_connect(&a);
	if (dir_fd >= 0) {
		close(dir_fd);
	}
	return fd;
}

int ipc_accept(int listener, pid_t *ret_pid, uid_t *ret_uid)
{
	const int size = SEND_BUFFER_BYTES;
	struct ucred peer;
	socklen_t peer_size = sizeof(peer);
	int fd, err;

	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0) {
		/* One that gave up while it waited is none. */
		return errno == ECONNABORTED || errno == EINTR ? -EAGAIN : -errno;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &peer_size) < 0) {
		err = -errno;
		close(fd);
		return err;
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	*ret_pid = peer.pid;
	*ret_uid = peer.uid;
	return fd;
}

bool ipc_peer_in_group(int fd, gid_t group)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);
	gid_t *groups;
	bool found = false;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) {
		return false;
	}
	if (peer.gid == group) {
		return true;
	}
	size = 0;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &size) == 0 || errno != ERANGE) {
		return false;
	}
	groups = malloc(size);
	if (groups != NULL && getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) == 0) {
		for (size_t i = 0; !found && i < size / sizeof(*groups); i++) {
			found = groups[i] == group;
		}
	}
	free(groups);
	return found;
}

int ipc_send(int fd, const uint8_t *data, size_t size, const int *descriptors, size_t count)
{
	struct iovec iov = {.iov_base = (void *)(uintptr_t)data, .iov_len = size};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
	union control control = {0};
	struct cmsghdr *c;
	ssize_t n;

	if (size < 1 || size > IPC_MESSAGE_MAX_BYTES || count > IPC_DESCRIPTORS_MAX) {
		return -EMSGSIZE;
	}
	if (count > 0) {
		m.msg_control = control.bytes;
		m.msg_controllen = CMSG_SPACE(count * sizeof(int));
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(c), descriptors, count * sizeof(int));
	}
	do {
		n = sendmsg(fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n < 0) {
		return errno == ECONNRESET ? -EPIPE : -errno;
	}
	return 0;
}

/* Takes over every descriptor that came; too many are closed here. Returns how many came. */
static size_t descriptors_take(struct msghdr *m, int out[static IPC_DESCRIPTORS_MAX])
{
	size_t came = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		size_t count;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) {
			continue;
		}
		count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (came < IPC_DESCRIPTORS_MAX) {
				out[came] = fd;
			} else {
				close(fd);
			}
			came++;
		}
	}
	return came;
}

int ipc_receive(int fd, uint8_t *buffer, size_t size, struct ipc_message *ret)
{
	struct iovec iov = {.iov_base = buffer, .iov_len = size};
	union control control = {0};
	struct msghdr m = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	struct ipc_message message = {0};
	size_t came;
	ssize_t n;

	for (size_t i = 0; i < IPC_DESCRIPTORS_MAX; i++) {
		message.descriptors[i] = -1;
	}
	do {
		n = recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0) {
		return -errno;
	}
	came = descriptors_take(&m, message.descriptors);
	if (n == 0 && came == 0) {
		/* An empty datagram looks the same; a peer that sends one is to be cut off anyway.
		 */
		return -ECONNRESET;
	}
	if (n == 0 || came > IPC_DESCRIPTORS_MAX || m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
		ipc_message_finish(&message);
		return -EBADMSG;
	}
	message.type = buffer[0];
	message.fields = buffer + 1;
	message.fields_size = (size_t)n - 1;
	*ret = message;
	return 0;
}

void ipc_message_finish(struct ipc_message *m)
{
	for (size_t i = 0; i < IPC_DESCRIPTORS_MAX; i++) {
		if (m->descriptors[i] >= 0) {
			close(m->descriptors[i]);
			m->descriptors[i] = -1;
		}
	}
}
