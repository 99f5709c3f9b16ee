/* keeper.h: the hub's names and addresses, and what happens when they change: the certificate is
 * renewed with the same key and handed to the web role, whose connections stay. */
#include "keeper.h"
#include "authority_certificate.h"
#include "log.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* A new lease comes as several words of the kernel's: one certificate will do for them. That the
 * host's name changed, the kernel says in /proc/sys alone, of which the service sees nothing, so
 * it is asked. */
enum { SETTLE_US = 1000 * 1000, HOSTNAME_EVERY_US = 10 * 1000 * 1000 };

static int learn_names(struct keeper *k, struct address_list *ret)
{
	const char *configured[ADDRESS_MAX];

	for (unsigned int i = 0; i < k->configured.count; i++) {
		configured[i] = k->configured.text[i];
	}
	return address_names(configured, k->configured.count, ret);
}

/* True if it is another one than before. */
static bool learn_hostname(struct keeper *k)
{
	char now[sizeof k->hostname] = "";

	if (gethostname(now, sizeof now - 1) < 0 || strcmp(now, k->hostname) == 0) {
		return false;
	}
	memcpy(k->hostname, now, sizeof now);
	return true;
}

static int note_configured(struct keeper *k)
{
	const struct options *o = k->options;

	if (o->name != NULL && !address_add(&k->configured, o->name)) {
		log_error("\"%s\" is no host name", o->name);
		return -EINVAL;
	}
	for (unsigned int i = 0; i < o->hosts_count; i++) {
		if (!address_add(&k->configured, o->hosts[i])) {
			log_error("\"%s\" is no host name", o->hosts[i]);
			return -EINVAL;
		}
	}
	return 0;
}

int keeper_names_init(struct keeper *k)
{
	int r = note_configured(k);

	if (r < 0) {
		return r;
	}
	/* Both first: what changes while we ask is noticed. */
	(void)learn_hostname(k);
	k->changes = address_kernel_open(true);
	k->kernel = address_kernel_open(false);
	r = k->kernel < 0 ? k->kernel : address_kernel_ask(k->kernel, &k->addresses);
	if (r == 0) {
		r = learn_names(k, &k->names);
	}
	if (r < 0) {
		log_error("cannot learn this machine's names: %s", strerror(-r));
	} else if (k->changes < 0) {
		log_warning("addresses that change are not noticed before a restart: %s",
			strerror(-k->changes));
	}
	return r;
}

void keeper_names_finish(struct keeper *k)
{
	if (k->kernel >= 0) {
		close(k->kernel);
	}
	if (k->changes >= 0) {
		close(k->changes);
	}
}

void keeper_names_hear(struct keeper *k, uint64_t now_us)
{
	if (address_kernel_changed(k->changes) && k->names_due_us == 0) {
		k->names_due_us = now_us + SETTLE_US;
	}
}

static bool holds(const struct address_list *list, const char *text)
{
	for (unsigned int i = 0; i < list->count; i++) {
		if (strcmp(list->text[i], text) == 0) {
			return true;
		}
	}
	return false;
}

/* False if there is nothing to tell. */
static bool tell_change(const struct address_list *before, const struct address_list *now)
{
	bool changed = false;

	for (unsigned int i = 0; i < before->count; i++) {
		if (!holds(now, before->text[i])) {
			log_info("the address %s is gone", before->text[i]);
			changed = true;
		}
	}
	for (unsigned int i = 0; i < now->count; i++) {
		if (holds(before, now->text[i])) {
			continue;
		}
		changed = true;
		if (certificate_address_private(now->text[i])) {
			log_info("a new address: %s", now->text[i]);
		} else {
			log_warning("a new address: %s, which is public and which the hub's own "
				    "certificate may not name; open the hub by a name, or "
				    "configure a certificate of your own (tls_cert)",
				now->text[i]);
		}
	}
	return changed;
}

static bool hostname_follow(struct keeper *k, uint64_t now_us)
{
	if (now_us < k->hostname_due_us) {
		return false;
	}
	k->hostname_due_us = now_us + HOSTNAME_EVERY_US;
	if (!learn_hostname(k)) {
		return false;
	}
	log_info("this host is called %s now", k->hostname);
	return true;
}

/* True if one came or went. */
static bool addresses_follow(struct keeper *k, uint64_t now_us)
{
	struct address_list addresses = {0};
	int r;

	if (k->names_due_us == 0 || now_us < k->names_due_us) {
		return false;
	}
	k->names_due_us = 0;
	r = address_kernel_ask(k->kernel, &addresses);
	if (r < 0) {
		log_error("cannot learn this machine's addresses: %s", strerror(-r));
		return false;
	}
	/* Interfaces have other news too: wireless ones every few seconds. */
	if (!tell_change(&k->addresses, &addresses)) {
		return false;
	}
	k->addresses = addresses;
	return true;
}

void keeper_names_follow(struct keeper *k, uint64_t now_us)
{
	struct address_list names = {0};
	bool renamed = hostname_follow(k, now_us);

	if (!addresses_follow(k, now_us) && !renamed) {
		return;
	}
	/* What is known stays: browsers may have the hub open under its old name, and the files
	 * with the search domains are out of our reach now. */
	if (renamed && learn_names(k, &names) == 0) {
		for (unsigned int i = 0; i < names.count; i++) {
			(void)address_add(&k->names, names.text[i]);
		}
	}
	/* Renewed only if it lacks something. */
	k->renew_us = now_us;
}
