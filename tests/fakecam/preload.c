/*
 * The C library's calls that a V4L2 program makes, put in front of the real ones. libv4l2 makes
 * some of them through syscall(), so that is here too. What is no fake device goes on untouched.
 */
#include "device.h"
#include "registry.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

/* The next definition of a function, looked up once. */
static void *next_of(_Atomic(void *) *cache, const char *name)
{
	void *found = atomic_load(cache);
	if (found == NULL) {
		found = dlsym(RTLD_NEXT, name);
		atomic_store(cache, found);
	}
	return found;
}

__attribute__((constructor)) static void preload_start(void)
{
	registry_open();
}

static int answer(int result)
{
	if (result < 0) {
		errno = -result;
		return -1;
	}
	return result;
}

/* ---- open ---- */

static bool open_fake(const char *path, int flags, int *ret)
{
	if (path == NULL || strncmp(path, "/dev/video", 10) != 0 || !registry_open()) {
		return false;
	}
	registry_refresh();
	const struct fakecam_config *c = registry_find_path(path);
	if (c == NULL) {
		return false;
	}
	*ret = answer(device_open(c, flags));
	return true;
}

/* Calls the real NAME(path, flags, mode), or makes a device. */
#define DEFINE_OPEN(name)                                                                          \
	EXPORT int name(const char *path, int flags, ...);                                         \
	EXPORT int name(const char *path, int flags, ...)                                          \
	{                                                                                          \
		static _Atomic(void *) next;                                                       \
		int fd;                                                                            \
		va_list arguments;                                                                 \
		va_start(arguments, flags);                                                        \
		mode_t mode = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE           \
				      ? va_arg(arguments, mode_t)                                  \
				      : 0;                                                         \
		va_end(arguments);                                                                 \
		if (open_fake(path, flags, &fd)) {                                                 \
			return fd;                                                                 \
		}                                                                                  \
		return ((int (*)(const char *, int, ...))next_of(&next, #name))(                   \
			path, flags, mode);                                                        \
	}

#define DEFINE_OPENAT(name)                                                                        \
	EXPORT int name(int at, const char *path, int flags, ...);                                 \
	EXPORT int name(int at, const char *path, int flags, ...)                                  \
	{                                                                                          \
		static _Atomic(void *) next;                                                       \
		int fd;                                                                            \
		va_list arguments;                                                                 \
		va_start(arguments, flags);                                                        \
		mode_t mode = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE           \
				      ? va_arg(arguments, mode_t)                                  \
				      : 0;                                                         \
		va_end(arguments);                                                                 \
		if (open_fake(path, flags, &fd)) {                                                 \
			return fd;                                                                 \
		}                                                                                  \
		return ((int (*)(int, const char *, int, ...))next_of(&next, #name))(              \
			at, path, flags, mode);                                                    \
	}

#undef open
#undef open64
#undef openat
#undef openat64
DEFINE_OPEN(open)
DEFINE_OPEN(open64)
DEFINE_OPEN(__open_2)
DEFINE_OPEN(__open64_2)
DEFINE_OPENAT(openat)
DEFINE_OPENAT(openat64)
DEFINE_OPENAT(__openat_2)
DEFINE_OPENAT(__openat64_2)

/* ---- what is done with a descriptor ---- */

EXPORT int close(int fd)
{
	static _Atomic(void *) next;
	device_forget(fd);
	return ((int (*)(int))next_of(&next, "close"))(fd);
}

EXPORT int dup2(int from, int to)
{
	static _Atomic(void *) next;
	device_forget(to);
	return ((int (*)(int, int))next_of(&next, "dup2"))(from, to);
}

EXPORT int dup3(int from, int to, int flags)
{
	static _Atomic(void *) next;
	device_forget(to);
	return ((int (*)(int, int, int))next_of(&next, "dup3"))(from, to, flags);
}

static bool ioctl_fake(int fd, unsigned long request, void *argument, int *ret)
{
	struct device *d = device_find(fd);
	if (d == NULL && _IOC_TYPE(request) == 'V') {
		d = device_find_duplicate(fd);
	}
	if (d == NULL) {
		return false;
	}
	*ret = answer(device_ioctl(d, fd, (uint32_t)request, argument));
	return true;
}

EXPORT int ioctl(int fd, unsigned long request, ...)
{
	static _Atomic(void *) next;
	int result;
	va_list arguments;
	va_start(arguments, request);
	void *argument = va_arg(arguments, void *);
	va_end(arguments);
	if (ioctl_fake(fd, request, argument, &result)) {
		return result;
	}
	return ((int (*)(int, unsigned long, ...))next_of(&next, "ioctl"))(fd, request, argument);
}

static int mapped_fd(int fd)
{
	const struct device *d = device_find(fd);
	return d != NULL ? device_memory_fd(d) : fd;
}

EXPORT void *mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset)
{
	static _Atomic(void *) next;
	return ((void *(*)(void *, size_t, int, int, int, off_t))next_of(&next, "mmap"))(
		at, length, protection, flags, mapped_fd(fd), offset);
}

EXPORT void *mmap64(void *at, size_t length, int protection, int flags, int fd, off64_t offset)
{
	static _Atomic(void *) next;
	return ((void *(*)(void *, size_t, int, int, int, off64_t))next_of(&next, "mmap64"))(
		at, length, protection, flags, mapped_fd(fd), offset);
}

EXPORT long syscall(long number, ...)
{
	static _Atomic(void *) next;
	long a[6];
	int result;
	va_list arguments;
	va_start(arguments, number);
	for (int i = 0; i < 6; i++) {
		a[i] = va_arg(arguments, long);
	}
	va_end(arguments);
	switch (number) {
#ifdef SYS_open
	case SYS_open:
		if (open_fake((const char *)a[0], (int)a[1], &result)) {
			return result;
		}
		break;
#endif
	case SYS_openat:
		if (open_fake((const char *)a[1], (int)a[2], &result)) {
			return result;
		}
		break;
	case SYS_ioctl:
		if (ioctl_fake((int)a[0], (unsigned long)a[1], (void *)a[2], &result)) {
			return result;
		}
		break;
	case SYS_mmap:
		a[4] = mapped_fd((int)a[4]);
		break;
	case SYS_close:
		device_forget((int)a[0]);
		break;
	}
	return ((long (*)(long, ...))next_of(&next, "syscall"))(
		number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* ---- what it looks like ---- */

static void status_of(struct stat *st, uint32_t minor)
{
	st->st_mode = S_IFCHR | 0660;
	st->st_rdev = makedev(FAKECAM_MAJOR, minor);
	st->st_size = 0;
}

EXPORT int fstat(int fd, struct stat *st)
{
	static _Atomic(void *) next;
	int result = ((int (*)(int, struct stat *))next_of(&next, "fstat"))(fd, st);
	if (result == 0 && S_ISFIFO(st->st_mode)) {
		int minor = registry_pipe_minor(st->st_ino);
		if (minor >= 0) {
			status_of(st, (uint32_t)minor);
		}
	}
	return result;
}

static bool status_fake(const char *path, struct stat *st)
{
	const struct fakecam_config *c = registry_find_path(path);
	if (c == NULL) {
		return false;
	}
	memset(st, 0, sizeof(*st));
	st->st_ino = 1000 + c->minor;
	st->st_nlink = 1;
	status_of(st, c->minor);
	return true;
}

#define DEFINE_STAT(name)                                                                          \
	EXPORT int name(const char *path, struct stat *st)                                         \
	{                                                                                          \
		static _Atomic(void *) next;                                                       \
		if (status_fake(path, st)) {                                                       \
			return 0;                                                                  \
		}                                                                                  \
		return ((int (*)(const char *, struct stat *))next_of(&next, #name))(path, st);    \
	}

DEFINE_STAT(stat)
DEFINE_STAT(lstat)

/* Where off_t is 64 bits wide the two structs are the same. */
_Static_assert(sizeof(struct stat) == sizeof(struct stat64), "struct stat64 is another one");

EXPORT int fstat64(int fd, struct stat64 *st)
{
	return fstat(fd, (struct stat *)st);
}

EXPORT int stat64(const char *path, struct stat64 *st)
{
	return stat(path, (struct stat *)st);
}

EXPORT int lstat64(const char *path, struct stat64 *st)
{
	return lstat(path, (struct stat *)st);
}

EXPORT int access(const char *path, int mode)
{
	static _Atomic(void *) next;
	const struct fakecam_config *c = registry_find_path(path);
	if (c != NULL) {
		return answer(
			mode != F_OK && fakecam_has_fault(c, FAULT_PERMISSION, NULL) ? -EACCES : 0);
	}
	return ((int (*)(const char *, int))next_of(&next, "access"))(path, mode);
}

EXPORT char *realpath(const char *restrict path, char *restrict resolved)
{
	static _Atomic(void *) next;
	if (registry_find_path(path) != NULL) {
		return resolved == NULL ? strdup(path) : memcpy(resolved, path, strlen(path) + 1);
	}
	return ((char *(*)(const char *, char *))next_of(&next, "realpath"))(path, resolved);
}

/* v4l2-ctl learns from here what kind of device it has. */
static FILE *uevent_fake(const char *path)
{
	unsigned int major, minor;
	char end = '\0';
	if (path == NULL ||
		sscanf(path, "/sys/dev/char/%u:%u/ueven%c", &major, &minor, &end) != 3 ||
		end != 't' || major != FAKECAM_MAJOR || registry_find(minor) == NULL) {
		return NULL;
	}
	int fd = memfd_create("uevent", MFD_CLOEXEC);
	if (fd < 0) {
		return NULL;
	}
	dprintf(fd, "MAJOR=%u\nMINOR=%u\nDEVNAME=video%u\n", major, minor, minor);
	lseek(fd, 0, SEEK_SET);
	return fdopen(fd, "r");
}

EXPORT FILE *fopen(const char *restrict path, const char *restrict mode)
{
	static _Atomic(void *) next;
	FILE *f = uevent_fake(path);
	return f != NULL ? f
			 : ((FILE * (*)(const char *, const char *)) next_of(&next, "fopen"))(
				   path, mode);
}

EXPORT FILE *fopen64(const char *restrict path, const char *restrict mode)
{
	static _Atomic(void *) next;
	FILE *f = uevent_fake(path);
	return f != NULL ? f
			 : ((FILE * (*)(const char *, const char *)) next_of(&next, "fopen64"))(
				   path, mode);
}
