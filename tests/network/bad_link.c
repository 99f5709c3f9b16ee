#include "bad_link.h"
#include "gateway/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	MTU = 1500,
	PACKETS_MAX = 4096, /* under way in one direction */
	IDLE_US = 200000,
};

const struct bad_link_quality bad_link_poor = {
	.bits_per_s = 2000000, .delay_us = 150000, .loss_per_mille = 50, .queue_us = 250000};
const struct bad_link_quality bad_link_good = {.queue_us = 1000000};

struct bad_link_shared {
	atomic_uint bits_per_s, delay_us, loss_per_mille, queue_us;
	atomic_ullong carried, lost, dropped;
};

struct packet {
	uint64_t due_us;
	size_t size;
	uint8_t bytes[MTU];
};

/* One way. The delay may be lowered while packets are under way: they arrive in order all the same.
 */
struct lane {
	int from, to; /* TUN devices */
	uint64_t random;
	uint64_t free_us; /* when the wire has carried what is queued */
	size_t first, count;
	struct packet packets[PACKETS_MAX];
};

/* ---- the process that carries ---- */

static bool is_lost(struct lane *l, unsigned int per_mille)
{
	l->random ^= l->random << 13; /* xorshift64 */
	l->random ^= l->random >> 7;
	l->random ^= l->random << 17;
	return l->random % 1000 < per_mille;
}

static void take_packet(struct lane *l, struct bad_link_shared *s, uint64_t now_us)
{
	struct packet *p = &l->packets[(l->first + l->count) % PACKETS_MAX];
	uint64_t rate = atomic_load(&s->bits_per_s), begin_us;
	ssize_t n = read(l->from, p->bytes, sizeof(p->bytes));

	if (n <= 0) {
		return;
	}
	begin_us = l->free_us > now_us ? l->free_us : now_us;
	if (is_lost(l, atomic_load(&s->loss_per_mille))) {
		atomic_fetch_add(&s->lost, 1);
	} else if (begin_us - now_us > atomic_load(&s->queue_us) || l->count + 1 == PACKETS_MAX) {
		atomic_fetch_add(&s->dropped, 1);
	} else {
		l->free_us = begin_us + (rate > 0 ? (uint64_t)n * 8 * 1000000 / rate : 0);
		p->due_us = l->free_us + atomic_load(&s->delay_us);
		p->size = (size_t)n;
		l->count++;
	}
}

static void hand_over(struct lane *l, struct bad_link_shared *s, uint64_t now_us)
{
	while (l->count > 0 && l->packets[l->first].due_us <= now_us) {
		const struct packet *p = &l->packets[l->first];

		if (write(l->to, p->bytes, p->size) == (ssize_t)p->size) {
			atomic_fetch_add(&s->carried, 1);
		}
		l->first = (l->first + 1) % PACKETS_MAX;
		l->count--;
	}
}

static uint64_t next_due(const struct lane *l, uint64_t due_us)
{
	return l->count > 0 && l->packets[l->first].due_us < due_us ? l->packets[l->first].due_us
								    : due_us;
}

__attribute__((noreturn)) static void carry(
	int hub, int display, struct bad_link_shared *s, uint64_t seed)
{
	static struct lane lanes[2];

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	lanes[0].from = lanes[1].to = hub;
	lanes[0].to = lanes[1].from = display;
	for (uint64_t i = 0; i < 2; i++) {
		/* Neighbouring seeds shall have nothing in common, and 0 would stay 0. */
		lanes[i].random = (seed * 2 + i + 1) * 0x9e3779b97f4a7c15ULL;
	}
	for (;;) {
		struct pollfd fds[] = {
			{.fd = hub, .events = POLLIN}, {.fd = display, .events = POLLIN}};
		uint64_t now_us = clock_now_us(), due_us = now_us + IDLE_US;
		struct timespec left;

		due_us = next_due(&lanes[1], next_due(&lanes[0], due_us));
		left.tv_sec = 0;
		left.tv_nsec = due_us > now_us ? (long)(due_us - now_us) * 1000 : 0;
		(void)ppoll(fds, 2, &left, NULL);
		now_us = clock_now_us();
		for (size_t i = 0; i < 2; i++) {
			hand_over(&lanes[i], s, now_us);
			if (fds[i].revents & POLLIN) {
				take_packet(&lanes[i], s, now_us);
			}
		}
	}
}

/* ---- the two ends ---- */

static int set_address(int fd, struct ifreq *r, unsigned long what, const char *address)
{
	struct sockaddr_in a = {.sin_family = AF_INET};

	(void)inet_pton(AF_INET, address, &a.sin_addr);
	memcpy(&r->ifr_addr, &a, sizeof(a));
	return ioctl(fd, what, r) < 0 ? -errno : 0;
}

static int set_up(int fd, const char *name)
{
	struct ifreq r = {0};

	(void)snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	r.ifr_flags = IFF_UP | IFF_RUNNING;
	return ioctl(fd, SIOCSIFFLAGS, &r) < 0 ? -errno : 0;
}

static int configure(const char *name, const char *own, const char *other)
{
	struct ifreq r = {0};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int result;

	if (fd < 0) {
		return -errno;
	}
	(void)snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	result = set_address(fd, &r, SIOCSIFADDR, own);
	if (result == 0) {
		result = set_address(fd, &r, SIOCSIFDSTADDR, other);
	}
	if (result == 0) {
		result = set_up(fd, name);
	}
	if (result == 0) {
		result = set_up(fd, "lo");
	}
	close(fd);
	return result;
}

/* A namespace that the process is in from now on, and its end of the link. */
static int enter_end(const char *own, const char *other, int *ret_tun)
{
	struct ifreq r = {.ifr_name = "bad0", .ifr_flags = IFF_TUN | IFF_NO_PI};
	int fd, result;

	if (unshare(CLONE_NEWNET) < 0) {
		return -errno;
	}
	fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) {
		return -errno;
	}
	result = ioctl(fd, TUNSETIFF, &r) < 0 ? -errno : configure("bad0", own, other);
	if (result < 0) {
		close(fd);
		return result;
	}
	*ret_tun = fd;
	return 0;
}

static int begin(struct bad_link *l, int *ret_hub, int *ret_display)
{
	int result = enter_end(BAD_LINK_HUB, BAD_LINK_DISPLAY, ret_hub);

	if (result < 0) {
		return result;
	}
	l->hub_network = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (l->hub_network < 0) {
		return -errno;
	}
	return enter_end(BAD_LINK_DISPLAY, BAD_LINK_HUB, ret_display);
}

int bad_link_begin(struct bad_link *l, const struct bad_link_quality *q, uint64_t seed)
{
	int hub = -1, display = -1, result;

	*l = (struct bad_link){.hub_network = -1};
	l->shared = mmap(NULL, sizeof(*l->shared), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (l->shared == MAP_FAILED) {
		l->shared = NULL;
		return -ENOMEM;
	}
	bad_link_set(l, q);
	result = begin(l, &hub, &display);
	if (result == 0) {
		l->carrier = fork();
		result = l->carrier < 0 ? -errno : 0;
	}
	if (result == 0 && l->carrier == 0) {
		carry(hub, display, l->shared, seed);
	}
	if (hub >= 0) {
		close(hub);
	}
	if (display >= 0) {
		close(display);
	}
	if (result < 0) {
		l->carrier = 0;
		bad_link_end(l);
	}
	return result;
}

void bad_link_set(struct bad_link *l, const struct bad_link_quality *q)
{
	atomic_store(&l->shared->bits_per_s, q->bits_per_s);
	atomic_store(&l->shared->delay_us, q->delay_us);
	atomic_store(&l->shared->loss_per_mille, q->loss_per_mille);
	atomic_store(&l->shared->queue_us, q->queue_us);
}

struct bad_link_counts bad_link_counts(const struct bad_link *l)
{
	return (struct bad_link_counts){.carried = atomic_load(&l->shared->carried),
		.lost = atomic_load(&l->shared->lost),
		.dropped = atomic_load(&l->shared->dropped)};
}

void bad_link_end(struct bad_link *l)
{
	if (l->carrier > 0) {
		(void)kill(l->carrier, SIGKILL);
		(void)waitpid(l->carrier, NULL, 0);
	}
	if (l->hub_network >= 0) {
		close(l->hub_network);
	}
	if (l->shared != NULL) {
		(void)munmap(l->shared, sizeof(*l->shared));
	}
	*l = (struct bad_link){.hub_network = -1};
}
