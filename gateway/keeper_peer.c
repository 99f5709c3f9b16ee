#include "keeper.h"
#include "clock.h"
#include "leash.h"
#include "log.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static unsigned int count_peers(const struct keeper *k, bool admins_only)
{
	unsigned int count = 0;

	for (const struct keeper_peer *p = k->peers; p != NULL; p = p->next) {
		count += !admins_only || p->plane == PLANE_ADMIN;
	}
	return count;
}

static bool has_room(const struct keeper *k, enum keeper_plane plane)
{
	if (plane == PLANE_ADMIN) {
		return count_peers(k, true) < KEEPER_ADMINS_MAX;
	}
	/* Commands never take the place of a camera. */
	return count_peers(k, false) < KEEPER_PEERS_MAX - KEEPER_ADMINS_MAX;
}

static int add_peer(
	struct keeper *k, enum keeper_plane plane, int fd, pid_t pid, enum keeper_right right)
{
	struct keeper_peer *p = calloc(1, sizeof(*p));
	struct epoll_event event = {.events = EPOLLIN};

	if (p == NULL) {
		return -ENOMEM;
	}
	p->number = ++k->last_peer;
	p->plane = plane;
	p->fd = fd;
	p->pid = pid;
	p->leash = -1;
	p->may_change = right == KEEPER_MAY_ALL;
	event.data.u64 = p->number;
	if (epoll_ctl(k->epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
		free(p);
		return -errno;
	}
	p->next = k->peers;
	k->peers = p;
	return 0;
}

static void listen_for(struct keeper *k, enum keeper_plane plane, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.u64 = KEEPER_LISTENER + plane};

	(void)epoll_ctl(k->epoll, EPOLL_CTL_MOD, k->listeners[plane], &event);
}

void keeper_listen_again(struct keeper *k, uint64_t now_us)
{
	if (k->listen_due_us == 0 || now_us < k->listen_due_us) {
		return;
	}
	k->listen_due_us = 0;
	for (unsigned int i = 0; i < PLANE_COUNT; i++) {
		listen_for(k, (enum keeper_plane)i, EPOLLIN);
	}
}

void keeper_accept(struct keeper *k, enum keeper_plane plane)
{
	pid_t pid;
	uid_t uid;
	int fd;

	while ((fd = ipc_accept(k->listeners[plane], &pid, &uid)) >= 0) {
		enum keeper_right right = keeper_door_right(&k->door, plane, uid,
			k->door.service && ipc_peer_in_group(fd, k->door.group[plane]));

		if (right == KEEPER_REFUSED) {
			log_warning("a process of user %lu is refused at the %s socket",
				(unsigned long)uid, keeper_plane_names[plane]);
			close(fd);
		} else if (!has_room(k, plane) || add_peer(k, plane, fd, pid, right) < 0) {
			log_warning("no room for another process at the %s socket",
				keeper_plane_names[plane]);
			close(fd);
		}
	}
	if (fd == -EMFILE || fd == -ENFILE || fd == -ENOMEM) {
		/* Somebody who waits would keep the loop awake and get nowhere. */
		log_error("no process can come in at the %s socket for now: %s",
			keeper_plane_names[plane], strerror(-fd));
		listen_for(k, plane, 0);
		k->listen_due_us = clock_now_us() + KEEPER_LISTEN_AGAIN_US;
	}
}

struct keeper_peer *keeper_peer_find(struct keeper *k, uint64_t number)
{
	for (struct keeper_peer *p = k->peers; p != NULL; p = p->next) {
		if (p->number == number && !p->doomed) {
			return p;
		}
	}
	return NULL;
}

void keeper_peer_read(struct keeper *k, struct keeper_peer *p)
{
	for (int i = 0; i < KEEPER_BURST && !p->doomed; i++) {
		struct ipc_message m;
		int result = ipc_receive(p->fd, k->buffer, sizeof(k->buffer), &m);

		if (result == -EAGAIN) {
			return;
		}
		if (result == 0) {
			result = keeper_dispatch(k, p, &m);
			ipc_message_finish(&m);
		}
		if (result < 0) {
			if (result != -ECONNRESET) {
				log_error("the %s process %ld sent a bad message; ending the "
					  "connection",
					keeper_plane_names[p->plane], (long)p->pid);
			}
			p->doomed = true;
		}
	}
}

void keeper_send(struct keeper *k, uint64_t peer, const void *bytes, size_t size,
	const int *descriptors, size_t count)
{
	struct keeper_peer *p = keeper_peer_find(k, peer);
	int result;

	if (p == NULL) {
		return;
	}
	result = ipc_send(p->fd, bytes, size, descriptors, count);
	if (result < 0) {
		/* It missed a message, so nothing that it believes can be relied upon. */
		if (result == -EAGAIN) {
			log_error("the %s process %ld hangs; ending it",
				keeper_plane_names[p->plane], (long)p->pid);
		}
		p->doomed = true;
		p->kill = p->plane != PLANE_ADMIN && result == -EAGAIN;
	}
}

void keeper_reply(struct keeper *k, uint64_t peer, const char *text, size_t size)
{
	struct keeper_peer *p = keeper_peer_find(k, peer);
	ssize_t sent;

	if (p == NULL) {
		return;
	}
	do {
		sent = send(p->fd, text, size, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (sent < 0 && errno == EINTR);
	p->doomed = p->doomed || sent < 0;
}

void keeper_drop(struct keeper *k, uint64_t peer, bool kill_it)
{
	struct keeper_peer *p = keeper_peer_find(k, peer);

	if (p != NULL) {
		p->doomed = true;
		p->kill = kill_it;
	}
}

/* The process is there as long as its end of the socket is, so the pid is still its own. */
static void kill_process(const struct keeper_peer *p)
{
	if (p->leash >= 0 && leash_pull(p->leash) == 0) {
		return;
	}
	if (p->pid > 1 && p->pid != getpid() && kill(p->pid, SIGKILL) < 0 && errno != ESRCH) {
		log_error("cannot end process %ld: %s", (long)p->pid, strerror(errno));
	}
}

static void peer_destroy(struct keeper_peer *p)
{
	if (p->leash >= 0) {
		close(p->leash);
	}
	close(p->fd);
	free(p);
}

static void end_peer(struct keeper_peer *p)
{
	if (p->kill) {
		kill_process(p);
	}
	peer_destroy(p);
}

void keeper_reap(struct keeper *k)
{
	struct keeper_peer **at = &k->peers;

	while (*at != NULL) {
		struct keeper_peer *p = *at;
		uint64_t number = p->number;

		if (!p->doomed) {
			at = &p->next;
			continue;
		}
		*at = p->next;
		end_peer(p);
		registry_peer_gone(k->registry, number);
		at = &k->peers; /* that may have doomed others, before and behind */
	}
}

void keeper_peers_finish(struct keeper *k)
{
	while (k->peers != NULL) {
		struct keeper_peer *p = k->peers;

		k->peers = p->next;
		peer_destroy(p);
	}
}
