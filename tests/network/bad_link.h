/*
 * A bad network: two network namespaces joined by a link that is slow, late and loses packets.
 *
 *     hub ── tun ─► queue (rate, delay, loss) ─► tun ── displays, which are in this process
 *
 * IP packets are carried by a process of their own from one TUN device to the other, so TCP meets
 * what it would meet outside: it is no relay that ends connections. The same seed loses the same
 * packets of the same sequence.
 *
 * bad_link_begin moves the calling process into the displays' namespace; call it before anything
 * opens a socket. A hub is started in the other one with hub.network (tests/integration/hub.h).
 * One thread. 0 or -errno; -EPERM and the like where namespaces or TUN devices cannot be made.
 */
#ifndef CAMGATE_TESTS_BAD_LINK_H
#define CAMGATE_TESTS_BAD_LINK_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

/* Addresses set aside for documentation (RFC 5737), visible in these two namespaces only. */
#define BAD_LINK_HUB "198.51.100.1"
#define BAD_LINK_DISPLAY "198.51.100.2"

/* Each way. */
struct bad_link_quality {
	unsigned int bits_per_s; /* 0: any */
	unsigned int delay_us; /* half of the round trip */
	unsigned int loss_per_mille; /* 1000: the cable is out */
	unsigned int queue_us; /* a packet that would wait longer for its turn is dropped */
};

/* 2 Mbit/s, a round trip of 300 ms, 5 % loss; and one that nobody notices. */
extern const struct bad_link_quality bad_link_poor, bad_link_good;

struct bad_link_shared; /* with the process that carries the packets */

struct bad_link {
	int hub_network; /* descriptor of the hub's namespace */
	pid_t carrier;
	struct bad_link_shared *shared;
};

int bad_link_begin(struct bad_link *l, const struct bad_link_quality *q, uint64_t seed);
/* From now on; what is under way already arrives as it would have. */
void bad_link_set(struct bad_link *l, const struct bad_link_quality *q);
/* Packets so far, both ways. */
struct bad_link_counts {
	uint64_t carried, lost, dropped;
};
struct bad_link_counts bad_link_counts(const struct bad_link *l);
/* Pulls the cable out for good. The process stays where it is. */
void bad_link_end(struct bad_link *l);

#endif
