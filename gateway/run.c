#include "run.h"
#include "admin_client.h"
#include "clock.h"
#include "log.h"
#include "run_listen.h"
#include "run_state.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	END_US = 2 * 1000 * 1000, /* for web and cameras to end */
	END_KEEPER_US = 5 * 1000 * 1000, /* and then for the keeper, which writes its record */
	IDLE_US = 60 * 1000 * 1000,
	POLL_MAX = 2 + 2 * RUN_CHILDREN_MAX,
};

static bool may_start(const struct run *run, const struct child *c, uint64_t now_us)
{
	if (run->ending || !c->wanted || c->pid != 0 || now_us < c->restart_us) {
		return false;
	}
	return c->kind == CHILD_KEEPER || run->children[RUN_KEEPER].ready;
}

static void start_due(struct run *run, uint64_t now_us)
{
	for (unsigned int i = 0; i < run->count; i++) {
		struct child *c = &run->children[i];

		if (may_start(run, c, now_us)) {
			int r = child_start(c, run->options, run->listen_fd, now_us);

			if (r < 0) {
				log_error("cannot start a process: %s", strerror(-r));
				c->restart_us = now_us + 1000 * 1000;
			}
		}
	}
}

static void signal_children(struct run *run, int signal, bool keeper)
{
	for (unsigned int i = 0; i < run->count; i++) {
		const struct child *c = &run->children[i];

		if (c->pid > 0 && (keeper || c->kind != CHILD_KEEPER)) {
			(void)kill(c->pid, signal);
		}
	}
}

static void begin_end(struct run *run, int code)
{
	if (run->ending && run->kill_us != 0) {
		return;
	}
	run->ending = true;
	run->exit_code = code;
	run->kill_us = clock_now_us() + END_US;
	signal_children(run, SIGTERM, false);
}

/* Web and cameras first, so that the keeper closes their entries in order. */
static bool end_is_over(struct run *run, uint64_t now_us)
{
	unsigned int others = 0;
	struct child *keeper = &run->children[RUN_KEEPER];

	for (unsigned int i = 0; i < run->count; i++) {
		others += run->children[i].pid > 0 && run->children[i].kind != CHILD_KEEPER;
	}
	if (now_us >= run->kill_us) {
		signal_children(run, SIGKILL, others == 0);
		run->kill_us = now_us + END_US;
	}
	if (others == 0 && keeper->pid > 0 && keeper->wanted) {
		keeper->wanted = false;
		run->kill_us = now_us + END_KEEPER_US;
		(void)kill(keeper->pid, SIGTERM);
	}
	return others == 0 && keeper->pid == 0;
}

static void on_signal(struct run *run)
{
	struct signalfd_siginfo info;

	while (read(run->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
		if (info.ssi_signo == SIGCHLD) {
			continue;
		}
		if (run->ending) {
			signal_children(run, SIGKILL, true);
		} else {
			begin_end(run, EXIT_OK);
		}
	}
}

static struct child *find_child(struct run *run, pid_t pid)
{
	for (unsigned int i = 0; i < run->count; i++) {
		if (run->children[i].pid == pid) {
			return &run->children[i];
		}
	}
	return NULL;
}

static void log_end(const struct child *c, int status)
{
	char label[CHILD_SPEC_BYTES + 16];
	unsigned int wait_ms = (unsigned int)(c->backoff_us / 1000);

	child_label(c, label, sizeof label);
	/* A camera's own words say more, and only once. */
	if (WIFSIGNALED(status)) {
		log_warning("%s was ended by signal %d (%s); next try in %u ms", label,
			WTERMSIG(status), strsignal(WTERMSIG(status)), wait_ms);
	} else if (c->kind != CHILD_CAMERA) {
		log_warning("%s ended with code %d; next try in %u ms", label, WEXITSTATUS(status),
			wait_ms);
	}
}

static void on_child_end(struct run *run, struct child *c, int status, uint64_t now_us)
{
	bool served = c->settled;

	child_ended(c, now_us);
	if (run->ending) {
		return;
	}
	if (c->kind == CHILD_CAMERA) {
		run_camera_ended(run, c, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	} else if (!served) {
		/* It has said why, and would say so again. */
		begin_end(run, EXIT_FAILED);
	}
	if (c->kind == CHILD_KEEPER) {
		run->link_until_us = 0;
	}
	if (!run->ending && c->wanted) {
		log_end(c, status);
	}
}

static void reap(struct run *run, uint64_t now_us)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct child *c = find_child(run, pid);

		if (c != NULL) {
			on_child_end(run, c, status, now_us);
		}
	}
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static int poll_timeout_ms(const struct run *run, uint64_t now_us)
{
	uint64_t next_us = now_us + IDLE_US;

	for (unsigned int i = 0; !run->ending && i < run->count; i++) {
		const struct child *c = &run->children[i];

		if (c->wanted && c->pid == 0 &&
			(c->kind == CHILD_KEEPER || run->children[RUN_KEEPER].ready)) {
			next_us = earlier(next_us, c->restart_us);
		}
	}
	if (run->ending) {
		next_us = earlier(next_us, run->kill_us);
	} else if (!run->announced) {
		next_us = earlier(next_us, run->settle_us);
	} else if (run->ask_us != 0) {
		next_us = earlier(next_us, run->ask_us);
	}
	return next_us <= now_us ? 0 : (int)((next_us - now_us) / 1000 + 1);
}

static nfds_t fill_poll(const struct run *run, struct pollfd fds[static POLL_MAX])
{
	nfds_t n = 0;

	fds[n++] = (struct pollfd){.fd = run->signal_fd, .events = POLLIN};
	fds[n++] = (struct pollfd){
		.fd = run->monitor != NULL ? monitor_fd(run->monitor) : -1, .events = POLLIN};
	for (unsigned int i = 0; i < run->count; i++) {
		fds[n++] = (struct pollfd){.fd = run->children[i].ready_fd, .events = POLLIN};
		fds[n++] = (struct pollfd){.fd = run->children[i].log_fd, .events = POLLIN};
	}
	return n;
}

static void on_poll(struct run *run, const struct pollfd *fds, nfds_t n)
{
	/* Children before the monitor and the reaper: those change what is in the table. */
	for (nfds_t i = 2; i < n; i++) {
		struct child *c = &run->children[(i - 2) / 2];

		if (fds[i].revents == 0) {
			continue;
		}
		if (fds[i].fd == c->ready_fd) {
			(void)child_read_ready(c);
		} else if (fds[i].fd == c->log_fd) {
			(void)child_read_log(c);
		}
	}
	if (fds[1].revents != 0 && run->monitor != NULL) {
		run_cameras_dispatch(run);
	}
	if (fds[0].revents != 0) {
		on_signal(run);
	}
}

/* What becomes possible when others are ready. */
static void advance(struct run *run, uint64_t now_us)
{
	const struct child *keeper = &run->children[RUN_KEEPER];

	start_due(run, now_us);
	if (!run->announced && keeper->ready && run_cameras_settled(run, now_us) &&
		run->children[RUN_WEB].ready) {
		run_announce(run, now_us);
	}
	if (run->announced && keeper->ready && run->children[RUN_WEB].ready && run->ask_us != 0 &&
		now_us >= run->ask_us) {
		run_owner_look(run, now_us);
	}
}

static int loop(struct run *run)
{
	for (;;) {
		struct pollfd fds[POLL_MAX];
		uint64_t now_us = clock_now_us();

		if (run->ending) {
			if (run->kill_us == 0) {
				begin_end(run, run->exit_code);
			}
			if (end_is_over(run, now_us)) {
				return run->exit_code;
			}
		} else {
			advance(run, now_us);
		}
		nfds_t n = fill_poll(run, fds);
		if (poll(fds, n, poll_timeout_ms(run, clock_now_us())) < 0 && errno != EINTR) {
			log_error("cannot wait: %s", strerror(errno));
			begin_end(run, EXIT_FAILED);
			continue;
		}
		on_poll(run, fds, n);
		reap(run, clock_now_us());
	}
}

static int block_signals(int *ret_fd)
{
	sigset_t set;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0) {
		return -errno;
	}
	*ret_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return *ret_fd < 0 ? -errno : 0;
}

static bool already_runs(const struct options *o)
{
	json_t *request = json_pack("{s:s}", "command", "status");
	json_t *reply = NULL;
	int r = admin_request(o->socket_dir, request, 1000, &reply);

	json_decref(request);
	json_decref(reply);
	return r == 0 || r == -ETIMEDOUT;
}

static int open_listener(struct run *run)
{
	const char *text = run->options->listen;
	int r = listen_open(text, &run->listen_fd, run->listening, sizeof run->listening);

	if (r < 0) {
		listen_explain(text, r);
	}
	return r;
}

int run_main(const struct options *o)
{
	/* Too large for the stack's taste, and there is one. */
	static struct run run;
	int code = EXIT_FAILED;

	log_init("run");
	(void)umask(077);
	run = (struct run){.options = o, .listen_fd = -1, .signal_fd = -1, .count = RUN_CAMERAS};
	if (run_state_make(o) < 0) {
		return EXIT_FAILED;
	}
	if (already_runs(o)) {
		log_error("camgate already runs with the state directory %s; end that one, or use "
			  "another "
			  "with --state DIR",
			o->state_dir);
		return EXIT_FAILED;
	}
	(void)child_init(&run.children[RUN_KEEPER], CHILD_KEEPER, NULL);
	(void)child_init(&run.children[RUN_WEB], CHILD_WEB, NULL);
	if (open_listener(&run) == 0 && block_signals(&run.signal_fd) == 0 &&
		run_cameras_init(&run, clock_now_us()) == 0) {
		code = loop(&run);
	}
	run_cameras_finish(&run);
	if (run.listen_fd >= 0) {
		(void)close(run.listen_fd);
	}
	if (run.signal_fd >= 0) {
		(void)close(run.signal_fd);
	}
	return code;
}
