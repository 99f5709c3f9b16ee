/*
 * A disk beneath SQLite that does, by chance, what disks and kernels may do: disk_arm chooses one
 * of them, which happens from then on until disk.armed is false. One disk, one thread.
 */
#ifndef CAMGATE_TESTS_FAILING_DISK_H
#define CAMGATE_TESTS_FAILING_DISK_H

#include "wrapped_files.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>

enum { CUT_WITHIN = 16 };

static uint64_t chance_state;

/* xorshift64* */
static inline unsigned int chance(unsigned int below)
{
	chance_state ^= chance_state >> 12;
	chance_state ^= chance_state << 25;
	chance_state ^= chance_state >> 27;
	return (unsigned int)((chance_state * 0x2545f4914f6cdd1du >> 33) % below);
}

enum fault { SHORT, INTERRUPT, UNREADABLE, FULL, UNSYNCED, CUT, TORN, FAULTS };

static const char *const fault_names[FAULTS] = {
	"short", "interrupt", "read", "disk", "sync", "power-cut", "power-cut"};
static struct {
	bool armed;
	enum fault kind;
	unsigned int every, at, seen; /* one call of so many fails; or all from the at-th on */
	uint64_t injected[FAULTS];
} disk;

static inline void disk_arm(void)
{
	/* One call of so many fails; a change syncs once, and what is always interrupted hangs. */
	static const struct {
		unsigned int least, choice;
	} every[FAULTS] = {[SHORT] = {1, 3},
		[INTERRUPT] = {2, 2},
		[UNREADABLE] = {2, 8},
		[FULL] = {1, 12},
		[UNSYNCED] = {1, 1}};
	/* Short calls come by the dozen, a full disk or a power cut once in a change. */
	static const enum fault often[] = {SHORT, INTERRUPT, INTERRUPT, UNREADABLE, UNREADABLE,
		FULL, FULL, FULL, FULL, UNSYNCED, UNSYNCED, CUT, CUT, TORN};

	disk.kind = often[chance(sizeof(often) / sizeof(often[0]))];
	disk.every = every[disk.kind].least;
	disk.every += disk.kind < CUT ? chance(every[disk.kind].choice) : 0;
	disk.at = 1 + chance(CUT_WITHIN);
	disk.seen = 0;
	disk.armed = true;
}

static inline bool disk_is_cut(void)
{
	return disk.armed && disk.kind >= CUT && disk.seen >= disk.at;
}

/* Is this the call that the fault of this kind happens to? */
static bool due(enum fault kind)
{
	if (!disk.armed || disk.kind != kind || ++disk.seen % disk.every != 0) {
		return false;
	}
	disk.injected[kind]++;
	return true;
}

static ssize_t fails(int error)
{
	errno = error;
	return -1;
}

static ssize_t faulty_read(int fd, void *out, size_t size, off_t offset)
{
	if (due(INTERRUPT)) {
		return fails(EINTR);
	}
	if (due(UNREADABLE)) {
		return fails(EIO);
	}
	return pread(fd, out, size > 1 && due(SHORT) ? size / 2 : size, offset);
}

static ssize_t faulty_write(int fd, const void *data, size_t size, off_t offset)
{
	if (disk.armed && disk.kind >= CUT && ++disk.seen >= disk.at) {
		disk.injected[disk.kind] += disk.seen == disk.at;
		if (disk.kind == TORN && disk.seen == disk.at) {
			(void)!pwrite(fd, data, size / 2, offset);
		}
		return fails(EIO);
	}
	if (due(INTERRUPT)) {
		return fails(EINTR);
	}
	if (due(FULL)) {
		return fails(ENOSPC);
	}
	return pwrite(fd, data, size > 1 && due(SHORT) ? size / 2 : size, offset);
}

static int faulty_truncate(int fd, off_t size)
{
	return disk_is_cut() ? (int)fails(EIO) : ftruncate(fd, size);
}

/* ---- syncing is no system call that SQLite lets be replaced ---- */

/* Nothing here outlives the machine, so nothing has to reach its disk. */
static int faulty_sync(sqlite3_file *file, int flags)
{
	(void)file;
	(void)flags;
	return due(UNSYNCED) || disk_is_cut() ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}

static void replace_methods(sqlite3_io_methods *methods)
{
	methods->xSync = faulty_sync;
}

static inline int disk_install(void)
{
	static const struct {
		const char *name;
		sqlite3_syscall_ptr call;
	} calls[] = {{"pread", (sqlite3_syscall_ptr)faulty_read},
		{"pread64", (sqlite3_syscall_ptr)faulty_read},
		{"pwrite", (sqlite3_syscall_ptr)faulty_write},
		{"pwrite64", (sqlite3_syscall_ptr)faulty_write},
		{"ftruncate", (sqlite3_syscall_ptr)faulty_truncate}};
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
	unsigned int replaced = 0;

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		/* Of two widths SQLite has the one that it was built with. */
		if (vfs->xGetSystemCall(vfs, calls[i].name) != NULL) {
			replaced +=
				vfs->xSetSystemCall(vfs, calls[i].name, calls[i].call) == SQLITE_OK;
		}
	}
	return replaced >= 3 && files_wrap(replace_methods) == SQLITE_OK ? 0 : -1;
}

#endif
