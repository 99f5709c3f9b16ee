/*
 * Replays every incident twice or three times, prints the table and writes it as JSON. Ends with 1
 * on any miss: an accident that no oracle saw, a picture that came through, an alarm that stayed
 * out or that nobody should have raised.
 *
 *     [INCIDENTS_JSON=FILE] [CMOCKA_MESSAGE_OUTPUT=TAP] incidents [NAME]...
 */
#include "stage.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { AT_ONCE = 4, RESULT_FD = 3, REPLAYS_MAX = 32, LOG_BYTES = 4096 };

static const char *const run_names[RUNS] = {"lifted", "half", "shipped"};

/* One run of one replay. */
struct turn {
	const struct replay *replay;
	enum replay_run run;
	pid_t pid; /* 0: not running */
	int result, log; /* pipe; unlinked file */
	bool done, ok;
	struct findings findings;
	char why[160];
};

static struct turn turns[REPLAYS_MAX * RUNS];
static size_t turns_count;

/* ---- one run, in a process of its own ---- */

static int play(const char *name, const char *run_name)
{
	const struct replay *replay = replay_find(name);
	struct findings f = {0};
	for (enum replay_run run = RUN_SEEN; replay != NULL && run < RUNS; run++) {
		if (strcmp(run_names[run], run_name) != 0 || secure_heap_init() < 0) {
			continue;
		}
		stage_play(replay, run, &f);
		return write(RESULT_FD, &f, sizeof(f)) == sizeof(f) ? 0 : 1;
	}
	return 2;
}

static void start(struct turn *t)
{
	int result[2];
	char name[] = "/tmp/camgate-incident-XXXXXX";
	t->log = mkostemp(name, O_CLOEXEC);
	if (t->log < 0 || unlink(name) < 0 || pipe2(result, O_CLOEXEC) < 0) {
		perror("incidents");
		exit(EXIT_FAILURE);
	}
	t->result = result[0];
	t->pid = fork();
	if (t->pid == 0) {
		/* The hub of this build, and no other. */
		if (unsetenv("CAMGATE") < 0 || setenv("CAMGATE_FAULTS", t->replay->faults, 1) < 0 ||
			setenv("CAMGATE_LIFTED", t->replay->lifted[t->run], 1) < 0 ||
			dup2(t->log, 1) < 0 || dup2(t->log, 2) < 0 ||
			dup2(result[1], RESULT_FD) < 0) {
			_exit(126);
		}
		(void)execl("/proc/self/exe", "incidents", "--play", t->replay->name,
			run_names[t->run], (char *)NULL);
		_exit(127);
	}
	(void)close(result[1]);
}

/* ---- what it means ---- */

static bool judge(struct turn *t)
{
	const struct findings *f = &t->findings;
	enum replay_alarm wanted = t->replay->alarm[t->run];
	if (f->blind) {
		return true;
	}
	if (!f->happened) {
		(void)snprintf(t->why, sizeof(t->why), "%s",
			t->run == RUN_SEEN ? "the oracle saw nothing"
					   : "the fault did not happen, or its alarm stayed out");
		return false;
	}
	for (enum replay_oracle o = 0; t->run != RUN_SEEN && o < ORACLES; o++) {
		if (f->seen[o] > 0) {
			(void)snprintf(
				t->why, sizeof(t->why), "%s found %u", oracle_name(o), f->seen[o]);
			return false;
		}
	}
	if (t->run != RUN_SEEN && wanted == ALARM_NONE &&
		f->alarms[ALARM_HUB] + f->alarms[ALARM_DISPLAY] > 0) {
		(void)snprintf(t->why, sizeof(t->why), "an alarm without a mix-up");
		return false;
	}
	return true;
}

static void finish(struct turn *t, int status)
{
	char text[LOG_BYTES];
	t->done = true;
	t->pid = 0;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 ||
		read(t->result, &t->findings, sizeof(t->findings)) != sizeof(t->findings)) {
		(void)snprintf(
			t->why, sizeof(t->why), "it ended with status %#x", (unsigned int)status);
	} else {
		t->ok = judge(t);
	}
	if (!t->ok) {
		ssize_t n = pread(t->log, text, sizeof(text), 0);
		(void)fprintf(stderr, "%s, %s: %s\n%.*s\n", t->replay->name, run_names[t->run],
			t->why, n > 0 ? (int)n : 0, text);
	}
	(void)close(t->result);
	(void)close(t->log);
}

static void play_all(void)
{
	size_t next = 0, running = 0;
	while (next < turns_count || running > 0) {
		if (next < turns_count && running < AT_ONCE) {
			start(&turns[next++]);
			running++;
			continue;
		}
		int status;
		pid_t pid = waitpid(-1, &status, 0);
		for (size_t i = 0; i < next; i++) {
			if (turns[i].pid == pid && !turns[i].done) {
				finish(&turns[i], status);
				running--;
			}
		}
	}
}

/* ---- what is told ---- */

static const struct turn *turn_of(const struct replay *r, enum replay_run run)
{
	for (size_t i = 0; i < turns_count; i++) {
		if (turns[i].replay == r && turns[i].run == run) {
			return &turns[i];
		}
	}
	return NULL;
}

static bool replay_ok(const struct replay *r)
{
	bool ok = true;
	for (enum replay_run run = RUN_SEEN; run < RUNS; run++) {
		const struct turn *t = turn_of(r, run);
		ok = ok && (t == NULL || t->ok);
	}
	return ok;
}

/* What the oracles counted: pictures, or pieces of them. */
static unsigned int through(const struct turn *t)
{
	unsigned int n = 0;
	for (enum replay_oracle o = 0; o < ORACLES; o++) {
		n += t->findings.seen[o];
	}
	return n;
}

static void print_row(const struct replay *r)
{
	const struct turn *seen = turn_of(r, RUN_SEEN), *half = turn_of(r, RUN_HALF),
			  *shipped = turn_of(r, RUN_SHIPPED);
	char halfway[16] = "";
	if (half != NULL) {
		(void)snprintf(halfway, sizeof(halfway), "%u", through(half));
	}
	(void)printf("| %s | `%s` | %s | %s | %u | %s | %s |%s\n", r->incident, r->place,
		seen->findings.seen[r->oracle] > 0 ? oracle_name(r->oracle) : "nobody", halfway,
		through(shipped), alarm_name(r->alarm[RUN_SHIPPED]), r->stopped_by,
		replay_ok(r) ? "" : " MISS");
}

static void print_table(void)
{
	(void)printf("| incident | put back in | protections off: seen by | hub's checks off: got "
		     "through | as shipped: got through | alarm | stopped by |\n"
		     "|---|---|---|--:|--:|---|---|\n");
	for (size_t i = 0; i < replays_count; i++) {
		if (turn_of(&replays[i], RUN_SHIPPED) != NULL) {
			print_row(&replays[i]);
		}
	}
}

static void print_tap(void)
{
	static const char *const sentences[RUNS] = {"is_seen_by_its_oracle",
		"is_stopped_by_the_display_alone", "is_stopped_as_shipped"};
	for (size_t i = 0; i < turns_count; i++) {
		const struct turn *t = &turns[i];
		(void)printf("%s %zu - %s_%s%s%s\n", t->ok ? "ok" : "not ok", i + 1,
			t->replay->name, sentences[t->run], t->findings.blind ? " # SKIP " : "",
			t->findings.blind ? "the web role's memory is for root to read" : "");
	}
	(void)printf("1..%zu\n", turns_count);
}

static json_t *json_of_turn(const struct turn *t)
{
	json_t *seen = json_object();
	for (enum replay_oracle o = 0; o < ORACLES; o++) {
		json_object_set_new(
			seen, oracle_name(o), json_integer((json_int_t)t->findings.seen[o]));
	}
	return json_pack("{s:b, s:s, s:o, s:i, s:s, s:i, s:i, s:s}", "ok", (int)t->ok, "lifted",
		t->replay->lifted[t->run], "seen", seen, "drawn", (int)t->findings.drawn,
		"alarm_wanted", alarm_name(t->replay->alarm[t->run]), "alarms_hub",
		(int)t->findings.alarms[ALARM_HUB], "alarms_display",
		(int)t->findings.alarms[ALARM_DISPLAY], "why", t->why);
}

static int write_json(const char *path)
{
	json_t *all = json_array();
	unsigned int missed = 0;
	for (size_t i = 0; i < replays_count; i++) {
		const struct replay *r = &replays[i];
		json_t *one = json_pack("{s:s, s:s, s:s, s:s, s:s, s:b}", "name", r->name,
			"incident", r->incident, "place", r->place, "faults", r->faults, "oracle",
			oracle_name(r->oracle), "ok", (int)replay_ok(r));
		for (enum replay_run run = RUN_SEEN; run < RUNS; run++) {
			const struct turn *t = turn_of(r, run);
			if (t != NULL) {
				json_object_set_new(one, run_names[run], json_of_turn(t));
			}
		}
		missed += !replay_ok(r);
		json_array_append_new(all, one);
	}
	json_t *root = json_pack("{s:o, s:i}", "incidents", all, "missed", (int)missed);
	int r = json_dump_file(root, path, JSON_INDENT(1));
	json_decref(root);
	return r;
}

static void add_turns(int argc, char **argv)
{
	for (size_t i = 0; i < replays_count; i++) {
		bool wanted = argc < 2;
		for (int a = 1; a < argc; a++) {
			wanted = wanted || strcmp(argv[a], replays[i].name) == 0;
		}
		for (enum replay_run run = RUN_SEEN; wanted && run < RUNS; run++) {
			if (replays[i].lifted[run] != NULL) {
				turns[turns_count++] =
					(struct turn){.replay = &replays[i], .run = run};
			}
		}
	}
}

int main(int argc, char **argv)
{
	const char *output = getenv("CMOCKA_MESSAGE_OUTPUT");
	const char *json = getenv("INCIDENTS_JSON");
	size_t missed = 0;
	if (argc == 4 && strcmp(argv[1], "--play") == 0) {
		return play(argv[2], argv[3]);
	}
	add_turns(argc, argv);
	play_all();
	if (output != NULL && strcmp(output, "TAP") == 0) {
		print_tap();
	} else {
		print_table();
	}
	for (size_t i = 0; i < turns_count; i++) {
		missed += !turns[i].ok;
	}
	if (json != NULL && write_json(json) < 0) {
		perror(json);
		return 1;
	}
	(void)printf("# %zu runs, %zu missed\n", turns_count, missed);
	return missed > 0 || turns_count == 0;
}
