/*
 * The socket to the keeper. Messages to it are sent at once, or wait in order while it is busy; a
 * keeper that is LINK_BEHIND_MAX_BYTES behind is as good as gone.
 *
 * No function here fails towards its caller: a link that breaks ends the role (web_fail). One
 * thread.
 */
#ifndef CAMGATE_LINK_H
#define CAMGATE_LINK_H

#include "gateway/ipc.h"

#include <libwebsockets.h>

enum { LINK_BEHIND_MAX_BYTES = 1 << 20 };

struct web;
struct link_waiting;

struct link {
	struct web *web;
	int fd; /* owned by the loop once adopted */
	bool gone;
	struct lws *wsi;
	struct link_waiting *first, *last;
	size_t waiting_bytes;
	uint8_t buffer[IPC_MESSAGE_MAX_BYTES];
};

/* Connects to the keeper. 0 or -errno. */
int link_init(struct link *l, struct web *web, const char *socket_dir);
/* Waits for the first message, which must be the configuration, and has it carried out. 0,
 * -ETIMEDOUT, -EBADMSG, -errno. */
int link_wait_for_config(struct link *l, int timeout_ms);
/* Puts the socket into the loop. 0 or -ENOMEM. */
int link_adopt(struct link *l);
void link_finish(struct link *l);

void link_send_hello(struct link *l, const struct ipc_web_hello *m);
void link_send_sandbox(struct link *l, const struct ipc_sandbox *m);
void link_send_opened(struct link *l, const struct ipc_opened *m);
void link_send_heard(struct link *l, uint64_t connection, const uint8_t *bytes, size_t size);
void link_send_counts(struct link *l, const struct ipc_counts *m);
void link_send_refusals(struct link *l, const struct ipc_refusals *m);
void link_send_taken(struct link *l, uint64_t connection, uint16_t stream);
/* IPC_CLOSED or IPC_CUT_DONE */
void link_send_connection(struct link *l, uint8_t type, uint64_t connection);

int link_callback(
	struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t size);

#endif
