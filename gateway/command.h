/*
 * The tables behind the command line: which commands there are, which options each takes, and the
 * help that is made from them. Pure but for command_help, which prints.
 */
#ifndef CAMGATE_COMMAND_H
#define CAMGATE_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct command {
	const char *name;
	const char *arguments; /* "DISPLAY [CAMERA]" */
	const char *summary;
	unsigned int arguments_min, arguments_max;
	unsigned int bit; /* in command_option.commands */
	bool role; /* one role, as run and service units start it */
};

struct command_option {
	char id; /* for options.c */
	const char *name;
	const char *argument; /* NULL for a switch */
	const char *help;
	unsigned int commands;
};

/* NULL if there is none of this name. */
const struct command *command_find(const char *name);
/* The name that is most like the given one, or NULL when none is near. */
const char *command_nearest(const char *name);
/* name: the first size characters, dashes included. NULL if the command does not take it. */
const struct command_option *command_option_find(
	const struct command *command, const char *name, size_t size);
/* command NULL: the overview. */
void command_help(const struct command *command, FILE *out);

#endif
