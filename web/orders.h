/*
 * What the keeper says, and what the web role does about it. The keeper decides; nothing here looks
 * at what a message to a display says.
 */
#ifndef CAMGATE_ORDERS_H
#define CAMGATE_ORDERS_H

#include "gateway/ipc.h"

struct web;

/* 0, or -errno for a message that the keeper cannot have meant: the role ends then. What is about
 * a connection that is gone is no error: its end and the message crossed. */
int orders_carry_out(struct web *web, struct ipc_message *m);

#endif
