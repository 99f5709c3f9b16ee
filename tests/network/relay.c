#include "relay.h"
#include "gateway/clock.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAIRS_MAX = 64, ROOM_BYTES = 2048, BITE_BYTES = 16384, STEP_MS = 2, BACKLOG = 64 };

struct relay_shared {
	atomic_llong cut_at[2];
	atomic_bool stalled;
	atomic_uint drip_us;
	atomic_ullong carried[2];
};

/* end[way]: where bytes of this way are read. */
struct pair {
	int end[2]; /* hub, display; -1: free */
	int64_t cut_at[2];
	uint64_t carried[2];
	uint64_t next_us; /* of dripping */
	uint64_t number;
};

struct relaying {
	struct relay_shared *shared;
	int listener;
	uint16_t hub_port;
	uint64_t last; /* number of the newest pair */
	struct pair pairs[PAIRS_MAX];
};

static struct sockaddr_in loopback(uint16_t port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* ---- its process ---- */

static void reset_pair(struct pair *p)
{
	for (int i = 0; i < 2; i++) {
		(void)setsockopt(p->end[i], SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1},
			sizeof(struct linger));
		close(p->end[i]);
		p->end[i] = -1;
	}
}

static int connect_hub(uint16_t port)
{
	const struct sockaddr_in hub = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	/* Before connecting, because it decides what the hub is told of room. */
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &(int){ROOM_BYTES}, sizeof(int));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&hub, sizeof(hub)) < 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static void add_pair(struct relaying *r)
{
	int display = accept4(r->listener, NULL, NULL, SOCK_CLOEXEC), hub;

	if (display < 0) {
		return;
	}
	(void)setsockopt(display, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	hub = connect_hub(r->hub_port);
	for (size_t i = 0; hub >= 0 && i < PAIRS_MAX; i++) {
		struct pair *p = &r->pairs[i];

		if (p->end[0] < 0) {
			*p = (struct pair){.end = {hub, display}, .number = ++r->last};
			for (int way = 0; way < 2; way++) {
				p->cut_at[way] = atomic_load(&r->shared->cut_at[way]);
				atomic_store(&r->shared->carried[way], 0);
			}
			if (p->cut_at[0] == 0 || p->cut_at[1] == 0) {
				reset_pair(p);
			}
			return;
		}
	}
	if (hub >= 0) {
		close(hub);
	}
	close(display);
}

/* How much of what is there may be taken that way now. */
static size_t bite(const struct relaying *r, struct pair *p, int way, uint64_t now_us)
{
	unsigned int drip_us = atomic_load(&r->shared->drip_us);
	size_t size = BITE_BYTES;

	if (way == RELAY_DOWN && atomic_load(&r->shared->stalled)) {
		return 0;
	}
	if (way == RELAY_DOWN && drip_us > 0) {
		if (now_us < p->next_us) {
			return 0;
		}
		p->next_us = now_us + drip_us;
		size = 1;
	}
	if (p->cut_at[way] >= 0 && (uint64_t)p->cut_at[way] - p->carried[way] < size) {
		size = (size_t)((uint64_t)p->cut_at[way] - p->carried[way]);
	}
	return size;
}

/* False when the connection is over. */
static bool carry(struct relaying *r, struct pair *p, int way, uint64_t now_us)
{
	uint8_t bytes[BITE_BYTES];
	size_t size = bite(r, p, way, now_us);
	ssize_t n = size > 0 ? recv(p->end[way], bytes, size, MSG_DONTWAIT) : -1;

	if (size == 0 || (n < 0 && errno == EAGAIN)) {
		return true;
	}
	if (n <= 0 || send(p->end[!way], bytes, (size_t)n, MSG_NOSIGNAL) != n) {
		return false;
	}
	p->carried[way] += (uint64_t)n;
	if (p->number == r->last) {
		atomic_store(&r->shared->carried[way], p->carried[way]);
	}
	return p->cut_at[way] < 0 || p->carried[way] < (uint64_t)p->cut_at[way];
}

/* A peer that reset is told by poll, also while nothing is read from it. */
static bool is_over(const struct pollfd *fds)
{
	return ((fds[0].revents | fds[1].revents) & (POLLERR | POLLHUP | POLLNVAL)) != 0;
}

__attribute__((noreturn)) static void run(struct relaying *r)
{
	struct pollfd fds[1 + 2 * PAIRS_MAX];

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		bool patient = atomic_load(&r->shared->stalled) || atomic_load(&r->shared->drip_us);

		fds[0] = (struct pollfd){.fd = r->listener, .events = POLLIN};
		for (size_t i = 0; i < PAIRS_MAX; i++) {
			for (int way = 0; way < 2; way++) {
				/* What is not taken must not wake us. */
				fds[1 + 2 * i + (size_t)way] = (struct pollfd){
					.fd = r->pairs[i].end[way],
					.events = patient && way == RELAY_DOWN ? 0 : POLLIN};
			}
		}
		(void)poll(fds, 1 + 2 * PAIRS_MAX, patient ? STEP_MS : 100 * STEP_MS);
		for (size_t i = 0; i < PAIRS_MAX; i++) {
			struct pair *p = &r->pairs[i];

			if (p->end[0] >= 0 && (!carry(r, p, RELAY_DOWN, clock_now_us()) ||
						      !carry(r, p, RELAY_UP, clock_now_us()) ||
						      is_over(&fds[1 + 2 * i]))) {
				reset_pair(p);
			}
		}
		if (fds[0].revents != 0) {
			add_pair(r);
		}
	}
}

/* ---- the test's side ---- */

static int listen_somewhere(uint16_t *ret_port)
{
	struct sockaddr_in here = loopback(0);
	socklen_t size = sizeof(here);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&here, sizeof(here)) < 0 ||
		listen(fd, BACKLOG) < 0 || getsockname(fd, (struct sockaddr *)&here, &size) < 0) {
		return -errno;
	}
	*ret_port = ntohs(here.sin_port);
	return fd;
}

int relay_begin(struct relay *r, uint16_t hub_port)
{
	static struct relaying relaying;
	int fd;

	*r = (struct relay){0};
	r->shared = mmap(NULL, sizeof(*r->shared), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (r->shared == MAP_FAILED) {
		return -ENOMEM;
	}
	relay_cut_at(r, RELAY_DOWN, -1);
	relay_cut_at(r, RELAY_UP, -1);
	fd = listen_somewhere(&r->port);
	if (fd < 0) {
		return fd;
	}
	relaying = (struct relaying){.shared = r->shared, .listener = fd, .hub_port = hub_port};
	for (size_t i = 0; i < PAIRS_MAX; i++) {
		relaying.pairs[i].end[0] = relaying.pairs[i].end[1] = -1;
	}
	r->pid = fork();
	if (r->pid == 0) {
		run(&relaying);
	}
	close(fd);
	return r->pid < 0 ? -errno : 0;
}

void relay_end(struct relay *r)
{
	if (r->pid > 0) {
		(void)kill(r->pid, SIGKILL);
		(void)waitpid(r->pid, NULL, 0);
	}
	if (r->shared != NULL) {
		(void)munmap(r->shared, sizeof(*r->shared));
	}
	*r = (struct relay){0};
}

void relay_cut_at(struct relay *r, enum relay_way way, int64_t bytes)
{
	atomic_store(&r->shared->cut_at[way], bytes);
}

void relay_stall(struct relay *r, bool stalled)
{
	atomic_store(&r->shared->stalled, stalled);
}

void relay_drip(struct relay *r, unsigned int interval_us)
{
	atomic_store(&r->shared->drip_us, interval_us);
}

uint64_t relay_carried(const struct relay *r, enum relay_way way)
{
	return atomic_load(&r->shared->carried[way]);
}
