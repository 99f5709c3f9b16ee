/* The addresses of this machine, from the kernel's route socket (rtnetlink(7)): see address.h. */
#include "address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum {
	PATIENCE_S = 2,
	ANSWER_BYTES = 32 << 10, /* as the kernel's own tools have it */
	INTERFACES_MAX = 512,
	FOUND_MAX = 256,
	RANKS = 6,
};

/* One answer. Interfaces first: an address does not say whether its interface is up. */
struct asking {
	struct nlmsghdr answer[ANSWER_BYTES / sizeof(struct nlmsghdr)];
	unsigned int interfaces_count, found_count;
	int up[INTERFACES_MAX]; /* indices of those that are up */
	struct {
		int rank;
		char text[INET6_ADDRSTRLEN];
	} found[FOUND_MAX];
};

/* The order in which addresses are told to people; negative: not at all. */
static int rank_four(const uint8_t bytes[static 4])
{
	uint32_t a = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
		     bytes[3];

	if (a >> 24 == 127) {
		return 4;
	}
	if (a >> 16 == 0xa9fe) {
		return -1; /* 169.254/16, RFC 3927 */
	}
	/* RFC 1918. 172.16/12 after the others: that is where container bridges live. */
	if (a >> 24 == 10 || a >> 16 == 0xc0a8) {
		return 0;
	}
	return a >> 20 == 0xac1 ? 1 : 2;
}

static int rank_six(const uint8_t bytes[static 16])
{
	struct in6_addr a;

	memcpy(&a, bytes, sizeof a);
	if (IN6_IS_ADDR_LOOPBACK(&a)) {
		return 5;
	}
	return IN6_IS_ADDR_LINKLOCAL(&a) || IN6_IS_ADDR_MULTICAST(&a) ? -1 : 3;
}

static bool is_up(const struct asking *a, unsigned int interface)
{
	for (unsigned int i = 0; i < a->interfaces_count; i++) {
		if (a->up[i] == (int)interface) {
			return true;
		}
	}
	return false;
}

static void note_interface(struct asking *a, const struct nlmsghdr *m)
{
	const struct ifinfomsg *link = NLMSG_DATA(m);

	if (m->nlmsg_type == RTM_NEWLINK && m->nlmsg_len >= NLMSG_LENGTH(sizeof *link) &&
		(link->ifi_flags & IFF_UP) != 0 && a->interfaces_count < INTERFACES_MAX) {
		a->up[a->interfaces_count++] = link->ifi_index;
	}
}

/* IFA_LOCAL is ours where a point-to-point link has two; IPv6 has it seldom. */
static const uint8_t *own_address(const struct nlmsghdr *m, size_t size)
{
	const struct ifaddrmsg *address = NLMSG_DATA(m);
	const struct rtattr *part = IFA_RTA(address);
	unsigned int left = (unsigned int)IFA_PAYLOAD(m);
	const uint8_t *ret = NULL;

	for (; RTA_OK(part, left); part = RTA_NEXT(part, left)) {
		if (RTA_PAYLOAD(part) == size &&
			(part->rta_type == IFA_LOCAL ||
				(part->rta_type == IFA_ADDRESS && ret == NULL))) {
			ret = RTA_DATA(part);
		}
	}
	return ret;
}

static void note_address(struct asking *a, const struct nlmsghdr *m)
{
	const struct ifaddrmsg *address = NLMSG_DATA(m);
	const uint8_t *bytes;
	int rank;

	if (m->nlmsg_type != RTM_NEWADDR || m->nlmsg_len < NLMSG_LENGTH(sizeof *address) ||
		(address->ifa_family != AF_INET && address->ifa_family != AF_INET6) ||
		!is_up(a, address->ifa_index) || a->found_count == FOUND_MAX) {
		return;
	}
	bytes = own_address(m, address->ifa_family == AF_INET ? 4 : 16);
	if (bytes == NULL) {
		return;
	}
	rank = address->ifa_family == AF_INET ? rank_four(bytes) : rank_six(bytes);
	if (rank >= 0 && inet_ntop(address->ifa_family, bytes, a->found[a->found_count].text,
				 INET6_ADDRSTRLEN) != NULL) {
		a->found[a->found_count++].rank = rank;
	}
}

static int send_question(int fd, uint16_t type)
{
	const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	struct {
		struct nlmsghdr head;
		struct ifinfomsg link; /* an ifaddrmsg begins like one, and is shorter */
	} question = {.head = {.nlmsg_len = sizeof question,
			      .nlmsg_type = type,
			      .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
			      .nlmsg_seq = type}};

	return sendto(fd, &question, sizeof question, 0, (const struct sockaddr *)&kernel,
		       sizeof kernel) < 0
		       ? -errno
		       : 0;
}

/* One datagram of the kernel's into answer. Its size, or -errno. */
static ssize_t receive(int fd, void *answer, size_t size)
{
	struct sockaddr_nl from = {0};
	socklen_t from_size = sizeof from;
	ssize_t n;

	do {
		n = recvfrom(fd, answer, size, 0, (struct sockaddr *)&from, &from_size);
		/* Any process may write to a route socket. */
	} while (n >= 0 && from.nl_pid != 0);
	return n < 0 ? -errno : n;
}

static int ask(int fd, struct asking *a, uint16_t type,
	void (*note)(struct asking *a, const struct nlmsghdr *m))
{
	int r = send_question(fd, type);

	while (r == 0) {
		ssize_t n = receive(fd, a->answer, sizeof a->answer);
		const struct nlmsghdr *m = a->answer;
		unsigned int left = n > 0 ? (unsigned int)n : 0;

		if (n <= 0) {
			return n < 0 ? (int)n : -EIO;
		}
		for (; NLMSG_OK(m, left); m = NLMSG_NEXT(m, left)) {
			if (m->nlmsg_seq != type) {
				continue; /* of a question that was given up */
			}
			if (m->nlmsg_type == NLMSG_DONE) {
				return 0;
			}
			if (m->nlmsg_type == NLMSG_ERROR) {
				return -EIO;
			}
			note(a, m);
		}
	}
	return r;
}

int address_kernel_open(bool changes)
{
	const struct timeval patience = {.tv_sec = PATIENCE_S};
	const struct sockaddr_nl groups = {.nl_family = AF_NETLINK,
		.nl_groups = changes ? RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR : 0};
	int fd = socket(
		AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | (changes ? SOCK_NONBLOCK : 0), NETLINK_ROUTE);
	int r;

	if (fd < 0) {
		return -errno;
	}
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) < 0 ||
		bind(fd, (const struct sockaddr *)&groups, sizeof groups) < 0) {
		r = -errno;
		(void)close(fd);
		return r;
	}
	return fd;
}

int address_kernel_ask(int fd, struct address_list *ret)
{
	/* Too large for the stack's taste. */
	static _Thread_local struct asking a;
	int r;

	a.interfaces_count = a.found_count = 0;
	r = ask(fd, &a, RTM_GETLINK, note_interface);
	if (r == 0) {
		r = ask(fd, &a, RTM_GETADDR, note_address);
	}
	if (r < 0) {
		return r;
	}
	ret->count = 0;
	for (int rank = 0; rank < RANKS; rank++) {
		for (unsigned int i = 0; i < a.found_count; i++) {
			if (a.found[i].rank == rank) {
				(void)address_add(ret, a.found[i].text);
			}
		}
	}
	return 0;
}

bool address_kernel_changed(int fd)
{
	struct nlmsghdr heard[64];
	bool changed = false;
	ssize_t n;

	/* What does not fit is cut off: that something came is all that is asked. ENOBUFS: so much
	 * came that some was lost. */
	while ((n = receive(fd, heard, sizeof heard)) > 0 || n == -ENOBUFS) {
		changed = true;
	}
	return changed;
}

int address_local(struct address_list *ret)
{
	int fd = address_kernel_open(false), r;

	if (fd < 0) {
		return fd;
	}
	r = address_kernel_ask(fd, ret);
	(void)close(fd);
	return r;
}
