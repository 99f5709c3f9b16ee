/*
 * What people read when a link was made: the link itself, other addresses, the QR code, and what to
 * press when the browser warns of the certificate. Used by run and by `camgate pair`.
 */
#ifndef CAMGATE_RUN_LINK_H
#define CAMGATE_RUN_LINK_H

#include "options.h"

#include <jansson.h>

/* reply: the keeper's answer to "pair" (gets "links" with --json). Prints to standard output. 0 or
 * -EBADMSG. */
int link_print(json_t *reply, const struct options *o);

#endif
