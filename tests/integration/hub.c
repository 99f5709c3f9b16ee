#include "hub.h"
#include "tests/oracles/record.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { ARGUMENTS_MAX = HUB_ARGUMENTS_MAX, LOG_MAX_BYTES = 1 << 18, STEP_MS = 10 };

bool hub_wait_step(struct client_loop *loop, uint64_t deadline_us)
{
	if (client_now_us() >= deadline_us) {
		return false;
	}
	if (loop != NULL) {
		assert_int_equal(client_loop_run(loop, STEP_MS), 0);
	} else {
		nanosleep(&(struct timespec){.tv_nsec = STEP_MS * 1000000}, NULL);
	}
	return true;
}

/* $CAMGATE, or the camgate two directories above this test. */
static const char *hub_binary(void)
{
	static char path[PATH_MAX];
	const char *given = getenv("CAMGATE");
	if (given != NULL) {
		return given;
	}
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	assert_true(n > 0);
	path[n] = '\0';
	for (int up = 0; up < 3; up++) {
		char *slash = strrchr(path, '/');
		assert_non_null(slash);
		*slash = '\0';
	}
	size_t used = strlen(path);
	assert_true((size_t)snprintf(path + used, sizeof(path) - used, "/camgate") <
		    sizeof(path) - used);
	return path;
}

void hub_init(struct hub *h, struct client_loop *loop)
{
	*h = (struct hub){.loop = loop,
		.dir = "/tmp/camgate-test-XXXXXX",
		.address = "127.0.0.1",
		.network = -1};
	assert_non_null(mkdtemp(h->dir));
	(void)snprintf(h->state, sizeof(h->state), "%s/state", h->dir);
	(void)snprintf(h->log, sizeof(h->log), "%s/log", h->dir);
}

/* Of a library beside camgate; "" when it is too long or not there. */
static void library_path(const char *name, char *out, size_t size)
{
	const char *binary = hub_binary();
	int directory = (int)(strrchr(binary, '/') - binary);
	int n = snprintf(out, size, "%.*s/tests/%s", directory, binary, name);
	if (n < 0 || (size_t)n >= size || access(out, R_OK) < 0) {
		out[0] = '\0';
	}
}

/* In the child: libraries before everything else. */
static void preload(const struct hub *h)
{
	char fakecam[PATH_MAX] = "", faults[PATH_MAX] = "", both[2 * PATH_MAX];
	if (h->fakecam[0] != '\0') {
		library_path("fakecam/libfakecam.so", fakecam, sizeof(fakecam));
	}
	if (h->injection[0] != '\0') {
		library_path("faults/libfaults.so", faults, sizeof(faults));
	}
	if ((h->fakecam[0] != '\0') != (fakecam[0] != '\0') ||
		(h->injection[0] != '\0') != (faults[0] != '\0')) {
		_exit(125);
	}
	(void)snprintf(both, sizeof(both), "%s%s%s", faults,
		faults[0] != '\0' && fakecam[0] != '\0' ? ":" : "", fakecam);
	if (both[0] != '\0' &&
		(setenv("LD_PRELOAD", both, 1) < 0 || setenv("FAKECAM", h->fakecam, 1) < 0 ||
			setenv("CAMGATE_INJECTION", h->injection, 1) < 0 ||
			setenv("ASAN_OPTIONS", "verify_asan_link_order=0", 1) < 0)) {
		_exit(125);
	}
}

void hub_set_cameras(struct hub *h, const char *lines)
{
	char draft[PATH_MAX];
	(void)snprintf(h->fakecam, sizeof(h->fakecam), "%s/cameras", h->dir);
	(void)snprintf(draft, sizeof(draft), "%s/cameras.new", h->dir);
	FILE *f = fopen(draft, "we");
	assert_non_null(f);
	assert_true(fputs(lines, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(rename(draft, h->fakecam), 0);
}

pid_t hub_spawn_command(
	const struct hub *h, const char *const *arguments, const char *output, int flags)
{
	const char *argv[ARGUMENTS_MAX + 1] = {hub_binary()};
	size_t n = 1;
	for (; arguments[n - 1] != NULL; n++) {
		assert_true(n < ARGUMENTS_MAX);
		argv[n] = arguments[n - 1];
	}
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid > 0) {
		return pid;
	}
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	int fd = open(output, O_WRONLY | O_CREAT | O_APPEND | flags, 0600);
	int null = open("/dev/null", O_RDONLY);
	bool errors_too = (flags & O_TRUNC) == 0;
	if (fd < 0 || null < 0 || dup2(null, 0) < 0 || dup2(fd, 1) < 0 ||
		(errors_too && dup2(fd, 2) < 0)) {
		perror(output);
		_exit(126);
	}
	if (h->network >= 0 && setns(h->network, CLONE_NEWNET) < 0) {
		perror("network namespace");
		_exit(126);
	}
	if (strcmp(argv[1], "run") == 0 || strcmp(argv[1], "camera") == 0) {
		preload(h);
	}
	/* posix: argv is not written to */
	execv(argv[0], (char *const *)(uintptr_t)argv);
	_exit(127);
}

static char *read_file(const char *path)
{
	static char text[LOG_MAX_BYTES];
	FILE *f = fopen(path, "re");
	size_t n = f == NULL ? 0 : fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	if (f != NULL) {
		(void)fclose(f);
	}
	return text;
}

const char *hub_log(const struct hub *h)
{
	return read_file(h->log);
}

bool hub_log_has(const struct hub *h, const char *text)
{
	return strstr(read_file(h->log), text) != NULL;
}

void hub_wait_log(struct hub *h, const char *text)
{
	WAIT_FOR(h->loop, hub_log_has(h, text), HUB_PATIENCE_MS);
}

void hub_spawn(struct hub *h, const char *const *arguments)
{
	const char *all[ARGUMENTS_MAX] = {"run", "--state", h->state};
	char here[64];
	size_t n = 3;
	bool listen = false;
	for (size_t i = 0; arguments[i] != NULL; i++) {
		assert_true(n + 3 < ARGUMENTS_MAX);
		listen = listen || strcmp(arguments[i], "--listen") == 0;
		all[n++] = arguments[i];
	}
	if (!listen) {
		all[n++] = "--listen";
		(void)snprintf(here, sizeof(here), "%s:0", h->address);
		all[n] = here;
	}
	(void)unlink(h->log);
	h->pid = hub_spawn_command(h, all, h->log, 0);
}

static bool ended(struct hub *h, int *ret_code)
{
	int status;
	pid_t r = waitpid(h->pid, &status, WNOHANG);
	assert_true(r >= 0);
	if (r == 0) {
		return false;
	}
	h->pid = 0;
	*ret_code = WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
	return true;
}

static bool listens(struct hub *h)
{
	int code;
	if (ended(h, &code)) {
		fail_msg("camgate run ended with %d:\n%s", code, hub_log(h));
	}
	const char *line = strstr(read_file(h->log), "listening on ");
	const char *end = line == NULL ? NULL : strchr(line, '\n');
	if (end == NULL) {
		return false;
	}
	const char *colon = memchr(line, ':', (size_t)(end - line));
	for (const char *at = colon; at != NULL; at = memchr(at + 1, ':', (size_t)(end - at - 1))) {
		colon = at; /* the last one: an IPv6 address has many */
	}
	assert_non_null(colon);
	h->port = (uint16_t)strtoul(colon + 1, NULL, 10);
	return h->port != 0;
}

/* True when it has said all: a link, or which displays need none. */
static bool introduced(struct hub *h)
{
	const char *text = read_file(h->log);
	const char *mark = strstr(text, "#pair=");
	const char *end = mark == NULL ? NULL : strchr(mark, '\n');
	h->link[0] = '\0';
	if (end == NULL) {
		return strstr(text, "Paired displays") != NULL;
	}
	mark += strlen("#pair=");
	assert_int_equal(end - mark, WIRE_LINK_TEXT_BYTES - 1);
	memcpy(h->link, mark, WIRE_LINK_TEXT_BYTES - 1);
	h->link[WIRE_LINK_TEXT_BYTES - 1] = '\0';
	return true;
}

void hub_start(struct hub *h, const char *const *arguments)
{
	hub_spawn(h, arguments);
	WAIT_FOR(h->loop, listens(h), HUB_PATIENCE_MS);
	WAIT_FOR(h->loop, introduced(h), HUB_PATIENCE_MS);
}

int hub_start_and_fail(struct hub *h, const char *const *arguments)
{
	int code = -1;
	hub_spawn(h, arguments);
	WAIT_FOR(h->loop, ended(h, &code), HUB_PATIENCE_MS);
	return code;
}

/* Built with a sanitizer, the roles say on standard error what they did wrong. */
static void assert_sane(const struct hub *h)
{
	static const char *const alarms[] = {"AddressSanitizer", "LeakSanitizer", "ThreadSanitizer",
		"runtime error:", "Assertion"};
	for (size_t i = 0; i < sizeof(alarms) / sizeof(alarms[0]); i++) {
		if (hub_log_has(h, alarms[i])) {
			fail_msg("%s", hub_log(h));
		}
	}
}

/* O-AUDIT, for all viewers of this test program. */
static void assert_on_record(const struct hub *h)
{
	char complaint[128] = "";
	int wrong = record_check(h, h->state, complaint, sizeof(complaint));
	if (wrong != 0) {
		fail_msg("%d viewings are not on record as they were: %s", wrong, complaint);
	}
}

void hub_end(struct hub *h)
{
	int code = -1;
	assert_int_not_equal(h->pid, 0);
	pid_t roles[3] = {
		hub_role(h, "keeper", 0), hub_role(h, "web", 0), hub_role(h, "camera", 0)};
	assert_int_equal(kill(h->pid, SIGTERM), 0);
	WAIT_FOR(h->loop, ended(h, &code), HUB_PATIENCE_MS);
	assert_int_equal(code, 0);
	for (size_t i = 0; i < 3; i++) {
		assert_true(roles[i] == 0 || kill(roles[i], 0) < 0);
	}
	assert_sane(h);
	assert_on_record(h);
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *at)
{
	(void)st;
	(void)flag;
	(void)at;
	(void)remove(path);
	return 0;
}

void hub_finish(struct hub *h)
{
	if (h->pid != 0) {
		(void)kill(h->pid, SIGTERM);
		uint64_t deadline_us = client_now_us() + (uint64_t)HUB_PATIENCE_MS * 1000;
		int code = 0;
		while (!ended(h, &code)) {
			if (!hub_wait_step(h->loop, deadline_us)) {
				(void)kill(h->pid, SIGKILL);
			}
		}
	}
	if (getenv("VERBOSE") != NULL) {
		(void)fputs(read_file(h->log), stderr);
	}
	(void)nftw(h->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- roles ---- */

/* True if the process is a child of h->pid whose first argument is the role. */
static bool is_role(const struct hub *h, const char *pid, const char *role)
{
	char path[64], text[256], wanted[32];
	(void)snprintf(path, sizeof(path), "/proc/%s/status", pid);
	(void)snprintf(wanted, sizeof(wanted), "PPid:\t%d\n", (int)h->pid);
	if (strstr(read_file(path), wanted) == NULL) {
		return false;
	}
	(void)snprintf(path, sizeof(path), "/proc/%s/cmdline", pid);
	FILE *f = fopen(path, "re");
	size_t n = f == NULL ? 0 : fread(text, 1, sizeof(text) - 1, f);
	if (f != NULL) {
		(void)fclose(f);
	}
	text[n] = '\0';
	size_t first = strlen(text) + 1;
	return first < n && strcmp(text + first, role) == 0;
}

pid_t hub_role(const struct hub *h, const char *role, unsigned int n)
{
	DIR *d = opendir("/proc");
	assert_non_null(d);
	pid_t found = 0;
	for (struct dirent *e = readdir(d); e != NULL && found == 0; e = readdir(d)) {
		if (e->d_name[0] >= '1' && e->d_name[0] <= '9' && is_role(h, e->d_name, role) &&
			n-- == 0) {
			found = (pid_t)strtol(e->d_name, NULL, 10);
		}
	}
	(void)closedir(d);
	return found;
}

static bool role_replaced(const struct hub *h, const char *role, pid_t old)
{
	pid_t now = hub_role(h, role, 0);
	return now != 0 && now != old;
}

void hub_kill_role(struct hub *h, const char *role)
{
	pid_t old = hub_role(h, role, 0);
	assert_int_not_equal(old, 0);
	assert_int_equal(kill(old, SIGKILL), 0);
	WAIT_FOR(h->loop, role_replaced(h, role, old), HUB_PATIENCE_MS);
}
