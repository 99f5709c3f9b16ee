#include "run_child.h"
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum {
	BACKOFF_FIRST_US = 100 * 1000,
	BACKOFF_MAX_US = 5 * 1000 * 1000,
	LONG_LIFE_US = 10 * 1000 * 1000,
	ARGUMENTS_MAX = 64,
	NUMBER_BYTES = 16,
	NUMBERS = 6,
};

/* The argument vector of a child; its numbers live in it. */
struct command_line {
	char *argv[ARGUMENTS_MAX];
	size_t count;
	char numbers[NUMBERS][NUMBER_BYTES];
	size_t numbers_used;
};

int child_init(struct child *c, enum child_kind kind, const char *spec)
{
	*c = (struct child){.kind = kind, .wanted = true, .ready_fd = -1, .log_fd = -1};
	if (spec != NULL && strlen(spec) >= sizeof c->spec) {
		return -ENAMETOOLONG;
	}
	(void)snprintf(c->spec, sizeof c->spec, "%s", spec != NULL ? spec : "");
	return 0;
}

void child_label(const struct child *c, char *out, size_t size)
{
	static const char *const names[] = {"keeper", "web", "camera"};

	(void)snprintf(out, size, "%s%s%s", names[c->kind], c->spec[0] != '\0' ? " " : "", c->spec);
}

/* execv wants char *const *, and does not write to it. */
static void add(struct command_line *l, const char *text)
{
	if (l->count + 1 < ARGUMENTS_MAX) {
		union {
			const char *in;
			char *out;
		} u = {text};

		l->argv[l->count++] = u.out;
	}
}

static void add_number(struct command_line *l, const char *option, unsigned int value)
{
	if (l->numbers_used < NUMBERS) {
		char *text = l->numbers[l->numbers_used++];

		(void)snprintf(text, NUMBER_BYTES, "%u", value);
		add(l, option);
		add(l, text);
	}
}

static void make_command_line(struct command_line *l, const struct child *c,
	const struct options *o, int listen_fd, int ready_fd)
{
	static const char *const commands[] = {"keeper", "web", "camera"};

	*l = (struct command_line){.count = 0};
	add(l, "camgate");
	add(l, commands[c->kind]);
	add(l, "--state");
	add(l, o->state_dir);
	add_number(l, "--ready-fd", (unsigned int)ready_fd);
	/* What of it we took over follows, and comes first there too. */
	if (o->config_file != NULL) {
		add(l, "--config");
		add(l, o->config_file);
	}
	if (c->kind == CHILD_KEEPER && o->name != NULL) {
		add(l, "--name");
		add(l, o->name);
	}
	for (unsigned int i = 0; c->kind == CHILD_KEEPER && i < o->hosts_count; i++) {
		add(l, "--host");
		add(l, o->hosts[i]);
	}
	if (c->kind == CHILD_WEB) {
		add_number(l, "--listen-fd", (unsigned int)listen_fd);
	}
	if (c->kind == CHILD_CAMERA) {
		add_number(l, "--rotate", o->rotate_s);
		add_number(l, "--linger", o->linger_s);
		add_number(l, "--instance", c->instance);
		if (c->discovered) {
			add(l, "--discovered");
		}
		add(l, "--");
		add(l, c->spec);
	}
}

static void keep_open(int fd)
{
	int flags = fcntl(fd, F_GETFD);

	if (flags >= 0) {
		(void)fcntl(fd, F_SETFD, flags & ~FD_CLOEXEC);
	}
}

/* In the new process, from fork to exec. */
__attribute__((noreturn)) static void become(struct command_line *l, int ready_fd, int listen_fd,
	int log_fd, pid_t parent, unsigned long death_signal)
{
	sigset_t none;

	(void)prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0);
	/* The parent may have died before that. */
	if (getppid() != parent) {
		_exit(EXIT_FAILED);
	}
	/* Ctrl-C reaches the whole process group of the terminal. The roles leave it, so that run
	 * ends them in order. */
	(void)setpgid(0, 0);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	keep_open(ready_fd);
	if (listen_fd >= 0) {
		keep_open(listen_fd);
	}
	if (log_fd >= 0) {
		(void)dup2(log_fd, STDERR_FILENO);
	}
	/* Standard output is for what run says. */
	(void)dup2(STDERR_FILENO, STDOUT_FILENO);
	(void)execv("/proc/self/exe", l->argv);
	log_error("cannot start a role: %s", strerror(errno));
	_exit(EXIT_FAILED);
}

static void close_pair(int fds[2])
{
	for (int i = 0; i < 2; i++) {
		if (fds[i] >= 0) {
			(void)close(fds[i]);
		}
	}
}

int child_start(struct child *c, const struct options *o, int listen_fd, uint64_t now_us)
{
	struct command_line l;
	int ready[2] = {-1, -1};
	int log[2] = {-1, -1};
	pid_t parent = getpid();
	pid_t pid;

	if (pipe2(ready, O_CLOEXEC | O_NONBLOCK) < 0) {
		return -errno;
	}
	if (c->kind == CHILD_CAMERA && pipe2(log, O_CLOEXEC) < 0) {
		goto fail;
	}
	make_command_line(&l, c, o, listen_fd, ready[1]);
	pid = fork();
	if (pid < 0) {
		goto fail;
	}
	if (pid == 0) {
		/* A camera may be hung in its driver and has nothing to put in order. */
		become(&l, ready[1], c->kind == CHILD_WEB ? listen_fd : -1, log[1], parent,
			c->kind == CHILD_CAMERA ? SIGKILL : SIGTERM);
	}
	(void)close(ready[1]);
	if (log[1] >= 0) {
		(void)close(log[1]);
		(void)fcntl(log[0], F_SETFL, O_NONBLOCK);
	}
	c->pid = pid;
	c->ready = false;
	c->ready_fd = ready[0];
	c->log_fd = log[0];
	c->started_us = now_us;
	return 0;
fail:;
	int r = -errno;

	close_pair(ready);
	close_pair(log);
	return r;
}

bool child_read_ready(struct child *c)
{
	char byte;
	ssize_t n = read(c->ready_fd, &byte, 1);

	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		return false;
	}
	(void)close(c->ready_fd);
	c->ready_fd = -1;
	c->ready = n == 1;
	c->settled = c->settled || c->ready;
	return c->ready;
}

/* FNV-1a: enough to notice the same line again. */
static uint64_t line_digest(const char *line)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (; *line != '\0'; line++) {
		h = (h ^ (unsigned char)*line) * 0x100000001b3u;
	}
	return h;
}

static void pass_line_on(struct child *c)
{
	uint64_t digest;
	bool known = false;

	c->line[c->line_used] = '\0';
	c->line_used = 0;
	digest = line_digest(c->line);
	for (unsigned int i = 0; i < CHILD_LINES_MAX; i++) {
		known = known || c->said_last[i] == digest;
	}
	c->said[c->said_count++ % CHILD_LINES_MAX] = digest;
	if (!known) {
		(void)fprintf(stderr, "%s\n", c->line);
	}
}

bool child_read_log(struct child *c)
{
	char text[4096];
	ssize_t n = read(c->log_fd, text, sizeof text);

	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		return false;
	}
	if (n <= 0) {
		(void)close(c->log_fd);
		c->log_fd = -1;
	}
	for (ssize_t i = 0; i < n; i++) {
		if (text[i] == '\n' || c->line_used + 1 == sizeof c->line) {
			pass_line_on(c);
		}
		if (text[i] != '\n') {
			c->line[c->line_used++] = text[i];
		}
	}
	return n > 0;
}

void child_ended(struct child *c, uint64_t now_us)
{
	/* What it said last may still be in the pipe. */
	while (c->log_fd >= 0 && child_read_log(c)) {
	}
	if (c->log_fd >= 0) {
		(void)close(c->log_fd);
		c->log_fd = -1;
	}
	if (c->line_used > 0) {
		pass_line_on(c);
	}
	if (c->ready_fd >= 0) {
		(void)close(c->ready_fd);
		c->ready_fd = -1;
	}
	if (now_us - c->started_us >= LONG_LIFE_US) {
		c->backoff_us = 0;
		memset(c->said, 0, sizeof c->said);
	}
	memcpy(c->said_last, c->said, sizeof c->said_last);
	memset(c->said, 0, sizeof c->said);
	c->said_count = 0;
	c->backoff_us = c->backoff_us == 0 ? BACKOFF_FIRST_US : c->backoff_us * 2;
	if (c->backoff_us > BACKOFF_MAX_US) {
		c->backoff_us = BACKOFF_MAX_US;
	}
	c->restart_us = now_us + c->backoff_us;
	c->pid = 0;
	c->ready = false;
	c->settled = true;
}
