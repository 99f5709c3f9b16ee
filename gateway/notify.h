/*
 * What a role tells the service manager that started it: ready, alive, ending, and how it is
 * (sd_notify(3): lines of text to the datagram socket named by NOTIFY_SOCKET).
 *
 * Connected before the sandbox is entered, and then only written to. Without a service manager
 * everything here does nothing. A message that cannot be sent is lost: nothing a role does depends
 * on it. One thread.
 */
#ifndef CAMGATE_NOTIFY_H
#define CAMGATE_NOTIFY_H

#include <stdint.h>

struct notify {
	int fd; /* -1: nobody listens */
	uint64_t interval_us; /* between two signs of life; 0: none are wanted */
	uint64_t next_us; /* when the next is due, CLOCK_BOOTTIME */
};

/* Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID and takes them out of the environment. Logs a
 * socket that is named and cannot be reached; *n can be used in any case. */
void notify_init(struct notify *n);
/* It serves. status: one line for people, also in the next. */
void notify_ready(struct notify *n, const char *status);
void notify_stopping(struct notify *n, const char *status);
/* To be called in each round of the role's loop: sends a sign of life when one is due. */
void notify_alive(struct notify *n, uint64_t now_us);
/* How long the loop may sleep so that the next is not late; timeout_ms as for poll(2). */
int notify_timeout_ms(const struct notify *n, uint64_t now_us, int timeout_ms);
void notify_finish(struct notify *n);

#endif
