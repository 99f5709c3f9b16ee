/*
 * Which calls of a role fail, how often, and how many did: shared memory between a test and the
 * library that it preloads into the roles (preload.c).
 *
 * The test makes the file and names it in CAMGATE_INJECTION; every role maps it before main, so
 * that its sandbox stands in no way and a role that died leaves its counts. Rates may change at any
 * time. All fields are atomic; nothing is locked.
 */
#ifndef CAMGATE_TESTS_INJECTION_H
#define CAMGATE_TESTS_INJECTION_H

#include <stdatomic.h>
#include <stdint.h>

enum injection_role { INJECT_CAMERA, INJECT_KEEPER, INJECT_WEB, INJECT_ROLES };

enum injection_kind {
	INJECT_ALLOCATION, /* malloc and its kin: NULL */
	INJECT_SECURE, /* OpenSSL's secure heap: NULL */
	INJECT_MAPPING, /* mmap, mlock: ENOMEM */
	INJECT_DESCRIPTOR, /* whatever makes one: EMFILE; those in a message: lost */
	INJECT_SHORT, /* streams and files: fewer bytes than asked for */
	INJECT_INTERRUPT, /* EINTR */
	INJECT_AGAIN, /* non-blocking sockets: EAGAIN */
	INJECT_DISK, /* files: ENOSPC when written, EIO when synced or cut */
	INJECT_CRYPTO, /* OpenSSL's sealing, signing and digests: 0 */
	INJECT_KINDS,
};

/* The first `fail` of each `of` calls fail; of 0: none does. */
struct injection_rate {
	_Atomic uint32_t fail, of;
};

struct injection {
	struct injection_rate rates[INJECT_ROLES][INJECT_KINDS];
	_Atomic uint64_t seen[INJECT_ROLES][INJECT_KINDS]; /* calls while the rate was not 0 */
	_Atomic uint64_t injected[INJECT_ROLES][INJECT_KINDS];
	/* Processes that died inside libcrypto or, before their sandbox stood, inside libseccomp,
	 * which assert or take for granted that they have memory to begin with. */
	_Atomic uint64_t library_deaths;
};

#define INJECTION_VARIABLE "CAMGATE_INJECTION"

#endif
