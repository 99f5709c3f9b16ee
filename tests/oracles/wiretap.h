/*
 * O-WIRE: what a connection carried, after TLS and before any seal was opened: no picture in the
 * clear, neither the beginning of a JPEG nor a piece of a picture that was opened later.
 *
 * Listens at the display's end of the TLS connection, where the bytes are the same as in a capture
 * that was decrypted. It keeps the newest TAP_BYTES, because what a frame holds is known only when
 * a display opened it.
 */
#ifndef CAMGATE_TESTS_WIRETAP_H
#define CAMGATE_TESTS_WIRETAP_H

#include "canary.h"

enum { TAP_BYTES = 96 << 10 };

struct wiretap {
	uint64_t bytes; /* heard */
	unsigned int jpegs; /* beginnings of JPEGs */
	unsigned int pictures; /* pieces of opened pictures, */
	unsigned int foreign; /* and of other cameras' */
	size_t kept;
	uint8_t newest[TAP_BYTES];
};

/* One whole message, as it came out of TLS. */
void wiretap_hear(struct wiretap *t, const uint8_t *message, size_t size);
/* Looks for all canaries in what was kept, and forgets it: foreign are those not of this camera. */
void wiretap_look(struct wiretap *t, uint32_t own_tag);

#endif
