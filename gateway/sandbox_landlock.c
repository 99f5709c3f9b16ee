#include "sandbox_landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel's Documentation/userspace-api/landlock.rst; numbers are the same on every
 * architecture. */
enum {
	CALL_CREATE_RULESET = 444,
	CALL_ADD_RULE = 445,
	CALL_RESTRICT_SELF = 446,
	CREATE_RULESET_VERSION = 1,
	RULE_PATH_BENEATH = 1,
};

enum {
	FS_WRITE_FILE = 1 << 1,
	FS_READ_FILE = 1 << 2,
	FS_READ_DIR = 1 << 3,
	FS_REMOVE_DIR = 1 << 4,
	FS_REMOVE_FILE = 1 << 5,
	FS_MAKE_DIR = 1 << 7,
	FS_MAKE_REG = 1 << 8,
	FS_REFER = 1 << 13,
	FS_TRUNCATE = 1 << 14,

	FS_ALL_1 = (1 << 13) - 1,
	FS_ALL_2 = (1 << 14) - 1,
	FS_ALL_3 = (1 << 15) - 1,
	FS_ALL_5 = (1 << 16) - 1,

	FS_READ = FS_READ_FILE | FS_READ_DIR,
	FS_WRITE = FS_READ | FS_WRITE_FILE | FS_REMOVE_DIR | FS_REMOVE_FILE | FS_MAKE_DIR |
		   FS_MAKE_REG | FS_REFER | FS_TRUNCATE,
	FS_OF_FILES = FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE,

	TCP_BIND_AND_CONNECT = 3,
	SCOPE_ABSTRACT_SOCKET = 1,
	SCOPE_SIGNAL = 2,
};

struct ruleset {
	uint64_t fs;
	uint64_t net; /* from version 4 on */
	uint64_t scoped; /* from version 6 on */
};

struct path_rule {
	uint64_t allowed;
	int32_t parent_fd;
} __attribute__((packed));

int landlock_version(void)
{
	long r = syscall(CALL_CREATE_RULESET, NULL, 0, CREATE_RULESET_VERSION);

	return r < 0 ? 0 : (int)r;
}

static uint64_t fs_rights(int version)
{
	if (version >= 5) {
		return FS_ALL_5;
	}
	return version >= 3 ? FS_ALL_3 : version == 2 ? FS_ALL_2 : FS_ALL_1;
}

static int allow_path(int ruleset, const char *path, uint64_t allowed)
{
	struct stat st;
	struct path_rule rule = {.allowed = allowed};
	int r = 0;

	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0) {
		return -errno;
	}
	if (fstat(rule.parent_fd, &st) == 0 && !S_ISDIR(st.st_mode)) {
		rule.allowed &= FS_OF_FILES;
	}
	if (syscall(CALL_ADD_RULE, ruleset, RULE_PATH_BENEATH, &rule, 0) < 0) {
		r = -errno;
	}
	(void)close(rule.parent_fd);
	return r;
}

static int allow_paths(int ruleset, const struct sandbox *s, uint64_t handled)
{
	for (const char *const *p = s->writable; p != NULL && *p != NULL; p++) {
		int r = allow_path(ruleset, *p, FS_WRITE & handled);

		if (r < 0) {
			return r;
		}
	}
	for (const char *const *p = s->readable; p != NULL && *p != NULL; p++) {
		int r = allow_path(ruleset, *p, FS_READ & handled);

		if (r < 0 && r != -ENOENT) {
			return r;
		}
	}
	return 0;
}

int landlock_enter(const struct sandbox *s, int version)
{
	struct ruleset rules = {.fs = fs_rights(version)};
	size_t size = sizeof rules.fs;
	int r = 0;

	if (version >= LANDLOCK_HAS_TCP) {
		rules.net = TCP_BIND_AND_CONNECT;
		size = sizeof rules.fs + sizeof rules.net;
	}
	if (version >= LANDLOCK_HAS_SCOPES) {
		rules.scoped = SCOPE_ABSTRACT_SOCKET;
		rules.scoped |= (s->rights & SANDBOX_SIGNAL) != 0 ? 0 : SCOPE_SIGNAL;
		size = sizeof rules;
	}
	int fd = (int)syscall(CALL_CREATE_RULESET, &rules, size, 0);
	if (fd < 0) {
		return -errno;
	}
	if ((s->rights & SANDBOX_FILES) != 0) {
		r = allow_paths(fd, s, rules.fs);
	}
	if (r == 0 && syscall(CALL_RESTRICT_SELF, fd, 0) < 0) {
		r = -errno;
	}
	(void)close(fd);
	return r;
}
