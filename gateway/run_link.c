#include "run_link.h"
#include "address.h"
#include "qr.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { URL_BYTES = 512, OTHER_ADDRESSES = 5 };

static int make_link(
	const char *host, unsigned int port, const char *secret, char *out, size_t size)
{
	int r = address_url(host, port, out, size);
	size_t used = r < 0 ? 0 : strlen(out);

	if (r < 0) {
		return r;
	}
	int n = snprintf(out + used, size - used, "#pair=%s", secret);
	return n < 0 || (size_t)n >= size - used ? -ENOSPC : 0;
}

static void print_json(
	const struct address_list *hosts, unsigned int port, const char *secret, json_t *reply)
{
	json_t *links = json_array();

	for (unsigned int i = 0; i < hosts->count; i++) {
		char url[URL_BYTES];

		if (make_link(hosts->text[i], port, secret, url, sizeof url) == 0) {
			(void)json_array_append_new(links, json_string(url));
		}
	}
	(void)json_object_set_new(reply, "links", links);
	(void)json_dumpf(reply, stdout, JSON_COMPACT);
	(void)printf("\n");
	(void)fflush(stdout);
}

static void print_validity(json_int_t seconds)
{
	if (seconds >= 120) {
		(void)printf("It works once, within %lld minutes:\n\n", (long long)(seconds / 60));
	} else {
		(void)printf("It works once, within %lld seconds:\n\n", (long long)seconds);
	}
}

static void print_certificate_help(const char *host, bool owner)
{
	(void)printf("The browser will warn you once: the hub signs its certificate itself, nobody "
		     "vouches "
		     "for it.\n");
	(void)printf(
		"Press \"Advanced\", then \"Proceed to %s\" (Firefox: \"Accept the Risk\", Safari: "
		"\"visit this website\").\n",
		host);
	(void)printf("Then press \"%s\" on the page.\n\n",
		owner ? "Make this browser the owner" : "Show cameras here");
}

static void print_human(const struct address_list *hosts, unsigned int port, const char *secret,
	const json_t *reply, bool qr)
{
	bool owner = json_is_true(json_object_get(reply, "owner"));
	char url[URL_BYTES];

	(void)printf("\nOpen this link on the device that shall show the cameras%s.\n",
		owner ? " and be the owner's" : "");
	print_validity(json_integer_value(json_object_get(reply, "expires_s")));
	if (make_link(hosts->text[0], port, secret, url, sizeof url) == 0) {
		(void)printf("  %s\n\n", url);
		if (qr && qr_print(url, stdout) == 0) {
			(void)printf("\n");
		}
	}
	if (hosts->count > 1) {
		(void)printf("If that address does not open there, the same link at others of this "
			     "hub:\n");
	}
	for (unsigned int i = 1; i < hosts->count && i <= OTHER_ADDRESSES; i++) {
		if (make_link(hosts->text[i], port, secret, url, sizeof url) == 0) {
			(void)printf("  %s\n", url);
		}
	}
	(void)printf("%s", hosts->count > 1 ? "\n" : "");
	print_certificate_help(hosts->text[0], owner);
	(void)fflush(stdout);
}

/* The name that the keeper was configured with comes first; where we are now is asked here, because
 * the keeper may not open sockets, and addresses change. */
static int find_hosts(const json_t *reply, const char *listening, struct address_list *ret)
{
	const char *configured[ADDRESS_MAX];
	unsigned int count = 0;
	size_t i;
	json_t *host;

	json_array_foreach(json_object_get(reply, "hosts"), i, host)
	{
		if (count < ADDRESS_MAX && json_is_string(host)) {
			configured[count++] = json_string_value(host);
		}
	}
	return address_link_hosts(configured, count, listening, ret);
}

int link_print(json_t *reply, const struct options *o)
{
	const char *secret = json_string_value(json_object_get(reply, "link"));
	const char *listening = json_string_value(json_object_get(reply, "listening"));
	json_int_t port = json_integer_value(json_object_get(reply, "port"));
	struct address_list hosts;

	if (secret == NULL || port < 1 || port > UINT16_MAX) {
		return -EBADMSG;
	}
	int r = find_hosts(reply, listening != NULL ? listening : "[::]:0", &hosts);
	if (r < 0) {
		return r;
	}
	if (hosts.count == 0) {
		return -EBADMSG;
	}
	if (o->json) {
		print_json(&hosts, (unsigned int)port, secret, reply);
	} else {
		print_human(&hosts, (unsigned int)port, secret, reply,
			o->qr || isatty(STDOUT_FILENO) == 1);
	}
	return 0;
}
