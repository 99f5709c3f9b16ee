/* In place of libwebsockets and of TLS: what the product's files call, on lines. */
#include "web_side.h"

#include <string.h>

int lws_callback_on_writable(struct lws *wsi)
{
	wsi->writable_wanted = true;
	return 1;
}

void lws_set_timeout(struct lws *wsi, enum pending_timeout reason, int secs)
{
	if (reason == PENDING_TIMEOUT_KILLED_BY_PARENT && secs == LWS_TO_KILL_ASYNC) {
		wsi->kill = true;
		web_unsettle(wsi->web);
	}
}

void lws_close_reason(struct lws *wsi, enum lws_close_status status, unsigned char *buf, size_t len)
{
	(void)wsi;
	(void)status;
	(void)buf;
	(void)len;
}

lws_sockfd_type lws_get_socket_fd(struct lws *wsi)
{
	return wsi->kind == WSI_FEED ? wsi->fd : -1;
}

void *lws_get_opaque_user_data(const struct lws *wsi)
{
	return wsi->opaque;
}

void lws_set_opaque_user_data(struct lws *wsi, void *data)
{
	wsi->opaque = data;
}

int lws_send_pipe_choked(struct lws *wsi)
{
	return wsi->line->down.count >= LINE_MESSAGES;
}

int lws_write(struct lws *wsi, unsigned char *buf, size_t len, enum lws_write_protocol protocol)
{
	(void)protocol;
	memset(buf - 4, 0x82, 4); /* the websocket's header goes there */
	oracle_wrote(wsi->line, buf, len);
	return channel_put(&wsi->line->down, buf, len, NULL, 0) < 0 ? -1 : (int)len;
}

int lws_frame_is_binary(struct lws *wsi)
{
	(void)wsi;
	return 1;
}

int lws_is_final_fragment(struct lws *wsi)
{
	(void)wsi;
	return 1;
}

size_t lws_remaining_packet_payload(struct lws *wsi)
{
	(void)wsi;
	return 0;
}

void lws_validity_confirmed(struct lws *wsi)
{
	(void)wsi;
}

int lws_hdr_total_length(struct lws *wsi, enum lws_token_indexes h)
{
	(void)wsi;
	(void)h;
	return 0;
}

int lws_hdr_copy(struct lws *wsi, char *dest, int len, enum lws_token_indexes h)
{
	(void)wsi;
	(void)dest;
	(void)len;
	(void)h;
	return -1;
}

int tls_load(struct tls *t, const uint8_t *certificate_pem, size_t certificate_size,
	const uint8_t *key_pem, size_t key_size)
{
	(void)t;
	(void)certificate_pem;
	(void)certificate_size;
	(void)key_pem;
	(void)key_size;
	return 0;
}

int tls_install(struct tls *t)
{
	(void)t;
	return 0;
}
