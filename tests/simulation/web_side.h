/* A made-up libwebsockets (fake_lws.c) and the web processes around it (web_side.c). */
#ifndef CAMGATE_SIMULATION_WEB_SIDE_H
#define CAMGATE_SIMULATION_WEB_SIDE_H

#include "oracle.h"

#include "web/socket.h"

enum wsi_kind { WSI_LINE, WSI_FEED, WSI_LINK };

struct lws {
	enum wsi_kind kind;
	unsigned int web;
	struct line *line;
	int fd; /* of a feed */
	void *opaque;
	bool writable_wanted;
	bool kill; /* as soon as nobody is inside */
	const uint8_t *heard;
	size_t heard_size;
};

/* Something of this web process is to be killed, once nobody is inside. */
void web_unsettle(unsigned int web);

#endif
