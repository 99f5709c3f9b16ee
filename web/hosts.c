#include "hosts.h"
#include "gateway/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

enum { HTTPS_PORT = 443, PORT_MAX = 65535 };

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool name_character(char c, bool literal)
{
	if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == '.') {
		return true;
	}
	return literal ? c == ':' : (c >= 'g' && c <= 'z') || c == '-' || c == '_';
}

/* What follows the name: nothing, or a colon and 1 to 5 digits. */
static int parse_port(const char *text, uint16_t *ret)
{
	unsigned int port = 0;
	unsigned int digits = 0;

	if (*text == '\0') {
		*ret = HTTPS_PORT;
		return 0;
	}
	if (*text++ != ':') {
		return -EBADMSG;
	}
	for (; *text >= '0' && *text <= '9' && digits < 5; text++, digits++) {
		port = port * 10 + (unsigned int)(*text - '0');
	}
	if (*text != '\0' || digits == 0 || port == 0 || port > PORT_MAX) {
		return -EBADMSG;
	}
	*ret = (uint16_t)port;
	return 0;
}

int hosts_parse(const char *text, struct hosts_authority *ret)
{
	struct hosts_authority a = {.literal = *text == '['};
	size_t n = 0;

	if (a.literal) {
		text++;
	}
	while (n < sizeof a.name - 1 && name_character(lower(*text), a.literal)) {
		a.name[n++] = lower(*text++);
	}
	if (n == 0) {
		return -EBADMSG;
	}
	if (a.literal && *text++ != ']') {
		return -EBADMSG;
	}
	if (parse_port(text, &a.port) < 0) {
		return -EBADMSG;
	}
	*ret = a;
	return 0;
}

static bool is_local_address(const struct hosts_authority *a, const struct sockaddr *local)
{
	struct in6_addr six;
	struct in_addr four;

	if (local->sa_family == AF_INET) {
		return !a->literal && inet_pton(AF_INET, a->name, &four) == 1 &&
		       four.s_addr == ((const struct sockaddr_in *)local)->sin_addr.s_addr;
	}
	if (local->sa_family != AF_INET6) {
		return false;
	}
	const struct in6_addr *address = &((const struct sockaddr_in6 *)local)->sin6_addr;

	if (IN6_IS_ADDR_V4MAPPED(address)) {
		return !a->literal && inet_pton(AF_INET, a->name, &four) == 1 &&
		       memcmp(&four, &address->s6_addr[12], sizeof four) == 0;
	}
	return a->literal && inet_pton(AF_INET6, a->name, &six) == 1 &&
	       memcmp(&six, address, sizeof six) == 0;
}

bool hosts_accept(const struct hosts *h, const char *host, const struct sockaddr *local)
{
	struct hosts_authority a;

	if (hosts_parse(host, &a) < 0 || a.port != h->port) {
		return false;
	}
	if (is_local_address(&a, local)) {
		return true;
	}
	for (unsigned int i = 0; i < h->count && !a.literal; i++) {
		if (strcmp(h->names[i], a.name) == 0) {
			return true;
		}
	}
	return false;
}

bool hosts_same_origin(const char *origin, const char *host)
{
	static const char scheme[] = "https://";
	struct hosts_authority a, b;

	return strncmp(origin, scheme, sizeof scheme - 1) == 0 &&
	       hosts_parse(origin + sizeof scheme - 1, &a) == 0 && hosts_parse(host, &b) == 0 &&
	       a.literal == b.literal && a.port == b.port && strcmp(a.name, b.name) == 0;
}

bool hosts_note_refused(struct hosts *h, const char *host)
{
	for (unsigned int i = 0; i < h->refused_count; i++) {
		if (strncmp(h->refused[i], host, HOSTS_TEXT_BYTES - 1) == 0) {
			return false;
		}
	}
	if (h->refused_count == HOSTS_REFUSED_MAX) {
		return false;
	}
	(void)snprintf(h->refused[h->refused_count++], HOSTS_TEXT_BYTES, "%s", host);
	return true;
}

/* What a peer sent, for the journal: nothing in it may look like another line. */
static void make_printable(char *text)
{
	for (; *text != '\0'; text++) {
		if (*text < ' ' || *text > '~') {
			*text = '?';
		}
	}
}

void hosts_log_refused(struct hosts *h, const char *host, const char *peer)
{
	struct hosts_authority a;
	char text[HOSTS_TEXT_BYTES];

	if (!hosts_note_refused(h, host)) {
		return;
	}
	(void)snprintf(text, sizeof text, "%s", host);
	make_printable(text);
	if (hosts_parse(host, &a) < 0) {
		log_warning("%s asked for %s: refused", peer, text);
	} else if (a.port != h->port) {
		log_warning("%s asked for %s, which is not port %u of this hub: refused", peer,
			text, h->port);
	} else {
		log_warning(
			"%s asked for %s, which is no name of this hub: refused. If it is one, add "
			"--host %s",
			peer, text, a.name);
	}
}

void hosts_log_refused_origin(struct hosts *h, const char *origin, const char *peer)
{
	char text[HOSTS_TEXT_BYTES];

	if (!hosts_note_refused(h, origin)) {
		return;
	}
	(void)snprintf(text, sizeof text, "%s", origin);
	make_printable(text);
	log_warning("%s: a page that is not this hub's (origin \"%s\") asked for a socket: refused",
		peer, text);
}
