/*
 * Under which names and addresses this hub can be reached: what the web role accepts as Host and
 * Origin, what the certificate names, what a printed link begins with.
 *
 * All texts are lower case host names, or numeric addresses without brackets, port or zone (whoever
 * prints a URL brackets those with a colon). Reads the kernel and /etc/resolv.conf anew at each
 * call. These functions open sockets and files: call them before the sandbox is entered, or in a
 * command (address_kernel_ask and address_kernel_changed work inside, too). 0 or -errno; a list
 * that is full is silently cut, best entries first.
 */
#ifndef CAMGATE_ADDRESS_H
#define CAMGATE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

enum { ADDRESS_MAX = 64, ADDRESS_TEXT_BYTES = 256 };

struct address_list {
	unsigned int count;
	char text[ADDRESS_MAX][ADDRESS_TEXT_BYTES];
};

/* Adds text in lower case unless it is there already, is no host name or address, or the list is
 * full. True if the list holds it now. */
bool address_add(struct address_list *list, const char *text);

/* The accepted host names: the n configured ones, HOSTNAME, HOSTNAME.local, HOSTNAME with each
 * search domain of /etc/resolv.conf, localhost. */
int address_names(const char *const *configured, unsigned int n, struct address_list *ret);

/* The numeric addresses of this machine: private IPv4, other IPv4, global IPv6, loopback last;
 * link-local ones and those of interfaces that are down are left out. */
int address_local(struct address_list *ret);

/* The same in steps, for a process that goes on asking after it may open no socket any more: a
 * route socket (close it), and what it answers. changes: one that is told when an address comes or
 * goes, or an interface goes up or down; that one is not for asking. */
int address_kernel_open(bool changes);
int address_kernel_ask(int fd, struct address_list *ret);
/* Reads what it was told. True if something may have changed. */
bool address_kernel_changed(int fd);

/* What links begin with, best first: the n configured names; HOSTNAME.local when mDNS answers for
 * it (asks Avahi, waits 300 ms at most); the LAN addresses; at last localhost. listening is the
 * bound address ("[::]:8443", "127.0.0.1:8443"): a hub that listens on one address has that one
 * alone, on loopback localhost alone. Opens sockets. */
int address_link_hosts(const char *const *configured, unsigned int n, const char *listening,
	struct address_list *ret);

/* Pure: "192.0.2.1:80", "[::1]:80", ":80" or "80" into host (may become empty: all addresses) and
 * port. 0 or -EINVAL. */
int address_split(const char *text, char *ret_host, size_t host_size, unsigned int *ret_port);

/* Pure: the search domains of a resolv.conf text, appended to HOSTNAME (which is cut at its first
 * dot) and added to the list. */
void address_search_domains(
	const char *resolv_conf, const char *hostname, struct address_list *list);

/* Pure: https://HOST:PORT/, brackets where needed. 0 or -ENOSPC. */
int address_url(const char *host, unsigned int port, char *out, size_t size);

#endif
