/* Who may see something: a link while there is no owner, the displays when there is one. */
#include "run.h"
#include "admin_client.h"
#include "log.h"
#include "run_link.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
	ASK_TIMEOUT_MS = 2000,
	ASK_EVERY_US = 2 * 1000 * 1000,
	/* A link is replaced before it ends in somebody's hand. */
	LINK_MARGIN_S = 5,
};

void run_announce(struct run *run, uint64_t now_us)
{
	run->announced = true;
	run->ask_us = now_us;
	if (run->options->json) {
		(void)printf("{\"listening\":\"%s\"}\n", run->listening);
	} else {
		(void)printf("listening on %s\n", run->listening);
	}
	(void)fflush(stdout);
}

/* NULL when the keeper does not answer or says no; that is logged. */
static json_t *ask(struct run *run, json_t *request)
{
	json_t *reply = NULL;
	int r = request != NULL
			? admin_request(run->options->socket_dir, request, ASK_TIMEOUT_MS, &reply)
			: -ENOMEM;

	json_decref(request);
	if (r < 0) {
		log_warning("the keeper does not answer: %s", strerror(-r));
		return NULL;
	}
	if (!json_is_true(json_object_get(reply, "ok"))) {
		const char *error = json_string_value(json_object_get(reply, "error"));

		log_warning("%s", error != NULL ? error : "the keeper refuses");
		json_decref(reply);
		return NULL;
	}
	return reply;
}

static void print_displays(struct run *run)
{
	json_t *reply = ask(run, json_pack("{s:s}", "command", "displays"));
	json_t *displays = json_object_get(reply, "displays");
	json_t *display;
	size_t i;

	if (json_array_size(displays) > 0 && !run->options->json) {
		(void)printf("\nPaired displays: ");
		json_array_foreach(displays, i, display)
		{
			const char *name = json_string_value(json_object_get(display, "name"));

			(void)printf("%s%s%s", i > 0 ? ", " : "", name != NULL ? name : "?",
				json_is_true(json_object_get(display, "owner")) ? " (owner)" : "");
		}
		(void)printf(".\n`camgate pair` makes a link for another one.\n");
		(void)fflush(stdout);
	}
	json_decref(reply);
}

static void print_link(struct run *run, uint64_t now_us)
{
	json_t *reply = ask(run, json_pack("{s:s, s:b, s:s, s:n, s:n}", "command", "pair", "owner",
					 1, "cameras", "all", "name", "minutes"));
	json_int_t seconds = json_integer_value(json_object_get(reply, "expires_s"));

	if (reply == NULL) {
		return;
	}
	if (run->link_printed && !run->options->json) {
		(void)printf("\nThe link above has ended. Another one:\n");
	}
	if (link_print(reply, run->options) < 0) {
		log_error("the keeper's link cannot be read");
	} else {
		seconds = seconds > LINK_MARGIN_S ? seconds - LINK_MARGIN_S : 1;
		run->link_until_us = now_us + (uint64_t)seconds * 1000 * 1000;
		run->link_printed = true;
	}
	json_decref(reply);
}

void run_owner_look(struct run *run, uint64_t now_us)
{
	json_t *status = ask(run, json_pack("{s:s}", "command", "status"));

	run->ask_us = now_us + ASK_EVERY_US;
	if (status == NULL) {
		return;
	}
	if (json_is_true(json_object_get(status, "owner"))) {
		run->ask_us = 0;
		print_displays(run);
	} else if (now_us >= run->link_until_us) {
		print_link(run, now_us);
	}
	json_decref(status);
}
