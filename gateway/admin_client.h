/*
 * One question to the keeper over its admin socket: a JSON object there, a JSON object back. Used
 * by the commands and by run. Blocks, at most for the given time.
 */
#ifndef CAMGATE_ADMIN_CLIENT_H
#define CAMGATE_ADMIN_CLIENT_H

#include <jansson.h>
#include <stddef.h>

/* request stays the caller's; *ret_reply becomes the caller's and is an object with "ok". 0;
 * -ENOENT or -ECONNREFUSED when no gateway runs there; -EACCES when we may not ask; -ETIMEDOUT;
 * -ECONNRESET when it closed without an answer; -EBADMSG for an answer that is none. */
int admin_request(
	const char *socket_dir, const json_t *request, int timeout_ms, json_t **ret_reply);

/* admin_main.c: the same for a command of the owner. NULL after a line on standard error that says
 * what is wrong. The caller owns the answer, which may be a refusal. */
struct options;
json_t *admin_ask(const struct options *o, const json_t *request);

#endif
