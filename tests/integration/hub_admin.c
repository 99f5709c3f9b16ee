/* What a test asks a running hub through the admin commands. */
#include "hub.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static int run_command(struct hub *h, const char *const *words, json_t **ret)
{
	const char *all[HUB_ARGUMENTS_MAX] = {0};
	char output[PATH_MAX];
	size_t n = 0;
	for (; words[n] != NULL; n++) {
		assert_true(n + 4 < HUB_ARGUMENTS_MAX);
		all[n] = words[n];
	}
	all[n++] = "--state";
	all[n++] = h->state;
	all[n] = "--json";
	(void)snprintf(output, sizeof(output), "%s/answer", h->dir);
	(void)unlink(output);
	pid_t pid = hub_spawn_command(h, all, output, O_TRUNC);
	int status = 0;
	WAIT_FOR(h->loop, waitpid(pid, &status, WNOHANG) == pid, HUB_PATIENCE_MS);
	if (ret != NULL) {
		*ret = json_load_file(output, 0, NULL);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void take_words(const char **words, va_list list)
{
	size_t n = 0;
	while (n < HUB_ARGUMENTS_MAX - 1 && (words[n] = va_arg(list, const char *)) != NULL) {
		n++;
	}
	words[n] = NULL;
}

int hub_command(struct hub *h, json_t **ret, ...)
{
	const char *words[HUB_ARGUMENTS_MAX];
	va_list list;
	va_start(list, ret);
	take_words(words, list);
	va_end(list);
	return run_command(h, words, ret);
}

json_t *hub_ask(struct hub *h, ...)
{
	const char *words[HUB_ARGUMENTS_MAX];
	json_t *answer = NULL;
	va_list list;
	va_start(list, h);
	take_words(words, list);
	va_end(list);
	int code = run_command(h, words, &answer);
	if (code != 0 || answer == NULL) {
		fail_msg("camgate %s ended with %d\n%s", words[0], code, hub_log(h));
	}
	return answer;
}

void hub_make_link(struct hub *h, const char *cameras, const char *name, struct wire_link *ret)
{
	json_t *answer =
		name != NULL
			? hub_ask(h, "pair", "--cameras", cameras != NULL ? cameras : "none",
				  "--name", name, NULL)
			: hub_ask(h, "pair", "--cameras", cameras != NULL ? cameras : "none", NULL);
	const char *text = json_string_value(json_object_get(answer, "link"));
	const char *mark = text == NULL ? NULL : strstr(text, "#pair=");
	assert_non_null(text);
	assert_int_equal(wire_parse_link(mark != NULL ? mark + 6 : text, ret), 0);
	json_decref(answer);
}

json_int_t hub_status_sum(struct hub *h, const char *object)
{
	json_t *answer = hub_ask(h, "status", NULL);
	json_int_t sum = 0;
	const char *key;
	json_t *value;
	json_object_foreach(json_object_get(answer, object), key, value)
	{
		sum += json_integer_value(value);
	}
	json_decref(answer);
	return sum;
}

json_t *hub_camera(struct hub *h, const char *text)
{
	json_t *answer = hub_ask(h, "cameras", NULL);
	json_t *found = NULL;
	size_t i;
	json_t *camera;
	json_array_foreach(json_object_get(answer, "cameras"), i, camera)
	{
		const char *fields[] = {"name", "mode", "source"};
		for (size_t f = 0; f < 3 && found == NULL; f++) {
			const char *value = json_string_value(json_object_get(camera, fields[f]));
			found = value != NULL && strstr(value, text) != NULL ? json_incref(camera)
									     : NULL;
		}
	}
	json_decref(answer);
	return found;
}

static bool camera_is_there(struct hub *h, const char *text)
{
	json_t *camera = hub_camera(h, text);
	json_decref(camera);
	return camera != NULL;
}

void hub_name_camera(struct hub *h, const char *text, const char *name)
{
	WAIT_FOR(h->loop, camera_is_there(h, text), HUB_PATIENCE_MS);
	json_t *camera = hub_camera(h, text);
	const char *id = json_string_value(json_object_get(camera, "id"));
	assert_non_null(id);
	json_decref(hub_ask(h, "name", id, name, NULL));
	json_decref(camera);
}

void hub_expect(struct hub *h, const char *name, uint32_t tag)
{
	assert_true(h->truths_count < HUB_TRUTHS_MAX);
	struct hub_truth *t = &h->truths[h->truths_count++];
	(void)snprintf(t->name, sizeof(t->name), "%s", name);
	t->tag = tag;
}

const struct hub_truth *hub_truth(const struct hub *h, const char *name)
{
	for (unsigned int i = 0; i < h->truths_count; i++) {
		if (strcmp(h->truths[i].name, name) == 0) {
			return &h->truths[i];
		}
	}
	return NULL;
}

bool hub_camera_is(struct hub *h, const char *name, const char *field, const char *value)
{
	json_t *camera = hub_camera(h, name);
	const char *is = json_string_value(json_object_get(camera, field));
	bool same = is != NULL && strcmp(is, value) == 0;
	json_decref(camera);
	return same;
}
