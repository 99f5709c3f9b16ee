/* store.h: a look at a database that nobody uses, which changes nothing. */
#include "store_sql.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

int store_lock(const char *state_dir, bool alone)
{
	char path[PATH_MAX + 16];
	int fd, result;

	snprintf(path, sizeof(path), "%s/lock", state_dir);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0) {
		return -errno;
	}
	if (flock(fd, (alone ? LOCK_EX : LOCK_SH) | LOCK_NB) < 0) {
		result = errno == EWOULDBLOCK ? -EBUSY : -errno;
		close(fd);
		return result;
	}
	return fd;
}

/* immutable: SQLite neither looks for a log beside the file nor makes one. */
static int make_uri(const char *path, char *out, size_t size)
{
	size_t used = (size_t)snprintf(out, size, "file:");

	for (; *path != 0; path++) {
		if (used + 32 > size) {
			return -ENAMETOOLONG;
		}
		if (isalnum((unsigned char)*path) || strchr("/-_.", *path) != NULL) {
			out[used++] = *path;
		} else {
			used += (size_t)snprintf(
				out + used, size - used, "%%%02x", (unsigned char)*path);
		}
	}
	snprintf(out + used, size - used, "?immutable=1");
	return 0;
}

/* What was written and not yet moved into the database: the next keeper does that. */
static bool has_log(const char *path)
{
	char log[PATH_MAX + 32];
	struct stat st;

	snprintf(log, sizeof(log), "%s-wal", path);
	return stat(log, &st) == 0 && st.st_size > 0;
}

static int inspect(struct store *s, const char *path)
{
	char uri[3 * PATH_MAX + 64];
	int64_t version;
	int result = make_uri(path, uri, sizeof(uri));

	if (result == 0) {
		result = store_sql_error(
			sqlite3_open_v2(uri, &s->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL));
	}
	return result == 0 ? store_schema_inspect(s, &version) : result;
}

int store_inspect(const char *state_dir, char problem[static STORE_PROBLEM_BYTES])
{
	struct store s = {.lock_fd = -1};
	char path[PATH_MAX + 16];
	int result;

	snprintf(path, sizeof(path), "%s/camgate.db", state_dir);
	if (access(path, R_OK) < 0) {
		return -errno;
	}
	s.lock_fd = store_lock(state_dir, false);
	if (s.lock_fd < 0 && s.lock_fd != -ENOENT) {
		return s.lock_fd;
	}
	result = has_log(path) ? -EAGAIN : inspect(&s, path);
	store_finish(&s);
	if (result < 0 && result != -EAGAIN) {
		store_describe(result, path, problem);
	}
	return result;
}
