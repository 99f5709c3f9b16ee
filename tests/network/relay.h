/*
 * A relay that treats TCP connections to a hub badly: cuts them at a byte, stops reading in the
 * middle, or reads a byte now and then. It is a process of its own and sees TLS only; displays
 * connect to its port and call the hub by the hub's own name.
 *
 * It reads from the hub into as little room as the kernel allows, so that a hub whose peer does not
 * read is soon left with a full socket. One thread. 0 or -errno.
 */
#ifndef CAMGATE_TESTS_RELAY_H
#define CAMGATE_TESTS_RELAY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum relay_way { RELAY_DOWN = 0, RELAY_UP = 1 }; /* to the display, to the hub */

struct relay_shared; /* with its process */

struct relay {
	uint16_t port; /* on 127.0.0.1 */
	pid_t pid;
	struct relay_shared *shared;
};

int relay_begin(struct relay *r, uint16_t hub_port);
void relay_end(struct relay *r);
/* The next connections are reset, both ends, when so many bytes went that way; -1: never. */
void relay_cut_at(struct relay *r, enum relay_way way, int64_t bytes);
/* Takes nothing more from the hub, or goes on. */
void relay_stall(struct relay *r, bool stalled);
/* Takes one byte from the hub each so often; 0: whatever is there. */
void relay_drip(struct relay *r, unsigned int interval_us);
/* Bytes that the connection opened last has carried that way. */
uint64_t relay_carried(const struct relay *r, enum relay_way way);

#endif
