/* Where the hub can be reached, and whether its certificate says so. */
#include "doctor.h"
#include "authority_certificate.h"
#include "holder.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { DAY_S = 24 * 60 * 60, CONNECT_S = 3, NAMES_BYTES = 200 };

/* ---- pure ---- */

static bool is_loopback(const char *host)
{
	return strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 ||
	       strncmp(host, "127.", 4) == 0;
}

void doctor_judge_addresses(struct doctor *d, const struct address_list *hosts, unsigned int port)
{
	char url[DOCTOR_TEXT_BYTES];
	unsigned int others = 0;

	for (unsigned int i = 0; i < hosts->count; i++) {
		if (!is_loopback(hosts->text[i]) &&
			address_url(hosts->text[i], port, url, sizeof url) == 0) {
			doctor_say(d, "addresses", DOCTOR_OK, NULL, "%s", url);
			others++;
		}
	}
	if (others == 0) {
		doctor_say(d, "addresses", DOCTOR_WRONG,
			"connect the hub to your network, or listen there: listen = [::]:8443",
			"it can be reached from this machine alone");
	}
}

void doctor_judge_listen(struct doctor *d, const char *configured, const char *listening)
{
	char host[ADDRESS_TEXT_BYTES];
	unsigned int wanted, port;

	if (configured[0] == '\0' || address_split(configured, host, sizeof host, &wanted) < 0 ||
		wanted == 0 || address_split(listening, host, sizeof host, &port) < 0 ||
		wanted == port) {
		return;
	}
	doctor_say(d, "port", DOCTOR_NOTE,
		"on an installed hub: sudo systemctl daemon-reload && sudo systemctl restart "
		"camgate-web.socket",
		"listen = %s in the configuration, but the hub listens on %s", configured,
		listening);
}

static bool certificate_names(X509 *certificate, const char *host)
{
	uint8_t address[16];

	if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1) {
		return X509_check_ip_asc(certificate, host, 0) == 1;
	}
	return X509_check_host(certificate, host, 0, 0, NULL) == 1;
}

/* Our own authority may sign for names and private addresses alone. */
static bool is_public_address(const char *host)
{
	uint8_t address[16];

	return (inet_pton(AF_INET, host, address) == 1 ||
		       inet_pton(AF_INET6, host, address) == 1) &&
	       !certificate_address_private(host);
}

/* What it does not name of either kind, between commas. */
static void list_unnamed(X509 *certificate, const struct address_list *hosts, bool public,
	char out[static NAMES_BYTES])
{
	size_t used = 0;

	out[0] = '\0';
	for (unsigned int i = 0; i < hosts->count; i++) {
		if (is_public_address(hosts->text[i]) != public ||
			certificate_names(certificate, hosts->text[i])) {
			continue;
		}
		int n = snprintf(out + used, NAMES_BYTES - used, "%s%s", used > 0 ? ", " : "",
			hosts->text[i]);
		if (n < 0 || (size_t)n >= NAMES_BYTES - used) {
			return;
		}
		used += (size_t)n;
	}
}

static void judge_names(struct doctor *d, X509 *certificate, const struct address_list *hosts)
{
	char unnamed[NAMES_BYTES];
	bool all = true;

	list_unnamed(certificate, hosts, false, unnamed);
	if (unnamed[0] != '\0') {
		doctor_say(d, "certificate", DOCTOR_WRONG,
			"wait some seconds if an address or the host's name is new, then restart "
			"the gateway; a "
			"configured one (tls_cert) has to name them",
			"it does not name %s: browsers there are warned", unnamed);
		all = false;
	}
	list_unnamed(certificate, hosts, true, unnamed);
	if (unnamed[0] != '\0') {
		doctor_say(d, "certificate", DOCTOR_NOTE,
			"open the hub by a name or a private address; only a certificate of your "
			"own (tls_cert) can name public ones",
			"it does not name %s, which the world can reach", unnamed);
		all = false;
	}
	if (all) {
		doctor_say(d, "certificate", DOCTOR_OK, NULL, "it names all of these");
	}
}

void doctor_judge_certificate(
	struct doctor *d, X509 *certificate, const struct address_list *hosts, int64_t now_s)
{
	time_t now = (time_t)now_s;
	int days = 0, seconds = 0;
	ASN1_TIME *today = ASN1_TIME_set(NULL, now);
	bool dated = today != NULL &&
		     ASN1_TIME_diff(&days, &seconds, today, X509_get0_notAfter(certificate)) == 1;

	ASN1_TIME_free(today);
	if (!dated) {
		doctor_say(d, "certificate", DOCTOR_WRONG, "restart the gateway",
			"its dates cannot be read");
		return;
	}
	if (X509_cmp_time(X509_get0_notBefore(certificate), &now) > 0) {
		doctor_say(d, "certificate", DOCTOR_WRONG, "set the clock: see above",
			"it is not valid yet");
	} else if (days < 0 || (days == 0 && seconds <= 0)) {
		doctor_say(d, "certificate", DOCTOR_WRONG,
			"set the clock, then restart the gateway; a configured one (tls_cert) has "
			"to be renewed",
			"it has ended");
	} else {
		doctor_say(d, "certificate", days < 14 ? DOCTOR_NOTE : DOCTOR_OK,
			days < 14 ? "a configured one (tls_cert) has to be renewed" : NULL,
			"valid for %d more days", days);
	}
	judge_names(d, certificate, hosts);
}

/* ---- asking ---- */

/* Connected, or -errno. host empty: this machine. */
static int connect_to(const char *host, unsigned int port)
{
	const struct addrinfo hints = {
		.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
	const struct timeval limit = {.tv_sec = CONNECT_S};
	struct addrinfo *address = NULL;
	char service[8];
	int fd, r = 0;

	(void)snprintf(service, sizeof service, "%u", port);
	if (getaddrinfo(host, service, &hints, &address) != 0) {
		return -EINVAL;
	}
	fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) < 0 ||
		connect(fd, address->ai_addr, address->ai_addrlen) < 0) {
		r = -errno;
		if (fd >= 0) {
			(void)close(fd);
		}
	}
	freeaddrinfo(address);
	return r < 0 ? r : fd;
}

/* All addresses answer on the loopback ones. */
static int connect_listening(const char *listening)
{
	char host[ADDRESS_TEXT_BYTES];
	unsigned int port;
	int fd;

	if (address_split(listening, host, sizeof host, &port) < 0) {
		return -EINVAL;
	}
	if (host[0] != '\0' && strcmp(host, "::") != 0 && strcmp(host, "0.0.0.0") != 0) {
		return connect_to(host, port);
	}
	fd = connect_to("127.0.0.1", port);
	return fd >= 0 ? fd : connect_to("::1", port);
}

/* What the web role shows to whoever connects; NULL if it shows nothing. */
static X509 *fetch_certificate(int fd)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL *ssl = context != NULL ? SSL_new(context) : NULL;
	X509 *certificate = NULL;

	/* It is looked at here, and trusted for nothing. */
	if (ssl != NULL && SSL_set_fd(ssl, fd) == 1 && SSL_connect(ssl) == 1) {
		certificate = SSL_get1_peer_certificate(ssl);
		(void)SSL_shutdown(ssl);
	}
	SSL_free(ssl);
	SSL_CTX_free(context);
	return certificate;
}

static X509 *read_certificate(const char *state_dir, int *ret_error)
{
	char path[PATH_MAX + 16];
	X509 *certificate;
	FILE *file;

	(void)snprintf(path, sizeof path, "%s/web.pem", state_dir);
	file = fopen(path, "re");
	*ret_error = file == NULL ? errno : EBADMSG;
	certificate = file != NULL ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
	if (file != NULL) {
		(void)fclose(file);
	}
	return certificate;
}

static void look_at_file(struct doctor *d, const struct address_list *hosts)
{
	int error = 0;
	X509 *certificate = read_certificate(d->options->state_dir, &error);

	if (certificate != NULL) {
		doctor_judge_certificate(d, certificate, hosts, (int64_t)time(NULL));
		X509_free(certificate);
	} else if (error == ENOENT || error == ENOTDIR) {
		doctor_say(d, "certificate", DOCTOR_OK, NULL,
			"none yet; the first start makes one that names all of these");
	} else if (error == EACCES) {
		doctor_say(d, "certificate", DOCTOR_NOTE, "ask as root: sudo camgate doctor",
			"it may not be read by this user");
	} else {
		doctor_say(d, "certificate", DOCTOR_WRONG,
			"restore it from a backup, or remove it: the next start makes another",
			"%s/web.pem cannot be read", d->options->state_dir);
	}
}

static void look_at_server(
	struct doctor *d, const char *listening, const struct address_list *hosts)
{
	int fd = connect_listening(listening);
	X509 *certificate = fd >= 0 ? fetch_certificate(fd) : NULL;

	if (fd < 0) {
		doctor_say(d, "port", DOCTOR_WRONG, "look for a firewall: sudo nft list ruleset",
			"%s does not take connections: %s", listening, strerror(-fd));
		return;
	}
	(void)close(fd);
	if (certificate == NULL) {
		doctor_say(d, "port", DOCTOR_WRONG, "look in the log why",
			"%s takes connections and speaks no TLS", listening);
		return;
	}
	doctor_say(d, "port", DOCTOR_OK, NULL, "%s answers", listening);
	doctor_judge_certificate(d, certificate, hosts, (int64_t)time(NULL));
	X509_free(certificate);
}

/* Nobody of ours has it: does somebody else? */
static void look_at_port(struct doctor *d, const char *listen_on)
{
	int fd = connect_listening(listen_on);
	char host[ADDRESS_TEXT_BYTES], words[HOLDER_WORDS_BYTES];
	unsigned int port;

	if (fd < 0) {
		doctor_say(d, "port", DOCTOR_OK, NULL, "%s is free", listen_on);
		return;
	}
	(void)close(fd);
	if (d->denied) {
		doctor_say(d, "port", DOCTOR_OK, NULL, "%s answers", listen_on);
		return;
	}
	(void)address_split(listen_on, host, sizeof host, &port);
	holder_port_words(port, words);
	doctor_say(d, "port", DOCTOR_WRONG,
		"stop what has it, or let camgate listen elsewhere: listen = [::]:PORT",
		"%s is in use %s", listen_on, words);
}

void doctor_network(struct doctor *d)
{
	const struct config *c = &d->config;
	const json_t *web = json_object_get(d->status, "web");
	const char *listening = json_string_value(json_object_get(web, "listening"));
	const char *configured[CONFIG_HOSTS_MAX + 1];
	char host[ADDRESS_TEXT_BYTES];
	unsigned int count = 0, port = 0;
	struct address_list hosts;
	bool serves = json_is_true(json_object_get(web, "running")) && listening != NULL;

	if (c->name[0] != '\0') {
		configured[count++] = c->name;
	}
	for (unsigned int i = 0; i < c->hosts_count; i++) {
		configured[count++] = c->hosts[i];
	}
	if (!serves) {
		listening = c->listen[0] != '\0' ? c->listen : d->options->listen;
	}
	if (address_split(listening, host, sizeof host, &port) < 0 ||
		address_link_hosts(configured, count, listening, &hosts) < 0) {
		doctor_say(d, "addresses", DOCTOR_WRONG, "check listen in the configuration",
			"cannot learn this machine's addresses");
		return;
	}
	doctor_judge_addresses(d, &hosts, port);
	if (d->status != NULL && !serves) {
		doctor_say(d, "port", DOCTOR_WRONG, "journalctl -u camgate-web says why",
			"the web role is not running");
	} else if (serves) {
		doctor_judge_listen(d, c->listen, listening);
		look_at_server(d, listening, &hosts);
	} else {
		look_at_port(d, listening);
		look_at_file(d, &hosts);
	}
}
