/* The keeper's answers, for people. Reply objects are the caller's. Prints to standard output. */
#ifndef CAMGATE_ADMIN_PRINT_H
#define CAMGATE_ADMIN_PRINT_H

#include <jansson.h>

void print_cameras(const json_t *reply);
void print_displays(const json_t *reply);
void print_status(const json_t *reply);

#endif
