/*
 * Messages between the roles: camera ⇄ keeper ⇄ web, over SOCK_SEQPACKET Unix sockets.
 *
 * The keeper listens on three sockets in its socket directory: "camera", "web", "admin". The peer's
 * credentials are checked by the kernel's word (SO_PEERCRED; who may what: keeper.h). A role whose
 * keeper is gone exits; whoever started it starts it again. Every message is one datagram: a type
 * byte, then the fields in the order of the struct, in wire.h's encoding (big-endian; str = length
 * byte + text; blob = u16 length + bytes). Parse functions return 0 or -EBADMSG; a peer that sends
 * a bad message is cut off. Descriptors travel beside the message; whoever receives one owns it.
 *
 * The order of messages on one socket is kept, and relied upon: IPC_TELL_KEY comes before any frame
 * of its epoch may be sent, IPC_RING before an IPC_GIVE that names it.
 */
#ifndef CAMGATE_IPC_H
#define CAMGATE_IPC_H

#include "wire.h"

enum {
	IPC_MESSAGE_MAX_BYTES = 60 << 10,
	IPC_DESCRIPTORS_MAX = 2,
	IPC_TEXT_MAX_BYTES = 255,
	IPC_HOSTS_MAX = 64,
};

enum ipc_type {
	/* camera → keeper */
	IPC_CAMERA_HELLO = 1, /* + device descriptor, unless it is a test pattern */
	IPC_READER, /* + ring memfd, + eventfd of this reader */
	IPC_WRAPPED,
	IPC_ROTATED,
	IPC_ROTATION_DUE, /* no fields: the epoch is near its end */
	IPC_CAMERA_STATUS,
	/* keeper → camera */
	IPC_ADOPTED = 32,
	IPC_TURNED_AWAY, /* a reason, at any time; the keeper then closes. The camera logs it, and
			    exits if it was adopted */
	IPC_DEMAND,
	IPC_ADD_READER,
	IPC_DROP_READER,
	IPC_WRAP,
	IPC_ROTATE, /* at once; the answer is IPC_ROTATED */
	IPC_SWITCH, /* to the prepared epoch, which all watchers have now; the answer is IPC_ROTATED
		     */
	/* web → keeper */
	IPC_WEB_HELLO = 64,
	IPC_OPENED, /* a websocket is there: the keeper answers IPC_TELL with a CHALLENGE */
	IPC_HEARD, /* a keeper-plane message of a display, untouched */
	IPC_CLOSED,
	IPC_COUNTS, /* of one stream: when it ends (before IPC_TAKEN/IPC_CLOSED) and every 5 s */
	IPC_TAKEN,
	IPC_CUT_DONE,
	IPC_REFUSALS, /* what the web role refused by itself since it last said so */
	/* keeper → web */
	IPC_WEB_CONFIG = 96,
	IPC_TELL, /* send these bytes to this display, in order */
	IPC_TELL_KEY, /* the same, a KEY: from now on frames of this epoch may go to this stream */
	IPC_ADMIT, /* logged in: the login deadline is lifted */
	IPC_GIVE, /* this stream of this connection is given that camera */
	IPC_TAKE, /* end the stream: wipe its buffer, ABORT what is under way; answer IPC_TAKEN */
	IPC_CUT, /* end the connection; answer IPC_CUT_DONE */
	IPC_RING, /* + memfd, + eventfd: a camera's frames; nothing of it may be sent before GIVE */
	IPC_RING_GONE,
	/* any role → keeper */
	IPC_SANDBOX = 128, /* what the sandbox got, one line, for status */
	IPC_LEASH, /* no fields; + what ends the sender (leash.h): it may be another user's */
};

/* One received datagram. */
struct ipc_message {
	uint8_t type;
	const uint8_t *fields; /* borrowed from the receive buffer, after the type byte */
	size_t fields_size;
	int descriptors[IPC_DESCRIPTORS_MAX]; /* -1 where there is none */
};

/* socket_dir/name; both are non-blocking and close-on-exec. Paths longer than sun_path are handled.
 * ipc_listen replaces a stale socket file. 0.. or -errno. */
int ipc_listen(const char *socket_dir, const char *name);
/* The same, and members of this group may connect too; (gid_t)-1: only the owner of the file. */
int ipc_listen_group(const char *socket_dir, const char *name, gid_t group);
int ipc_connect(const char *socket_dir, const char *name);
/* Accepts one connection; -EAGAIN when there is none. *ret_pid, *ret_uid by SO_PEERCRED. */
int ipc_accept(int listener, pid_t *ret_pid, uid_t *ret_uid);
/* Was the peer a member of the group when it connected? False also when that cannot be said. */
bool ipc_peer_in_group(int fd, gid_t group);
/* Sends data (type byte included). Descriptors stay the caller's. 0, -EAGAIN when the peer is too
 * slow (the caller decides; a role that is 1 MiB behind is treated as hung), -EPIPE, … */
int ipc_send(int fd, const uint8_t *data, size_t size, const int *descriptors, size_t count);
/* Receives into buffer (IPC_MESSAGE_MAX_BYTES). 0; -EAGAIN; -ECONNRESET at end of file; -EBADMSG
 * for an empty or truncated datagram or too many descriptors (which are closed). */
int ipc_receive(int fd, uint8_t *buffer, size_t size, struct ipc_message *ret);
/* Closes the descriptors that nobody took (took = set to -1). */
void ipc_message_finish(struct ipc_message *m);

/* ---- camera → keeper ---- */

enum ipc_camera_kind { IPC_CAMERA_DEVICE = 1, IPC_CAMERA_PATTERN = 2 };

struct ipc_camera_hello {
	uint8_t kind;
	uint16_t instance; /* of a pattern: tells several apart; 0 for devices */
	uint8_t generation[GENERATION_BYTES];
	uint8_t kem_public[POINT_BYTES];
	uint16_t width, height;
	uint32_t frame_interval_us;
	uint32_t frame_max_bytes; /* largest sealed frame, header included: the ring's slot size */
	char source[IPC_TEXT_MAX_BYTES +
		    1]; /* "/dev/video0", "pattern:1280x720@15": for people only */
	char model[IPC_TEXT_MAX_BYTES + 1]; /* the driver's card text */
	char mode[IPC_TEXT_MAX_BYTES + 1]; /* "MJPG 1280x720 at 30 fps, passed through" */
};
struct ipc_reader {
	uint32_t reader;
};
struct ipc_wrapped {
	uint64_t request;
	uint32_t epoch;
	uint8_t enc[POINT_BYTES];
	uint8_t wrapped_size; /* 0: the camera could not */
	uint8_t wrapped[WIRE_WRAPPED_MAX_BYTES];
};
struct ipc_rotated {
	uint64_t request; /* of IPC_ROTATE or IPC_SWITCH; 0 when the camera did it by itself */
	uint32_t epoch; /* now in force */
};
enum ipc_camera_activity { CAMERA_IDLE = 0, CAMERA_STREAMING, CAMERA_FROZEN, CAMERA_FAILING };
/* Reasons for which a captured buffer is not published. */
enum drop_reason {
	DROP_ERROR_FLAG,
	DROP_EMPTY,
	DROP_SHORT,
	DROP_BAD_PICTURE,
	DROP_TOO_LARGE,
	DROP_STALE, /* overtaken by a newer buffer before it was read */
	DROP_REASONS,
};
struct ipc_camera_status {
	uint8_t activity;
	uint32_t epoch;
	uint64_t sealed; /* frames published since start */
	uint64_t dropped[DROP_REASONS];
	char detail[IPC_TEXT_MAX_BYTES + 1]; /* what is wrong, or why the mode was stepped down */
};

/* ---- keeper → camera ---- */

struct ipc_adopted {
	uint8_t home[HOME_ID_BYTES];
	uint8_t camera[CAMERA_ID_BYTES];
	char name[NAME_MAX_BYTES + 1]; /* for the camera's own log */
};
struct ipc_turned_away {
	char reason[IPC_TEXT_MAX_BYTES + 1];
};
struct ipc_demand {
	uint8_t renditions; /* bit n: rendition n has a viewer; 0: stop capturing after the linger
			     */
};
/* IPC_ADD_READER and IPC_DROP_READER: struct ipc_reader */
struct ipc_wrap {
	uint64_t request;
	uint8_t display[DISPLAY_ID_BYTES];
	uint8_t kem_public[POINT_BYTES];
	uint8_t session[SESSION_ID_BYTES];
	uint8_t purpose; /* KEY_NEXT wraps (and first makes) the next epoch, all others the current
			  */
	uint8_t nonce[REQUEST_NONCE_BYTES]; /* of KEY_WATCH and KEY_TIME; zeroes otherwise */
};
/* IPC_ROTATE and IPC_SWITCH */
struct ipc_request {
	uint64_t request;
};

/* ---- web → keeper ---- */

struct ipc_web_hello {
	uint16_t port; /* bound */
	char listening[IPC_TEXT_MAX_BYTES + 1]; /* "[::]:8443" */
};
struct ipc_opened {
	uint64_t connection; /* never used twice in the life of a web process */
	char peer[IPC_TEXT_MAX_BYTES + 1]; /* "192.0.2.7:51234" */
	char origin[ORIGIN_MAX_BYTES + 1];
};
/* IPC_HEARD, IPC_TELL: connection, blob */
struct ipc_relay {
	uint64_t connection;
	const uint8_t *bytes; /* borrowed when parsed */
	size_t size;
};
/* IPC_CLOSED, IPC_ADMIT, IPC_CUT_DONE */
struct ipc_connection {
	uint64_t connection;
};
struct ipc_counts {
	uint64_t connection;
	uint16_t stream;
	bool final;
	uint32_t sent, aborted, skipped; /* skipped: newer ones came before there was credit */
	uint32_t drawn, late, hidden, refused;
	uint32_t worst_age_ms;
	uint64_t bytes;
};
/* Why the web role refuses, for status: the network hears one answer. */
enum web_refusal {
	WEB_REFUSED_LIMIT, /* too many connections */
	WEB_REFUSED_HOST, /* not a name of this hub */
	WEB_REFUSED_ORIGIN, /* another site's page */
	WEB_REFUSED_MESSAGE, /* malformed, oversized, too many, or before login */
	WEB_REFUSED_TIME, /* no login in time */
	WEB_HELD_BACK, /* a frame that was not the stream's: a fault of the hub, and an alarm */
	WEB_REFUSALS,
};
struct ipc_refusals {
	uint32_t counts[WEB_REFUSALS];
};
/* IPC_TAKE, IPC_TAKEN */
struct ipc_stream {
	uint64_t connection;
	uint16_t stream;
};

/* ---- keeper → web ---- */

struct ipc_web_config {
	uint32_t reader; /* this web process's number, for status */
	const uint8_t
		*certificate_pem; /* chain, leaf first; borrowed when parsed, as are the next */
	size_t certificate_pem_size;
	const uint8_t *key_pem;
	size_t key_pem_size;
	const uint8_t *ca_der; /* what /ca.crt serves; empty: the certificate is the owner's */
	size_t ca_der_size;
	uint8_t hosts_count;
	char hosts[IPC_HOSTS_MAX][IPC_TEXT_MAX_BYTES + 1]; /* accepted names, lower case, no port */
};
/* Receives: connection, stream, epoch, then the KEY message as blob */
struct ipc_tell_key {
	uint64_t connection;
	uint16_t stream;
	uint32_t epoch;
	bool breaks; /* earlier epochs may not be sent on this stream any more */
	const uint8_t *bytes; /* borrowed when parsed */
	size_t size;
};
struct ipc_give {
	uint64_t connection;
	uint16_t stream;
	uint32_t ring;
	uint8_t camera[CAMERA_ID_BYTES];
	uint8_t generation[GENERATION_BYTES];
	uint8_t rendition;
};
enum ipc_cut_mode {
	CUT_RESET = 1, /* TCP reset, nothing queued is delivered: revoke */
	CUT_REFUSE, /* websocket close 4000 */
	CUT_BUSY, /* websocket close 4001 */
};
struct ipc_cut {
	uint64_t connection;
	uint8_t mode;
};
struct ipc_ring {
	uint32_t ring; /* never used twice in the life of a keeper */
	uint8_t camera[CAMERA_ID_BYTES];
	uint8_t generation[GENERATION_BYTES];
	uint32_t frame_max_bytes;
};
struct ipc_ring_gone {
	uint32_t ring;
};

/* ---- any role → keeper ---- */
struct ipc_sandbox {
	char report[IPC_TEXT_MAX_BYTES + 1];
};

/*
 * ipc_encode_x writes the type byte and the fields to out and returns the size, or -ENOSPC;
 * where a struct serves several types, the type is an argument. ipc_parse_x reads the fields.
 */
#define IPC_CODEC(name)                                                                            \
	ssize_t ipc_encode_##name(const struct ipc_##name *m, uint8_t *out, size_t size);          \
	int ipc_parse_##name(const struct ipc_message *m, struct ipc_##name *ret)
#define IPC_CODEC_SHARED(name)                                                                     \
	ssize_t ipc_encode_##name(                                                                 \
		uint8_t type, const struct ipc_##name *m, uint8_t *out, size_t size);              \
	int ipc_parse_##name(const struct ipc_message *m, struct ipc_##name *ret)

IPC_CODEC(camera_hello);
IPC_CODEC_SHARED(reader); /* IPC_READER, IPC_ADD_READER, IPC_DROP_READER */
IPC_CODEC(wrapped);
IPC_CODEC(rotated);
IPC_CODEC(camera_status);
IPC_CODEC(adopted);
IPC_CODEC(turned_away);
IPC_CODEC(demand);
IPC_CODEC(wrap);
IPC_CODEC_SHARED(request); /* IPC_ROTATE, IPC_SWITCH */
IPC_CODEC(web_hello);
IPC_CODEC(opened);
IPC_CODEC_SHARED(relay); /* IPC_HEARD, IPC_TELL */
IPC_CODEC_SHARED(connection); /* IPC_CLOSED, IPC_ADMIT, IPC_CUT_DONE */
IPC_CODEC(counts);
IPC_CODEC(refusals);
IPC_CODEC_SHARED(stream); /* IPC_TAKE, IPC_TAKEN */
IPC_CODEC(web_config);
IPC_CODEC(tell_key);
IPC_CODEC(give);
IPC_CODEC(cut);
IPC_CODEC(ring);
IPC_CODEC(ring_gone);
IPC_CODEC(sandbox);

#endif
