/* A QR code for a terminal, two modules per character, with its own colours so that it can be read
 * on dark and on light ones. */
#ifndef CAMGATE_QR_H
#define CAMGATE_QR_H

#include <stdio.h>

/* 0, or -EMSGSIZE for a text too long to be read from a screen. */
int qr_print(const char *text, FILE *out);

#endif
