/*
 * The allow lists are by name, so that they read the same on every architecture: libseccomp skips
 * what one does not have. Both the old and the *at and *64 forms are there, because 32-bit ARM and
 * x86 still use what 64-bit ARM never had.
 */
#include "sandbox_calls.h"
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <termios.h>
#include <unistd.h>

enum { NAMES = 512, NAME_BYTES = 32 };

/* Memory, time, waiting, descriptors that are open already, ending: what glibc, OpenSSL, SQLite,
 * libwebsockets and the JPEG library do without asking. */
static const char *const calls_base[] = {"brk", "clock_getres", "clock_getres_time64",
	"clock_gettime", "clock_gettime64", "clock_nanosleep", "clock_nanosleep_time64", "close",
	"close_range", "dup", "epoll_create", "epoll_create1", "epoll_ctl", "epoll_pwait",
	"epoll_pwait2", "epoll_wait", "exit", "exit_group", "fstat", "fstat64", "futex",
	"futex_time64", "getcpu", "getegid", "getegid32", "geteuid", "geteuid32", "getgid",
	"getgid32", "getpid", "getppid", "getrandom", "getrusage", "getsockname", "getsockopt",
	"gettid", "gettimeofday", "getuid", "getuid32", "_llseek", "lseek", "madvise", "mlock",
	"mlock2", "mremap", "munlock", "munmap", "nanosleep", "_newselect", "pipe2", "poll",
	"ppoll", "ppoll_time64", "pselect6", "pselect6_time64", "read", "readv", "recv", "recvfrom",
	"recvmmsg", "recvmmsg_time64", "recvmsg", "restart_syscall", "rseq", "rt_sigaction",
	"rt_sigprocmask", "rt_sigreturn", "rt_sigtimedwait", "rt_sigtimedwait_time64",
	"sched_getaffinity", "sched_yield", "select", "send", "sendmmsg", "sendmsg", "sendto",
	"set_robust_list", "shutdown", "sigaltstack", "sigreturn", "signalfd4", "sysinfo", "time",
	"timerfd_create", "timerfd_gettime", "timerfd_gettime64", "timerfd_settime",
	"timerfd_settime64", "ugetrlimit", "uname", "write", "writev", NULL};

static const char *const calls_accept[] = {
	"accept", "accept4", "connect", "getpeername", "setsockopt", NULL};

static const char *const calls_files[] = {"access", "chmod", "faccessat", "faccessat2", "fallocate",
	"fchmod", "fchmodat", "fchmodat2", "fchown", "fchown32", "fdatasync", "flock", "fstatat64",
	"fstatfs", "fstatfs64", "fsync", "ftruncate", "ftruncate64", "getcwd", "getdents",
	"getdents64", "lstat", "lstat64", "mkdir", "mkdirat", "name_to_handle_at", "newfstatat",
	"open", "openat", "openat2", "pread64", "preadv", "pwrite64", "pwritev", "readlink",
	"readlinkat", "rename", "renameat", "renameat2", "rmdir", "stat", "stat64", "statfs",
	"statfs64", "statx", "umask", "unlink", "unlinkat", NULL};

static const char *const calls_signal[] = {"kill", "pidfd_send_signal", NULL};

static const char *const calls_ring[] = {
	"eventfd2", "fallocate", "ftruncate", "ftruncate64", "memfd_create", NULL};

/* Libraries look for files on the side (time zone, huge page settings) and live well without. */
static const char *const calls_refused_files[] = {"access", "faccessat", "faccessat2", "fstatat64",
	"lstat", "lstat64", "open", "openat", "openat2", "readlink", "readlinkat", "stat", "stat64",
	"statx", NULL};

static char names[NAMES][NAME_BYTES];

static void on_forbidden_call(int signal, siginfo_t *info, void *context)
{
	static const char before[] = "sandbox: forbidden system call ";
	const char *name = "of an unknown name";

	(void)signal;
	(void)context;
	if (info->si_syscall >= 0 && info->si_syscall < NAMES &&
		names[info->si_syscall][0] != '\0') {
		name = names[info->si_syscall];
	}
	/* Nothing can be done where even this fails. */
	if (write(STDERR_FILENO, before, sizeof before - 1) < 0 ||
		write(STDERR_FILENO, name, strlen(name)) < 0 || write(STDERR_FILENO, "\n", 1) < 0) {
		_exit(128 + SIGSYS);
	}
	_exit(128 + SIGSYS);
}

/* The handler must not allocate, so the names are looked up before. */
static int install_handler(void)
{
	struct sigaction sa = {.sa_sigaction = on_forbidden_call, .sa_flags = SA_SIGINFO};

	for (int i = 0; i < NAMES; i++) {
		char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, i);

		if (name != NULL) {
			(void)snprintf(names[i], sizeof names[i], "%s", name);
			free(name);
		}
	}
	(void)sigemptyset(&sa.sa_mask);
	return sigaction(SIGSYS, &sa, NULL) < 0 ? -errno : 0;
}

static int add_rule(
	scmp_filter_ctx ctx, uint32_t action, const char *call, const struct scmp_arg_cmp *arg)
{
	int number = seccomp_syscall_resolve_name(call);

	/* Negative numbers stand for what this architecture does not have. */
	if (number < 0) {
		return 0;
	}
	int r = seccomp_rule_add_array(ctx, action, number, arg != NULL ? 1 : 0, arg);
	return r == -EEXIST ? 0 : r;
}

static int add_list(scmp_filter_ctx ctx, uint32_t action, const char *const *calls)
{
	for (; *calls != NULL; calls++) {
		int r = add_rule(ctx, action, *calls, NULL);

		if (r < 0) {
			return r;
		}
	}
	return 0;
}

struct argument_rule {
	const char *call;
	struct scmp_arg_cmp arg;
};

#define EQUAL(n, value)                                                                            \
	{                                                                                          \
		.arg = (n), .op = SCMP_CMP_EQ, .datum_a = (scmp_datum_t)(value)                    \
	}
#define MASKED(n, mask, value)                                                                     \
	{                                                                                          \
		.arg = (n), .op = SCMP_CMP_MASKED_EQ, .datum_a = (mask),                           \
		.datum_b = (scmp_datum_t)(value)                                                   \
	}

static int add_argument_rules(scmp_filter_ctx ctx, const struct argument_rule *rules, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int r = add_rule(ctx, SCMP_ACT_ALLOW, rules[i].call, &rules[i].arg);

		if (r < 0) {
			return r;
		}
	}
	return 0;
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Calls that are harmless only with some arguments. */
static int add_base_arguments(scmp_filter_ctx ctx)
{
	static const struct argument_rule rules[] = {
		/* never executable */
		{"mmap", MASKED(2, PROT_EXEC, 0)},
		{"mmap2", MASKED(2, PROT_EXEC, 0)},
		{"mprotect", MASKED(2, PROT_EXEC, 0)},
		/* reading limits, not setting them */
		{"prlimit64", EQUAL(2, 0)},
		{"ioctl", EQUAL(1, FIONREAD)},
		{"ioctl", EQUAL(1, FIONBIO)},
		{"ioctl", EQUAL(1, TCGETS)},
		{"fcntl", EQUAL(1, F_GETFD)},
		{"fcntl", EQUAL(1, F_SETFD)},
		{"fcntl", EQUAL(1, F_GETFL)},
		{"fcntl", EQUAL(1, F_SETFL)},
		{"fcntl", EQUAL(1, F_DUPFD_CLOEXEC)},
		{"fcntl", EQUAL(1, F_GET_SEALS)},
		{"fcntl64", EQUAL(1, F_GETFD)},
		{"fcntl64", EQUAL(1, F_SETFD)},
		{"fcntl64", EQUAL(1, F_GETFL)},
		{"fcntl64", EQUAL(1, F_SETFL)},
		{"fcntl64", EQUAL(1, F_DUPFD_CLOEXEC)},
		{"fcntl64", EQUAL(1, F_GET_SEALS)},
	};
	const struct argument_rule own = {"tgkill", EQUAL(0, getpid())}; /* abort() */
	int r = add_argument_rules(ctx, rules, COUNT(rules));

	return r < 0 ? r : add_argument_rules(ctx, &own, 1);
}

static int add_files(scmp_filter_ctx ctx)
{
	static const struct argument_rule locks[] = {
		{"fcntl", EQUAL(1, F_GETLK)},
		{"fcntl", EQUAL(1, F_SETLK)},
		{"fcntl", EQUAL(1, F_SETLKW)},
		{"fcntl", EQUAL(1, F_OFD_SETLK)},
		/* 12 to 14: F_GETLK64 and so on, of 32-bit systems */
		{"fcntl64", EQUAL(1, 12)},
		{"fcntl64", EQUAL(1, 13)},
		{"fcntl64", EQUAL(1, 14)},
		{"fcntl64", EQUAL(1, F_OFD_SETLK)},
	};
	int r = add_list(ctx, SCMP_ACT_ALLOW, calls_files);

	return r < 0 ? r : add_argument_rules(ctx, locks, COUNT(locks));
}

/* fstat(fd) of glibc is newfstatat(fd, "", …, AT_EMPTY_PATH). */
static int add_refused_files(scmp_filter_ctx ctx)
{
	const struct scmp_arg_cmp own = EQUAL(3, AT_EMPTY_PATH);
	const struct scmp_arg_cmp path = {.arg = 3, .op = SCMP_CMP_NE, .datum_a = AT_EMPTY_PATH};
	int r = add_rule(ctx, SCMP_ACT_ALLOW, "newfstatat", &own);

	if (r == 0) {
		r = add_rule(ctx, SCMP_ACT_ERRNO(EACCES), "newfstatat", &path);
	}
	return r < 0 ? r : add_list(ctx, SCMP_ACT_ERRNO(EACCES), calls_refused_files);
}

static int add_rights(scmp_filter_ctx ctx, unsigned int rights)
{
	static const struct argument_rule seals[] = {
		{"fcntl", EQUAL(1, F_ADD_SEALS)},
		{"fcntl64", EQUAL(1, F_ADD_SEALS)},
	};
	/* Every V4L2 request is of type 'V'; its number is in the second byte of the code. */
	static const struct argument_rule device[] = {{"ioctl", MASKED(1, 0xff00, 'V' << 8)}};
	int r = add_list(ctx, SCMP_ACT_ALLOW, calls_base);

	if (r == 0) {
		r = add_base_arguments(ctx);
	}
	if (r == 0 && (rights & SANDBOX_ACCEPT) != 0) {
		r = add_list(ctx, SCMP_ACT_ALLOW, calls_accept);
	}
	if (r == 0) {
		r = (rights & SANDBOX_FILES) != 0 ? add_files(ctx) : add_refused_files(ctx);
	}
	if (r == 0 && (rights & SANDBOX_DEVICE) != 0) {
		r = add_argument_rules(ctx, device, COUNT(device));
	}
	if (r == 0 && (rights & SANDBOX_SIGNAL) != 0) {
		r = add_list(ctx, SCMP_ACT_ALLOW, calls_signal);
	}
	if (r == 0 && (rights & SANDBOX_RING) != 0) {
		r = add_list(ctx, SCMP_ACT_ALLOW, calls_ring);
		r = r < 0 ? r : add_argument_rules(ctx, seals, COUNT(seals));
	}
	/* glibc names its memory areas with it where the kernel can. */
	return r < 0 ? r : add_rule(ctx, SCMP_ACT_ERRNO(EINVAL), "prctl", NULL);
}

/* As the kernel takes it. */
static int build_once(unsigned int rights, struct sandbox_code *ret)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_TRAP);
	int file = memfd_create("sandbox", MFD_CLOEXEC);
	int r = ctx == NULL ? -ENOMEM : file < 0 ? -errno : add_rights(ctx, rights);

	if (r == 0) {
		r = seccomp_export_bpf(ctx, file);
	}
	if (r == 0) {
		ssize_t n = pread(file, ret->code, sizeof ret->code, 0);

		ret->count = n < 0 ? 0 : (unsigned short)((size_t)n / sizeof ret->code[0]);
		r = ret->count == 0 ? -EIO : 0;
	}
	if (file >= 0) {
		close(file);
	}
	seccomp_release(ctx);
	return r;
}

static bool are_same(const struct sandbox_code *a, const struct sandbox_code *b)
{
	return a->count == b->count && memcmp(a->code, b->code, a->count * sizeof a->code[0]) == 0;
}

int sandbox_calls_build(unsigned int rights, struct sandbox_code *ret)
{
	static struct sandbox_code again; /* too large for a stack */
	const struct itimerval limit = {.it_value.tv_sec = SANDBOX_BUILD_S};
	const struct itimerval none = {.it_value.tv_sec = 0};
	int r;

	if (setitimer(ITIMER_PROF, &limit, NULL) < 0) {
		return -errno;
	}
	/* libseccomp may lose half of a filter for want of memory and say that all is well. */
	r = build_once(rights, ret);
	r = r < 0 ? r : build_once(rights, &again);
	if (r == 0 && !are_same(ret, &again)) {
		r = -ENOMEM;
	}
	(void)setitimer(ITIMER_PROF, &none, NULL);
	return r;
}

int sandbox_calls_load(unsigned int rights)
{
	static struct sandbox_code made;
	struct sock_fprog program = {.filter = made.code};
	long r = install_handler();

	if (r == 0) {
		r = sandbox_calls_build(rights, &made);
	}
	if (r < 0) {
		return (int)r;
	}
	program.len = made.count;
	/* What was compared, and not made once more. */
	r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
	/* Above zero it is the thread that could not be taken along. */
	return r < 0 ? -errno : r > 0 ? -ECANCELED : 0;
}
