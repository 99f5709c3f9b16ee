/* Allocations. glibc's own are exported under names of their own, and free takes theirs. */
#include "preload.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *at, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static bool no_memory(enum injection_kind kind)
{
	if (!inject(kind)) {
		return false;
	}
	errno = ENOMEM;
	return true;
}

EXPORT void *malloc(size_t size)
{
	return no_memory(INJECT_ALLOCATION) ? NULL : __libc_malloc(size);
}

EXPORT void *calloc(size_t count, size_t size)
{
	return no_memory(INJECT_ALLOCATION) ? NULL : __libc_calloc(count, size);
}

EXPORT void *realloc(void *at, size_t size)
{
	return size > 0 && no_memory(INJECT_ALLOCATION) ? NULL : __libc_realloc(at, size);
}

EXPORT void *reallocarray(void *at, size_t count, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(count, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(at, bytes);
}

EXPORT void *aligned_alloc(size_t alignment, size_t size)
{
	return no_memory(INJECT_ALLOCATION) ? NULL : __libc_memalign(alignment, size);
}

EXPORT int posix_memalign(void **ret, size_t alignment, size_t size)
{
	int before = errno;
	void *at = no_memory(INJECT_ALLOCATION) ? NULL : __libc_memalign(alignment, size);
	errno = before;
	if (at == NULL) {
		return ENOMEM;
	}
	*ret = at;
	return 0;
}

/* ---- OpenSSL's secure heap ---- */

EXPORT void *CRYPTO_secure_malloc(size_t size, const char *file, int line)
{
	static _Atomic(void *) next;
	if (no_memory(INJECT_SECURE)) {
		return NULL;
	}
	return ((void *(*)(size_t, const char *, int))next_of(&next, "CRYPTO_secure_malloc"))(
		size, file, line);
}

EXPORT void *CRYPTO_secure_zalloc(size_t size, const char *file, int line)
{
	static _Atomic(void *) next;
	if (no_memory(INJECT_SECURE)) {
		return NULL;
	}
	return ((void *(*)(size_t, const char *, int))next_of(&next, "CRYPTO_secure_zalloc"))(
		size, file, line);
}

/* ---- mappings ---- */

EXPORT void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
	static _Atomic(void *) next;
	if (no_memory(INJECT_MAPPING)) {
		return MAP_FAILED;
	}
	return ((void *(*)(void *, size_t, int, int, int, off_t))next_of(&next, "mmap"))(
		at, size, protection, flags, fd, offset);
}

EXPORT void *mmap64(void *at, size_t size, int protection, int flags, int fd, off64_t offset)
{
	return mmap(at, size, protection, flags, fd, (off_t)offset);
}

EXPORT int mlock2(const void *at, size_t size, unsigned int flags)
{
	static _Atomic(void *) next;
	if (no_memory(INJECT_MAPPING)) {
		return -1;
	}
	return ((int (*)(const void *, size_t, unsigned int))next_of(&next, "mlock2"))(
		at, size, flags);
}
