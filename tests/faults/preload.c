/*
 * Preloaded into a hub: calls of one of its roles fail as the test says (injection.h). Which role
 * this process is, its first argument says; in all others nothing happens.
 *
 * A role that dies by a signal of its own making says on standard error where it was.
 */
#include "preload.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FRAMES = 32 };

static struct injection *injection;
static enum injection_role role;
static atomic_bool starved; /* an allocation of this process has failed */
/* Looking up functions and telling descriptors apart is no business of the role. */
static __thread unsigned int quiet __attribute__((tls_model("initial-exec")));

void *next_of(_Atomic(void *) *cache, const char *name)
{
	void *found = atomic_load(cache);
	if (found == NULL) {
		quiet++;
		found = dlsym(RTLD_NEXT, name);
		quiet--;
		atomic_store(cache, found);
	}
	return found;
}

bool inject_is_due(enum injection_kind kind)
{
	if (injection == NULL || quiet > 0) {
		return false;
	}
	struct injection_rate *rate = &injection->rates[role][kind];
	uint32_t of = atomic_load_explicit(&rate->of, memory_order_relaxed);
	return of != 0 && atomic_fetch_add(&injection->seen[role][kind], 1) % of < rate->fail;
}

void inject_count(enum injection_kind kind)
{
	atomic_fetch_add(&injection->injected[role][kind], 1);
	if (kind == INJECT_ALLOCATION) {
		atomic_store(&starved, true);
	}
}

bool inject(enum injection_kind kind)
{
	if (!inject_is_due(kind)) {
		return false;
	}
	inject_count(kind);
	return true;
}

enum descriptor descriptor_of(int fd)
{
	int before = errno, type = 0;
	socklen_t size = sizeof(type);
	struct stat st;
	enum descriptor is = DESCRIPTOR_OTHER;
	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0) {
		is = type == SOCK_STREAM ? DESCRIPTOR_STREAM : DESCRIPTOR_PACKETS;
	} else if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		is = DESCRIPTOR_FILE;
	}
	errno = before;
	return is;
}

/* Whose code it was: the innermost that is neither ours nor libc's. */
static bool died_in_library(void *const *frames, int count)
{
	for (int i = 0; i < count; i++) {
		Dl_info from = {0};
		if (dladdr(frames[i], &from) == 0 || from.dli_fname == NULL) {
			return false;
		}
		if (strstr(from.dli_fname, "libfaults") == NULL &&
			strstr(from.dli_fname, "/libc.so") == NULL) {
			return strstr(from.dli_fname, "libcrypto") != NULL ||
			       strstr(from.dli_fname, "libseccomp") != NULL;
		}
	}
	return false;
}

/* The default action comes when we return. */
static void on_death(int signal_number)
{
	static const char here[] = "injection: died here\n";
	static const char there[] =
		"injection: died in libcrypto or libseccomp, which had no memory\n";
	void *frames[FRAMES];
	quiet++;
	(void)signal(signal_number, SIG_DFL);
	int count = backtrace(frames, FRAMES);
	/* The rate may be none again by now. */
	bool excused = atomic_load(&starved) && died_in_library(frames, count);
	if (excused) {
		atomic_fetch_add(&injection->library_deaths, 1);
	}
	if (write(STDERR_FILENO, excused ? there : here,
		    (excused ? sizeof(there) : sizeof(here)) - 1) > 0) {
		backtrace_symbols_fd(frames, count, STDERR_FILENO);
	}
	quiet--;
	(void)raise(signal_number);
}

static void watch_death(void)
{
	static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
	void *frames[1];
	(void)backtrace(frames, 1); /* loads what it needs */
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		(void)signal(signals[i], on_death);
	}
}

static struct injection *map(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	void *at = MAP_FAILED;
	if (fd >= 0) {
		at = mmap(
			NULL, sizeof(struct injection), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		(void)close(fd);
	}
	return at == MAP_FAILED ? NULL : at;
}

__attribute__((constructor)) static void preload_start(int argc, char **argv, char **environment)
{
	static const char *const roles[INJECT_ROLES] = {"camera", "keeper", "web"};
	static const char variable[] = INJECTION_VARIABLE "=";
	const char *path = NULL;
	int is = INJECT_ROLES;
	for (int i = 0; argc > 1 && i < INJECT_ROLES; i++) {
		is = strcmp(argv[1], roles[i]) == 0 ? i : is;
	}
	for (char **e = environment; *e != NULL; e++) {
		if (strncmp(*e, variable, sizeof(variable) - 1) == 0) {
			path = *e + sizeof(variable) - 1;
		}
	}
	if (is == INJECT_ROLES || path == NULL) {
		return;
	}
	files_start();
	sockets_start();
	watch_death();
	role = (enum injection_role)is;
	injection = map(path);
	if (injection == NULL) {
		/* A test that believes it injects must not pass. */
		_exit(125);
	}
}
