#include "address.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { RESOLV_CONF_MAX_BYTES = 8192, PORT_MAX = 65535 };

static bool is_address_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
	       c == '.' || c == ':';
}

bool address_add(struct address_list *list, const char *text)
{
	char lower[ADDRESS_TEXT_BYTES];
	size_t size = strlen(text);

	/* A final dot means the same name; browsers send it along or not as it was typed. */
	if (size > 0 && text[size - 1] == '.') {
		size--;
	}
	if (size == 0 || size >= sizeof lower) {
		return false;
	}
	for (size_t i = 0; i < size; i++) {
		char c = text[i];

		lower[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
		if (!is_address_character(lower[i])) {
			return false;
		}
	}
	lower[size] = '\0';
	for (unsigned int i = 0; i < list->count; i++) {
		if (strcmp(list->text[i], lower) == 0) {
			return true;
		}
	}
	if (list->count == ADDRESS_MAX) {
		return false;
	}
	memcpy(list->text[list->count++], lower, size + 1);
	return true;
}

void address_search_domains(
	const char *resolv_conf, const char *hostname, struct address_list *list)
{
	static const char blanks[] = " \t\r";
	size_t host_size = strcspn(hostname, ".");

	while (*resolv_conf != '\0') {
		const char *at = resolv_conf;
		const char *end = at + strcspn(at, "\n");

		resolv_conf = *end == '\n' ? end + 1 : end;
		if (strncmp(at, "search", 6) != 0 && strncmp(at, "domain", 6) != 0) {
			continue;
		}
		at += 6;
		while (at < end && strchr(blanks, *at) != NULL) {
			char text[ADDRESS_TEXT_BYTES];

			at += strspn(at, blanks);
			size_t size = strcspn(at, " \t\r\n");
			int n = snprintf(text, sizeof text, "%.*s.%.*s", (int)host_size, hostname,
				(int)size, at);

			if (size > 1 && n > 0 && (size_t)n < sizeof text) {
				(void)address_add(list, text);
			}
			at += size;
		}
	}
}

static int read_hostname(char *out, size_t size)
{
	if (gethostname(out, size) < 0) {
		return -errno;
	}
	out[size - 1] = '\0';
	return out[0] == '\0' ? -ENOENT : 0;
}

static void add_search_domains(const char *hostname, struct address_list *list)
{
	char text[RESOLV_CONF_MAX_BYTES];
	FILE *f = fopen("/etc/resolv.conf", "re");

	/* No file means no search domains. */
	if (f == NULL) {
		return;
	}
	size_t n = fread(text, 1, sizeof text - 1, f);
	text[n] = '\0';
	(void)fclose(f);
	address_search_domains(text, hostname, list);
}

int address_names(const char *const *configured, unsigned int n, struct address_list *ret)
{
	char hostname[ADDRESS_TEXT_BYTES];
	char local[ADDRESS_TEXT_BYTES + 8];

	ret->count = 0;
	for (unsigned int i = 0; i < n; i++) {
		(void)address_add(ret, configured[i]);
	}
	if (read_hostname(hostname, sizeof hostname) == 0) {
		(void)address_add(ret, hostname);
		(void)snprintf(
			local, sizeof local, "%.*s.local", (int)strcspn(hostname, "."), hostname);
		(void)address_add(ret, local);
		add_search_domains(hostname, ret);
	}
	(void)address_add(ret, "localhost");
	return 0;
}

static int split_port(const char *text, unsigned int *ret)
{
	unsigned int value = 0;

	if (*text == '\0') {
		return -EINVAL;
	}
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9') {
			return -EINVAL;
		}
		value = value * 10 + (unsigned int)(*text - '0');
		if (value > PORT_MAX) {
			return -EINVAL;
		}
	}
	*ret = value;
	return 0;
}

int address_split(const char *text, char *ret_host, size_t host_size, unsigned int *ret_port)
{
	const char *host = text;
	const char *colon = strrchr(text, ':');
	size_t size = colon != NULL ? (size_t)(colon - text) : 0;
	unsigned int port;

	if (split_port(colon != NULL ? colon + 1 : text, &port) < 0) {
		return -EINVAL;
	}
	if (size >= 2 && host[0] == '[' && host[size - 1] == ']') {
		host++;
		size -= 2;
	} else if (memchr(host, ':', size) != NULL) {
		return -EINVAL; /* "::1:80" may mean two things */
	}
	if (size >= host_size) {
		return -EINVAL;
	}
	memcpy(ret_host, host, size);
	ret_host[size] = '\0';
	*ret_port = port;
	return 0;
}

int address_url(const char *host, unsigned int port, char *out, size_t size)
{
	bool brackets = strchr(host, ':') != NULL;
	int n = snprintf(out, size, "https://%s%s%s:%u/", brackets ? "[" : "", host,
		brackets ? "]" : "", port);

	return n < 0 || (size_t)n >= size ? -ENOSPC : 0;
}
