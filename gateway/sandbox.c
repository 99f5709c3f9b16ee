#include "sandbox.h"
#include "sandbox_calls.h"
#include "sandbox_landlock.h"

#include <errno.h>
#include <linux/capability.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum {
	/* What a role may want to lock: secure heap, buffers of pictures. */
	MEMORY_LOCK_BYTES = 64 << 20,
	/* Freed memory is filled with the inverse of this byte, fresh memory with it. */
	HEAP_PERTURB = 0xa5,
};

#ifdef CAMGATE_SANITIZED
static const bool sanitized = true;
#else
static const bool sanitized = false;
#endif

static void limit_core_dumps(void)
{
	const struct rlimit none = {0, 0};

	(void)setrlimit(RLIMIT_CORE, &none);
	/* The leak checker traces its own process, which needs it dumpable. */
	if (!sanitized) {
		(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	}
}

static void raise_memory_lock(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_MEMLOCK, &limit) < 0 || limit.rlim_cur >= MEMORY_LOCK_BYTES) {
		return;
	}
	/* Only root may raise the hard limit. */
	if (limit.rlim_max < MEMORY_LOCK_BYTES) {
		const struct rlimit wanted = {MEMORY_LOCK_BYTES, MEMORY_LOCK_BYTES};

		if (setrlimit(RLIMIT_MEMLOCK, &wanted) == 0) {
			return;
		}
	}
	limit.rlim_cur = limit.rlim_max < MEMORY_LOCK_BYTES ? limit.rlim_max : MEMORY_LOCK_BYTES;
	(void)setrlimit(RLIMIT_MEMLOCK, &limit);
}

/* LIBV4L1_FLAGS, LIBV4LCONTROL_…: they make libv4l2 load, log and convert as somebody else likes.
 */
static void drop_environment(void)
{
	for (char **e = environ; *e != NULL;) {
		char name[128];
		size_t size = strcspn(*e, "=");

		if (strncmp(*e, "LIBV4L", 6) != 0 || size >= sizeof name) {
			e++;
			continue;
		}
		memcpy(name, *e, size);
		name[size] = '\0';
		/* unsetenv moves the rest down to e. */
		if (unsetenv(name) != 0) {
			e++;
		}
	}
}

void sandbox_prepare(bool perturb_heap)
{
	limit_core_dumps();
	raise_memory_lock();
	(void)umask(077);
	drop_environment();
	if (perturb_heap && !sanitized) {
		(void)mallopt(M_PERTURB, HEAP_PERTURB);
	}
	/* The time zone's file cannot be read later. */
	tzset();
}

/* A role that was started by root gives up what makes root more than a user name. */
static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0}};
	struct __user_cap_data_struct held[2];

	/* Where a service manager left us none, it may have taken the call away as well. */
	if (syscall(SYS_capget, &header, held) == 0 && memcmp(held, none, sizeof(none)) == 0) {
		return 0;
	}
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return syscall(SYS_capset, &header, none) < 0 ? -errno : 0;
}

struct report {
	char *text;
	size_t size;
	size_t used;
	bool lacks;
};

static void report_add(struct report *r, const char *separator, const char *format, va_list ap)
{
	int n;

	if (r->size == 0) {
		return;
	}
	n = snprintf(r->text + r->used, r->size - r->used, "%s", r->used == 0 ? "" : separator);
	if (n > 0) {
		r->used = r->used + (size_t)n < r->size ? r->used + (size_t)n : r->size - 1;
	}
	n = vsnprintf(r->text + r->used, r->size - r->used, format, ap);
	if (n > 0) {
		r->used = r->used + (size_t)n < r->size ? r->used + (size_t)n : r->size - 1;
	}
}

__attribute__((format(printf, 2, 3))) static void report_got(
	struct report *r, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	report_add(r, ", ", format, ap);
	va_end(ap);
}

__attribute__((format(printf, 2, 3))) static void report_lack(
	struct report *r, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	report_add(r, r->lacks ? ", " : "; not had: ", format, ap);
	va_end(ap);
	r->lacks = true;
}

static void report_landlock(struct report *r, int version)
{
	if (sanitized) {
		report_lack(r, "landlock (sanitizer build)");
	} else if (version == 0) {
		report_lack(r, "landlock (not in this kernel)");
	} else {
		if (version < LANDLOCK_HAS_TCP) {
			report_lack(r, "landlock's network rules (kernel has version %d)", version);
		}
		if (version < LANDLOCK_HAS_SCOPES) {
			report_lack(r, "landlock's scopes");
		}
	}
}

static void report_write(char *text, size_t size, int version)
{
	struct report r = {.text = text, .size = size};

	if (!sanitized) {
		report_got(&r, "seccomp");
		if (version > 0) {
			report_got(&r, "landlock %d", version);
		}
	}
	report_got(&r, "no core dumps");
	if (sanitized) {
		report_lack(&r, "seccomp (sanitizer build)");
	}
	report_landlock(&r, version);
}

int sandbox_enter(const struct sandbox *s, char *report, size_t size)
{
	int version = landlock_version();
	int r;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
		return -errno;
	}
	r = drop_capabilities();
	if (r < 0) {
		return r;
	}
	if (!sanitized) {
		r = version > 0 ? landlock_enter(s, version) : 0;
		/* Last, because it forbids all of the above. */
		if (r == 0) {
			r = sandbox_calls_load(s->rights);
		}
		if (r < 0) {
			return r;
		}
	}
	report_write(report, size, version);
	return 0;
}
