/*
 * The keeper role: identity, displays, grants, audit, admin. It sees no network and no picture.
 *
 * One thread, one epoll loop over the Unix sockets of the other roles; what a message means is
 * decided in registry.c and admin_server.c. A peer that sends a bad message, or is too slow to take
 * one, is cut off: its process loses its keeper and ends (gateway/ipc.h). This header is for the
 * keeper's own files.
 */
#ifndef CAMGATE_KEEPER_H
#define CAMGATE_KEEPER_H

#include "admin_server.h"
#include "notify.h"
#include "options.h"
#include "tls_files.h"

enum {
	KEEPER_PEERS_MAX = 96,
	KEEPER_ADMINS_MAX = 16,
	KEEPER_BURST = 64, /* messages of one peer before the others have their turn */
	KEEPER_REPORT_BYTES = 256,
	KEEPER_CERTIFICATE_PLACES = 4,
	KEEPER_LISTEN_AGAIN_US = 500000,
};
/* What epoll reports that is no peer begins here, far above any number a peer will have: a listener
 * with its plane added. */
#define KEEPER_LISTENER (UINT64_MAX - 16)

enum keeper_plane { PLANE_CAMERA = 0, PLANE_WEB, PLANE_ADMIN, PLANE_COUNT };

struct keeper_peer {
	struct keeper_peer *next;
	uint64_t number; /* never used twice */
	enum keeper_plane plane;
	int fd;
	pid_t pid;
	int leash; /* what ends its process (leash.h); -1: kill(2) has to do */
	bool may_change; /* at the admin socket: more than looking */
	bool doomed, kill; /* ended when the message under way is done with */
};

/* Who may come in at which socket. */
struct keeper_door {
	uid_t own;
	bool service; /* we are the system's keeper, and the roles have users of their own */
	uid_t user[PLANE_COUNT]; /* only of a service, and not at the admin socket */
	gid_t group[PLANE_COUNT]; /* (gid_t)-1: the socket is for its owner and root alone */
};

enum keeper_right { KEEPER_REFUSED = 0, KEEPER_MAY_READ, KEEPER_MAY_ALL };

/* The owner's, as configured. */
struct keeper_certificate {
	bool configured;
	struct tls_files files;
	char paths[2][PATH_MAX]; /* certificate, key */
	char places[KEEPER_CERTIFICATE_PLACES][PATH_MAX]; /* directories to read in */
};

struct keeper {
	const struct options *options;
	struct store store;
	struct authority authority;
	struct keeper_certificate certificate;
	struct pairing pairing;
	struct registry *registry;
	struct admin_server admin;
	struct address_list names, addresses; /* accepted; this machine's */
	struct address_list configured; /* by the owner */
	int kernel, changes; /* route sockets (address.h); -1: none could be had */
	uint64_t names_due_us; /* when to look for other addresses; 0: none came or went */
	char hostname[ADDRESS_TEXT_BYTES];
	uint64_t hostname_due_us; /* when to ask whether that is another one */
	struct keeper_door door;
	struct notify notify;
	char sandbox[KEEPER_REPORT_BYTES];
	int epoll, signals;
	int listeners[PLANE_COUNT];
	uint64_t listen_due_us; /* when to listen again: no descriptor was left; 0: listening */
	struct keeper_peer *peers;
	uint64_t last_peer;
	uint64_t renew_us;
	uint64_t prune_us; /* when the record is looked at next, */
	int64_t clock_offset_s; /* and what the wall clock was ahead of ours the last time */
	bool stopping;
	uint8_t buffer[IPC_MESSAGE_MAX_BYTES];
};

/* keeper_door.c: the sockets, and who may connect.
 *
 * Root and the keeper's own user may everything everywhere. The user camgate-keeper is the service:
 * then the users camgate-camera and camgate-web may come in at their own socket, and members of
 * the group camgate may look at the admin socket, but change nothing. */
extern const char *const keeper_plane_names[PLANE_COUNT];
/* Reads the system's users. 0, or -ENOENT after a line in the log that says who is missing. */
int keeper_door_init(struct keeper_door *d);
/* in_group: the peer is a member of the socket's group. */
enum keeper_right keeper_door_right(
	const struct keeper_door *d, enum keeper_plane plane, uid_t uid, bool in_group);
/* Makes the socket directory and listens. 0, or -errno after a line in the log. */
int keeper_door_open(const struct keeper_door *d, const char *dir, int listeners[PLANE_COUNT]);

/* keeper_peer.c: connections of the other roles. */
void keeper_accept(struct keeper *k, enum keeper_plane plane);
/* Listens again where there was no descriptor for who came. */
void keeper_listen_again(struct keeper *k, uint64_t now_us);
struct keeper_peer *keeper_peer_find(struct keeper *k, uint64_t number);
/* Receives what is there, up to KEEPER_BURST messages. */
void keeper_peer_read(struct keeper *k, struct keeper_peer *p);
void keeper_send(struct keeper *k, uint64_t peer, const void *bytes, size_t size,
	const int *descriptors, size_t count);
/* Answers a command; longer texts than a message between roles are fine. */
void keeper_reply(struct keeper *k, uint64_t peer, const char *text, size_t size);
void keeper_drop(struct keeper *k, uint64_t peer, bool kill);
/* Ends the doomed: kills, closes, tells the registry; then those that this doomed. */
void keeper_reap(struct keeper *k);
void keeper_peers_finish(struct keeper *k);

/* keeper_dispatch.c: one message. 0 or -EBADMSG. */
int keeper_dispatch(struct keeper *k, struct keeper_peer *p, struct ipc_message *m);

/* keeper_names.c: under which names and addresses the hub is reached. */

/* Learns them; before the sandbox. 0, or -errno after a line in the log. */
int keeper_names_init(struct keeper *k);
void keeper_names_finish(struct keeper *k);
/* The kernel said that an address came or went. */
void keeper_names_hear(struct keeper *k, uint64_t now_us);
/* Looks, a moment after that, and every ten seconds whether the host has another name; has the
 * certificate name what is new. */
void keeper_names_follow(struct keeper *k, uint64_t now_us);

/* keeper_record.c: how long the record is kept. */
void keeper_record_init(struct keeper *k);
/* Removes what is too old, looking once an hour. What the wall clock says is believed when it ran
 * undisturbed since the last look: a clock that was wrong for a moment must not empty the record.
 */
void keeper_record_tick(struct keeper *k, uint64_t now_us);

/* keeper_certificate.c: what browsers see. */

/* Reads what is configured, if anything is; before the sandbox. 0, or -errno after a line in the
 * log. */
int keeper_certificate_init(struct keeper *k);
void keeper_certificate_finish(struct keeper *k);
/* The directories that a reload reads in; returns how many. Borrowed. */
size_t keeper_certificate_places(
	const struct keeper *k, const char *ret[static KEEPER_CERTIFICATE_PLACES]);
/* Reads the files again and hands them to the web role, whose connections stay; keeps the old ones,
 * and says why, where the new ones cannot be used. */
void keeper_certificate_reload(struct keeper *k);
/* Renews the hub's own, looking once an hour. */
void keeper_certificate_renew(struct keeper *k, uint64_t now_us);
void keeper_fill_config(const struct keeper *k, struct ipc_web_config *ret);

#endif
