#include "command.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { ANSWER_MS = 3000, ANSWER_BYTES = 64 << 10 };

void command_begin(struct command *c, const struct hub *h, const char *const *words)
{
	const char *all[HUB_ARGUMENTS_MAX] = {0};
	size_t n = 0;
	for (; words[n] != NULL; n++) {
		assert_true(n + 4 < HUB_ARGUMENTS_MAX);
		all[n] = words[n];
	}
	all[n++] = "--state";
	all[n++] = h->state;
	all[n] = "--json";
	(void)snprintf(c->output, sizeof(c->output), "%s/said", h->dir);
	(void)unlink(c->output);
	c->pid = hub_spawn_command(h, all, c->output, 0);
	c->deadline_us = client_now_us() + ANSWER_MS * 1000;
}

/* The answer stands behind what was said on standard error, from the beginning of a line. */
static json_t *read_answer(const char *path)
{
	static char text[ANSWER_BYTES];
	FILE *f = fopen(path, "re");
	size_t n = f == NULL ? 0 : fread(text, 1, sizeof(text) - 1, f);
	const char *at = text;
	text[n] = '\0';
	if (f != NULL) {
		(void)fclose(f);
	}
	while (at != NULL && *at != '{') {
		at = strchr(at, '\n');
		at = at == NULL ? NULL : at + 1;
	}
	return at == NULL ? NULL : json_loads(at, JSON_DISABLE_EOF_CHECK, NULL);
}

enum command_result command_wait(struct command *c, struct hub *h, json_t **ret_answer)
{
	int status = 0;
	while (waitpid(c->pid, &status, WNOHANG) != c->pid) {
		if (!hub_wait_step(h->loop, c->deadline_us)) {
			(void)kill(c->pid, SIGKILL);
		}
	}
	json_t *answer = read_answer(c->output);
	const char *error = json_string_value(json_object_get(answer, "error"));
	enum command_result result = COMMAND_UNKNOWN;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && answer != NULL) {
		result = COMMAND_DONE;
	} else if (error != NULL && strstr(error, "the answer cannot be given") == NULL) {
		result = COMMAND_REFUSED;
	}
	if (ret_answer != NULL) {
		*ret_answer = answer;
	} else {
		json_decref(answer);
	}
	return result;
}

enum command_result command_run(struct hub *h, json_t **ret_answer, const char *const *words)
{
	struct command c;
	command_begin(&c, h, words);
	return command_wait(&c, h, ret_answer);
}
