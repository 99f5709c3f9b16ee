/* Each case runs in a child of its own, because a sandbox cannot be left. */
#include "sandbox.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ENDED_BY_SANDBOX = 128 + 31, REPORT_BYTES = 256, ENTER_FAILED = 99 };

/* Sanitizers need calls that a sandbox forbids, so their builds have none. */
#ifdef CAMGATE_SANITIZED
static const bool has_sandbox = false;
#else
static const bool has_sandbox = true;
#endif

static char home[] = "/tmp/camgate-sandbox-XXXXXX";
static int listener = -1;

/* A sanitizer needs calls that no role needs, so its build has no seccomp filter to test. */
static void skip_if_sanitized(void)
{
#ifdef CAMGATE_SANITIZED
	skip();
#endif
}

/* What a child does inside; its answer is the exit code. */
typedef int attempt(void);

static int run_inside(unsigned int rights, attempt *f, char *errors, size_t errors_size)
{
	int pipe_fds[2];
	int status;
	size_t used = 0;
	ssize_t n;

	assert_int_equal(pipe(pipe_fds), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		const char *writable[] = {home, NULL};
		const char *readable[] = {"/sys", "/nowhere", NULL};
		struct sandbox s = {.rights = rights, .writable = writable, .readable = readable};
		char report[REPORT_BYTES];

		(void)dup2(pipe_fds[1], STDERR_FILENO);
		sandbox_prepare(false);
		_exit(sandbox_enter(&s, report, sizeof report) < 0 ? ENTER_FAILED : f());
	}
	(void)close(pipe_fds[1]);
	while ((n = read(pipe_fds[0], errors + used, errors_size - 1 - used)) > 0) {
		used += (size_t)n;
	}
	errors[used] = '\0';
	(void)close(pipe_fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	/* A C library that blocks signals around the call (glibc's fork since 2.41) leaves no room
	 * for the handler: then the kernel ends the process. */
	if (WIFSIGNALED(status)) {
		assert_int_equal(WTERMSIG(status), SIGSYS);
		return ENDED_BY_SANDBOX;
	}
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int inside(unsigned int rights, attempt *f)
{
	char errors[512];

	return run_inside(rights, f, errors, sizeof errors);
}

static int try_exec(void)
{
	(void)execl("/bin/true", "true", (char *)NULL);
	return 0;
}

static int try_fork(void)
{
	return fork() < 0 ? errno : 0;
}

static int try_ptrace(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0 ? errno : 0;
}

static int try_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) < 0 ? errno : 0;
}

static int try_kill(void)
{
	return kill(getppid(), 0) < 0 ? errno : 0;
}

static int try_memfd(void)
{
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	return fd < 0 || ftruncate(fd, 4096) < 0 || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK) < 0;
}

static int try_executable_memory(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
	       MAP_FAILED;
}

static int try_open_passwd(void)
{
	return open("/etc/passwd", O_RDONLY) < 0 ? errno : 0;
}

static int try_open_sys(void)
{
	return open("/sys/class", O_RDONLY | O_DIRECTORY) < 0 ? errno : 0;
}

static int try_write_file(void)
{
	char path[sizeof home + 16];

	(void)snprintf(path, sizeof path, "%s/file", home);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0) {
		return errno;
	}
	return write(fd, "x", 1) != 1 || fsync(fd) < 0 || unlink(path) < 0;
}

static int try_video_ioctl(void)
{
	struct v4l2_capability c;

	/* A pipe knows no such request, but the call is let through to it. */
	return ioctl(STDERR_FILENO, VIDIOC_QUERYCAP, &c) < 0 && errno == ENOTTY ? 0 : 1;
}

static int try_other_ioctl(void)
{
	char c = 'x';

	return ioctl(STDERR_FILENO, TIOCSTI, &c) < 0 ? errno : 0;
}

static int try_accept(void)
{
	return accept4(listener, NULL, NULL, SOCK_NONBLOCK) < 0 && errno == EAGAIN ? 0 : 1;
}

static int try_usual_life(void)
{
	struct stat st;
	struct timespec now;
	time_t t = time(NULL);
	struct tm tm;
	char *p = malloc(8 << 20);

	if (p == NULL || fstat(STDERR_FILENO, &st) < 0 || clock_gettime(CLOCK_BOOTTIME, &now) < 0) {
		return 1;
	}
	memset(p, 1, 8 << 20);
	p = realloc(p, 32 << 20);
	free(p);
	if (localtime_r(&t, &tm) == NULL || open("/etc/localtime", O_RDONLY) >= 0 ||
		errno != EACCES) {
		return 2;
	}
	return 0;
}

static void a_role_can_do_what_libraries_do_all_the_time(void **state)
{
	(void)state;
	if (!has_sandbox) {
		skip();
	}
	skip_if_sanitized();
	assert_int_equal(inside(0, try_usual_life), 0);
}

static void no_role_may_run_fork_trace_or_connect(void **state)
{
	static const unsigned int all =
		SANDBOX_ACCEPT | SANDBOX_FILES | SANDBOX_DEVICE | SANDBOX_SIGNAL | SANDBOX_RING;

	(void)state;
	if (!has_sandbox) {
		skip();
	}
	skip_if_sanitized();
	assert_int_equal(inside(all, try_exec), ENDED_BY_SANDBOX);
	assert_int_equal(inside(all, try_fork), ENDED_BY_SANDBOX);
	assert_int_equal(inside(all, try_ptrace), ENDED_BY_SANDBOX);
	assert_int_equal(inside(all, try_socket), ENDED_BY_SANDBOX);
	assert_int_equal(inside(all, try_executable_memory), ENDED_BY_SANDBOX);
	assert_int_equal(inside(all, try_other_ioctl), ENDED_BY_SANDBOX);
}

static void the_forbidden_call_is_named(void **state)
{
	char errors[512];

	(void)state;
	if (!has_sandbox) {
		skip();
	}
	skip_if_sanitized();
	assert_int_equal(run_inside(0, try_socket, errors, sizeof errors), ENDED_BY_SANDBOX);
	assert_string_equal(errors, "sandbox: forbidden system call socket\n");
}

static void files_open_only_with_the_right_and_only_below_the_lists(void **state)
{
	(void)state;
	if (!has_sandbox) {
		skip();
	}
	skip_if_sanitized();
	assert_int_equal(inside(0, try_open_passwd), EACCES);
	assert_int_equal(inside(0, try_open_sys), EACCES);
	assert_int_equal(inside(SANDBOX_FILES, try_write_file), 0);
	assert_int_equal(inside(SANDBOX_FILES, try_open_sys), 0);
}

static void landlock_hides_other_files(void **state)
{
	struct sandbox s = {0};
	char report[REPORT_BYTES] = "";
	int fds[2];

	(void)state;
	if (!has_sandbox) {
		skip();
	}
	skip_if_sanitized();
	assert_int_equal(pipe(fds), 0);
	pid_t pid = fork();
	if (pid == 0) {
		sandbox_prepare(false);
		int r = sandbox_enter(&s, report, sizeof report);
		_exit(r < 0 || write(fds[1], report, strlen(report)) < 0);
	}
	assert_true(read(fds[0], report, sizeof report - 1) > 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	(void)close(fds[0]);
	(void)close(fds[1]);
	assert_non_null(strstr(report, "seccomp"));
	if (strstr(report, "landlock (not in this kernel)") != NULL) {
		skip();
	}
	assert_int_equal(inside(SANDBOX_FILES, try_open_passwd), EACCES);
}

static void rights_allow_what_they_say_and_no_more(void **state)
{
	(void)state;
	if (!has_sandbox) {
		skip();
	}
	skip_if_sanitized();
	assert_int_equal(inside(SANDBOX_RING, try_memfd), 0);
	assert_int_equal(inside(0, try_memfd), ENDED_BY_SANDBOX);
	assert_int_equal(inside(SANDBOX_DEVICE, try_video_ioctl), 0);
	assert_int_equal(inside(0, try_video_ioctl), ENDED_BY_SANDBOX);
	assert_int_equal(inside(SANDBOX_SIGNAL, try_kill), 0);
	assert_int_equal(inside(0, try_kill), ENDED_BY_SANDBOX);
	assert_int_equal(inside(SANDBOX_ACCEPT, try_accept), 0);
	assert_int_equal(inside(0, try_accept), ENDED_BY_SANDBOX);
}

static void a_missing_writable_directory_is_an_error(void **state)
{
	int status;

	(void)state;
	if (!has_sandbox) {
		skip();
	}
	skip_if_sanitized();
	pid_t pid = fork();
	if (pid == 0) {
		const char *writable[] = {"/nowhere/at/all", NULL};
		struct sandbox s = {.rights = SANDBOX_FILES, .writable = writable};
		char report[REPORT_BYTES];

		sandbox_prepare(false);
		int r = sandbox_enter(&s, report, sizeof report);
		_exit(r == -ENOENT || strstr(report, "landlock (not") != NULL ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void libv4l_variables_are_dropped(void **state)
{
	(void)state;
	assert_int_equal(setenv("LIBV4LCONTROL_FLAGS", "3", 1), 0);
	assert_int_equal(setenv("LIBV4L2_LOG_FILENAME", "/tmp/x", 1), 0);
	assert_int_equal(setenv("CAMGATE_OTHER", "stays", 1), 0);
	sandbox_prepare(false);
	assert_null(getenv("LIBV4LCONTROL_FLAGS"));
	assert_null(getenv("LIBV4L2_LOG_FILENAME"));
	assert_string_equal(getenv("CAMGATE_OTHER"), "stays");
}

static int set_up(void **state)
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};

	(void)state;
	listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	return mkdtemp(home) == NULL || bind(listener, (struct sockaddr *)&any, sizeof any) < 0 ||
	       listen(listener, 1) < 0;
}

static int tear_down(void **state)
{
	(void)state;
	(void)close(listener);
	return rmdir(home);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_role_can_do_what_libraries_do_all_the_time),
		cmocka_unit_test(no_role_may_run_fork_trace_or_connect),
		cmocka_unit_test(the_forbidden_call_is_named),
		cmocka_unit_test(files_open_only_with_the_right_and_only_below_the_lists),
		cmocka_unit_test(landlock_hides_other_files),
		cmocka_unit_test(rights_allow_what_they_say_and_no_more),
		cmocka_unit_test(a_missing_writable_directory_is_an_error),
		cmocka_unit_test(libv4l_variables_are_dropped),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
