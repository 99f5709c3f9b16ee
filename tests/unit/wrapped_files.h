/*
 * SQLite's files with methods of the test in the place of real ones: in every file that is opened
 * after files_wrap, which is called once, before any. One thread.
 */
#ifndef CAMGATE_TESTS_WRAPPED_FILES_H
#define CAMGATE_TESTS_WRAPPED_FILES_H

#include <sqlite3.h>
#include <stddef.h>

/* One for each kind of file that the real one has. The copy comes first: a file points to it. */
struct file_methods {
	sqlite3_io_methods copy;
	const sqlite3_io_methods *real;
};

static struct {
	void (*replace)(sqlite3_io_methods *methods);
	struct file_methods methods[4];
	sqlite3_vfs vfs, *real;
} wrapped;

/* What the methods of this file were. */
static inline const sqlite3_io_methods *file_methods_real(const sqlite3_file *file)
{
	return ((const struct file_methods *)(const void *)file->pMethods)->real;
}

static inline int wrapped_open(
	sqlite3_vfs *v, const char *name, sqlite3_file *file, int flags, int *ret_flags)
{
	int r = wrapped.real->xOpen(wrapped.real, name, file, flags, ret_flags);

	(void)v;
	for (size_t i = 0;
		r == SQLITE_OK && i < sizeof(wrapped.methods) / sizeof(wrapped.methods[0]); i++) {
		struct file_methods *m = &wrapped.methods[i];

		if (m->real == NULL) {
			m->real = file->pMethods;
			m->copy = *file->pMethods;
			wrapped.replace(&m->copy);
		}
		if (m->real == file->pMethods) {
			file->pMethods = &m->copy;
			return SQLITE_OK;
		}
	}
	return r == SQLITE_OK ? SQLITE_ERROR : r;
}

/* replace puts the test's methods into those of a kind of file. An SQLite error code. */
static inline int files_wrap(void (*replace)(sqlite3_io_methods *methods))
{
	wrapped.replace = replace;
	wrapped.real = sqlite3_vfs_find(NULL);
	wrapped.vfs = *wrapped.real;
	wrapped.vfs.zName = "wrapped";
	wrapped.vfs.xOpen = wrapped_open;
	return sqlite3_vfs_register(&wrapped.vfs, 1);
}

#endif
