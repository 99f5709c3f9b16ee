/*
 * The cheapest possible viewer: OpenSSL and a websocket reader of a page, around the same display
 * as everywhere. libwebsockets' client looks at every byte of a message, so that with it a bench
 * would measure itself.
 */
#ifndef CAMGATE_BENCH_READER_H
#define CAMGATE_BENCH_READER_H

#include "web/client/display.h"

#include <openssl/ssl.h>

enum { READER_BUFFER_BYTES = 64 << 10 };

struct reader {
	SSL *ssl;
	int fd;
	struct display *display;
	struct display_keys keys;
	bool opens; /* false: frames are acknowledged unopened */
	bool over; /* the connection ended */
	uint64_t capture_us; /* of the frame under way */
	unsigned long frames; /* received since the caller zeroed it */
	size_t filled;
	uint8_t buffer[READER_BUFFER_BYTES];
	/* Called for each complete frame, opened or not. */
	void (*received)(const struct reader *r, uint32_t bytes, uint64_t now_us);
};

/* Connects to 127.0.0.1, pairs by this link, watches every camera it is given. 0 or -errno. */
int reader_init(struct reader *r, uint16_t port, const struct wire_link *link, const char *name,
	bool opens);
void reader_finish(struct reader *r);
/* Reads from all of them until then. */
void reader_run(struct reader *readers, size_t count, uint64_t until_us);

#endif
