/*
 * Which Host and Origin headers are this hub's. A page of another site, or a name that was pointed
 * at this hub's address by somebody else (DNS rebinding), must get nothing.
 *
 * Pure, but for hosts_log_x. Names match whole and without regard to case, never by prefix or
 * suffix. One thread.
 */
#ifndef CAMGATE_HOSTS_H
#define CAMGATE_HOSTS_H

#include "gateway/ipc.h"
#include <sys/socket.h>

enum { HOSTS_TEXT_BYTES = 264, HOSTS_REFUSED_MAX = 16 };

struct hosts {
	uint16_t port; /* ours */
	unsigned int count;
	char names[IPC_HOSTS_MAX][IPC_TEXT_MAX_BYTES + 1]; /* lower case, without port */
	char refused[HOSTS_REFUSED_MAX][HOSTS_TEXT_BYTES]; /* already logged */
	unsigned int refused_count;
};

/* Host and port of an authority; a bracketed IPv6 literal loses its brackets. */
struct hosts_authority {
	char name[HOSTS_TEXT_BYTES]; /* lower case */
	bool literal; /* was in brackets */
	uint16_t port;
};

/* "name", "name:port", "[::1]:port"; port 443 when there is none. 0 or -EBADMSG. */
int hosts_parse(const char *text, struct hosts_authority *ret);
/* True if the Host header names one of our names, or the very address that this connection came to
 * (local, by getsockname), with our port. */
bool hosts_accept(const struct hosts *h, const char *host, const struct sockaddr *local);
/* True if the Origin is https of the same name and port as the Host header, which was accepted. */
bool hosts_same_origin(const char *origin, const char *host);
/* True the first time that this host is refused: then it is to be logged. Forgets nothing, and
 * stays silent when too many were refused. */
bool hosts_note_refused(struct hosts *h, const char *host);
/* Logs a refusal, once for each host, with what to do about it. */
void hosts_log_refused(struct hosts *h, const char *host, const char *peer);
void hosts_log_refused_origin(struct hosts *h, const char *origin, const char *peer);

#endif
