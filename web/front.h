/*
 * The door: the listening socket, the limits, and what speaks plain HTTP.
 *
 * We accept ourselves and hand TLS connections to libwebsockets (which has no limits of its own,
 * and no way to serve a socket that somebody else opened). A peer that begins with plain HTTP gets
 * one fixed redirect to https and nothing else. One thread. 0 or -errno.
 */
#ifndef CAMGATE_FRONT_H
#define CAMGATE_FRONT_H

#include "hosts.h"

#include <libwebsockets.h>

struct web;

enum { FRONT_REQUEST_BYTES = 4096, FRONT_REPLY_BYTES = 512 };

/* Lets the process have as many descriptors as so many connections need, and no more: libwebsockets
 * makes tables for all that there may be. Says where the service manager allows fewer. */
void front_limit_descriptors(unsigned int connections);
/* Binds "[::]:8443" and the like and listens (IPv4 included where the address is [::]). */
int front_listen(const char *listening);
/* Port and text ("[::]:8443") of a listening socket. */
int front_name(int listener, uint16_t *ret_port, char *out, size_t size);
/* Pure: the answer to a request that came in plain text: 307 to the same host by https if that is
 * one of ours, otherwise 400. Bytes written. */
size_t front_answer_plain(const struct hosts *h, const char *request, size_t request_size,
	const struct sockaddr *local, char *out, size_t size);

/* Listens again after there was no descriptor for who came. */
void front_resume(struct web *web);

int front_callback(
	struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t size);

#endif
