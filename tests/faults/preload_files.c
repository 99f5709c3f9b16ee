/*
 * Reading, writing and making descriptors. Standard error is left alone: what a role says of a
 * fault is what a test reads.
 */
#include "preload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* The call fails with this, or 0. */
static int failure(int fd, bool writes)
{
	if (fd <= STDERR_FILENO) {
		return 0;
	}
	if (inject(INJECT_INTERRUPT)) {
		return EINTR;
	}
	if (inject_is_due(INJECT_AGAIN) && descriptor_of(fd) >= DESCRIPTOR_STREAM &&
		(fcntl(fd, F_GETFL) & O_NONBLOCK) != 0) {
		inject_count(INJECT_AGAIN);
		return EAGAIN;
	}
	if (writes && descriptor_of(fd) == DESCRIPTOR_FILE && inject(INJECT_DISK)) {
		return ENOSPC;
	}
	return 0;
}

enum { PIECES = 16 };

/* How many of these bytes are moved. */
static size_t shortened(int fd, size_t size)
{
	if (fd <= STDERR_FILENO || size < 2 || !inject_is_due(INJECT_SHORT)) {
		return size;
	}
	enum descriptor is = descriptor_of(fd);
	if (is != DESCRIPTOR_STREAM && is != DESCRIPTOR_FILE) {
		return size;
	}
	inject_count(INJECT_SHORT);
	return 1 + size / PIECES;
}

static int fails(int error)
{
	errno = error;
	return -1;
}

EXPORT ssize_t read(int fd, void *out, size_t size)
{
	static _Atomic(void *) next;
	int error = failure(fd, false);
	if (error != 0) {
		return fails(error);
	}
	return ((ssize_t(*)(int, void *, size_t))next_of(&next, "read"))(
		fd, out, shortened(fd, size));
}

ssize_t __read_chk(int fd, void *out, size_t size, size_t room);
EXPORT ssize_t __read_chk(int fd, void *out, size_t size, size_t room)
{
	if (size > room) {
		abort();
	}
	return read(fd, out, size);
}

EXPORT ssize_t write(int fd, const void *data, size_t size)
{
	static _Atomic(void *) next;
	int error = failure(fd, true);
	if (error != 0) {
		return fails(error);
	}
	return ((ssize_t(*)(int, const void *, size_t))next_of(&next, "write"))(
		fd, data, shortened(fd, size));
}

EXPORT ssize_t pread(int fd, void *out, size_t size, off_t offset)
{
	static _Atomic(void *) next;
	int error = failure(fd, false);
	if (error != 0) {
		return fails(error);
	}
	return ((ssize_t(*)(int, void *, size_t, off_t))next_of(&next, "pread"))(
		fd, out, shortened(fd, size), offset);
}

EXPORT ssize_t pread64(int fd, void *out, size_t size, off64_t offset)
{
	return pread(fd, out, size, (off_t)offset);
}

EXPORT ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
	static _Atomic(void *) next;
	int error = failure(fd, true);
	if (error != 0) {
		return fails(error);
	}
	return ((ssize_t(*)(int, const void *, size_t, off_t))next_of(&next, "pwrite"))(
		fd, data, shortened(fd, size), offset);
}

EXPORT ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset)
{
	return pwrite(fd, data, size, (off_t)offset);
}

EXPORT int fsync(int fd)
{
	static _Atomic(void *) next;
	return inject(INJECT_DISK) ? fails(EIO) : ((int (*)(int))next_of(&next, "fsync"))(fd);
}

EXPORT int fdatasync(int fd)
{
	static _Atomic(void *) next;
	return inject(INJECT_DISK) ? fails(EIO) : ((int (*)(int))next_of(&next, "fdatasync"))(fd);
}

EXPORT int ftruncate(int fd, off_t size)
{
	static _Atomic(void *) next;
	return inject(INJECT_DISK) ? fails(EIO)
				   : ((int (*)(int, off_t))next_of(&next, "ftruncate"))(fd, size);
}

EXPORT int ftruncate64(int fd, off64_t size)
{
	return ftruncate(fd, (off_t)size);
}

EXPORT int rename(const char *from, const char *to)
{
	static _Atomic(void *) next;
	return inject(INJECT_DISK)
		       ? fails(ENOSPC)
		       : ((int (*)(const char *, const char *))next_of(&next, "rename"))(from, to);
}

/* ---- making descriptors ---- */

/* Calls the real NAME(path, flags, mode). */
#define DEFINE_OPEN(name)                                                                          \
	EXPORT int name(const char *path, int flags, ...);                                         \
	EXPORT int name(const char *path, int flags, ...)                                          \
	{                                                                                          \
		static _Atomic(void *) next;                                                       \
		va_list arguments;                                                                 \
		va_start(arguments, flags);                                                        \
		mode_t mode = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE           \
				      ? va_arg(arguments, mode_t)                                  \
				      : 0;                                                         \
		va_end(arguments);                                                                 \
		return inject(INJECT_DESCRIPTOR) ? fails(EMFILE)                                   \
						 : ((int (*)(const char *, int, ...))next_of(      \
							   &next, #name))(path, flags, mode);      \
	}

#undef open
#undef open64
DEFINE_OPEN(open)
DEFINE_OPEN(open64)
DEFINE_OPEN(__open_2)
DEFINE_OPEN(__open64_2)

EXPORT FILE *fopen(const char *restrict path, const char *restrict mode)
{
	static _Atomic(void *) next;
	if (inject(INJECT_DESCRIPTOR)) {
		errno = EMFILE;
		return NULL;
	}
	return ((FILE * (*)(const char *, const char *)) next_of(&next, "fopen"))(path, mode);
}

EXPORT int memfd_create(const char *name, unsigned int flags)
{
	static _Atomic(void *) next;
	return inject(INJECT_DESCRIPTOR) ? fails(EMFILE)
					 : ((int (*)(const char *, unsigned int))next_of(
						   &next, "memfd_create"))(name, flags);
}

EXPORT int eventfd(unsigned int value, int flags)
{
	static _Atomic(void *) next;
	return inject(INJECT_DESCRIPTOR)
		       ? fails(EMFILE)
		       : ((int (*)(unsigned int, int))next_of(&next, "eventfd"))(value, flags);
}

EXPORT int pipe2(int ret[2], int flags)
{
	static _Atomic(void *) next;
	return inject(INJECT_DESCRIPTOR)
		       ? fails(EMFILE)
		       : ((int (*)(int *, int))next_of(&next, "pipe2"))(ret, flags);
}

/* open_64 and the like are found when they are called first, which is before a sandbox. */
void files_start(void)
{
	char byte = 0;
	(void)read(-1, &byte, 1);
	(void)pread(-1, &byte, 1, 0);
	(void)write(-1, &byte, 1);
	(void)pwrite(-1, &byte, 1, 0);
	(void)fsync(-1);
	(void)fdatasync(-1);
	(void)ftruncate(-1, 0);
	(void)mlock2(NULL, 0, 0);
}
