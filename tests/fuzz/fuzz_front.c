/*
 * What a stranger sends before any TLS, and the Host and Origin headers: whatever it is, the answer
 * is one of two, and a redirect leads to this hub.
 */
#include "web/front.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct hosts ours = {.port = 8443, .count = 2, .names = {"hub", "hub.local"}};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct sockaddr_in6 local = {
		.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	struct hosts_authority a;
	char out[FRONT_REPLY_BYTES];
	char *text = malloc(size + 1);
	size_t n;

	if (!text) {
		abort();
	}
	memcpy(text, data, size);
	text[size] = '\0';
	if (hosts_parse(text, &a) == 0 && (a.name[0] == '\0' || a.port == 0)) {
		abort();
	}
	(void)hosts_same_origin(text, "hub:8443");
	n = front_answer_plain(&ours, text, size, (const struct sockaddr *)&local, out, sizeof out);
	if (n < 12 || n >= sizeof out ||
		(memcmp(out, "HTTP/1.1 307", 12) != 0 && memcmp(out, "HTTP/1.1 400", 12) != 0)) {
		abort();
	}
	if (memcmp(out, "HTTP/1.1 307", 12) == 0 && !strcasestr(out, "\r\nLocation: https://hub") &&
		!strstr(out, "\r\nLocation: https://[")) {
		abort();
	}
	free(text);
	return 0;
}
