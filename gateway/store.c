#include "store_sql.h"
#include "keys.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* mkdir -p with mode 0700 for what is missing. */
static int make_directory(const char *path)
{
	char partial[PATH_MAX];
	size_t length = strlen(path);
	struct stat st;
	int refused = 0;

	if (length == 0 || length >= sizeof(partial)) {
		return -ENAMETOOLONG;
	}
	memcpy(partial, path, length + 1);
	for (size_t i = 1; i <= length; i++) {
		if (partial[i] != '/' && partial[i] != 0) {
			continue;
		}
		partial[i] = 0;
		/* What is there already may well be in a directory where nothing can be made. */
		refused = mkdir(partial, 0700) < 0 && errno != EEXIST ? errno : 0;
		partial[i] = '/';
	}
	if (stat(path, &st) < 0) {
		return refused != 0 ? -refused : -errno;
	}
	if (!S_ISDIR(st.st_mode)) {
		return -ENOTDIR;
	}
	return access(path, W_OK | X_OK) < 0 ? -errno : 0;
}

static int take_lock(
	struct store *s, const char *state_dir, char problem[static STORE_PROBLEM_BYTES])
{
	char path[PATH_MAX + 16], pid[32] = "";
	ssize_t size;

	snprintf(path, sizeof(path), "%s/lock", state_dir);
	s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (s->lock_fd < 0) {
		size = -errno;
		snprintf(problem, STORE_PROBLEM_BYTES,
			"cannot write in the state directory %.300s: %s; give this user the "
			"directory, "
			"or choose another with --state",
			state_dir, strerror((int)-size));
		return (int)size;
	}
	if (flock(s->lock_fd, LOCK_EX | LOCK_NB) < 0) {
		size = pread(s->lock_fd, pid, sizeof(pid) - 1, 0);
		pid[size > 0 ? size : 0] = 0;
		pid[strcspn(pid, "\n")] = 0;
		snprintf(problem, STORE_PROBLEM_BYTES,
			"the state directory %.300s is in use by another camgate (process %s); "
			"stop that one, "
			"or choose another directory with --state",
			state_dir, pid[0] != 0 ? pid : "unknown");
		return -EBUSY;
	}
	size = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
	if (ftruncate(s->lock_fd, 0) < 0 || pwrite(s->lock_fd, pid, (size_t)size, 0) != size) {
		/* The number is for the message above only: the lock itself is what counts. */
		return 0;
	}
	return 0;
}

static int load_home(struct store *s)
{
	struct store_query q = store_query_init(s, "SELECT value FROM meta WHERE key = 'home'");
	uint8_t home[HOME_ID_BYTES];
	int result = store_step(&q);

	if (result == 1) {
		store_column_blob(&q, 0, home, sizeof(home));
		result = q.error;
		store_query_finish(&q);
	} else if (result == 0) {
		store_query_finish(&q);
		random_bytes(home, sizeof(home));
		q = store_query_init(s, "INSERT INTO meta(key, value) VALUES('home', ?)");
		store_bind_blob(&q, home, sizeof(home));
		result = store_run(&q, NULL);
	} else {
		store_query_finish(&q);
	}
	if (result == 0) {
		memcpy(s->home, home, sizeof(home));
	}
	return result;
}

/* locking_mode first: with it the write-ahead log needs no shared memory file. */
static const char settings[] = "PRAGMA locking_mode = EXCLUSIVE;"
			       "PRAGMA journal_mode = WAL;"
			       "PRAGMA synchronous = FULL;"
			       "PRAGMA foreign_keys = ON;"
			       "PRAGMA temp_store = MEMORY;"
			       "PRAGMA trusted_schema = OFF;";

void store_describe(int error, const char *path, char problem[static STORE_PROBLEM_BYTES])
{
	switch (error) {
	case -ENOTSUP:
		snprintf(problem, STORE_PROBLEM_BYTES,
			"%.300s was written by a newer camgate; upgrade this one, or choose "
			"another directory "
			"with --state",
			path);
		break;
	case -EUCLEAN:
		snprintf(problem, STORE_PROBLEM_BYTES,
			"%.300s is damaged or no camgate database; restore it from a backup, or "
			"move it away "
			"to start anew (every display then has to be paired again)",
			path);
		break;
	default:
		snprintf(problem, STORE_PROBLEM_BYTES, "cannot use the database %.300s: %s", path,
			strerror(-error));
	}
}

int store_init(struct store *s, const char *state_dir, char problem[static STORE_PROBLEM_BYTES])
{
	char path[PATH_MAX + 16];
	mode_t mask;
	int result;

	*s = (struct store){.lock_fd = -1};
	store_act_for(s, NULL);
	result = make_directory(state_dir);
	if (result < 0) {
		snprintf(problem, STORE_PROBLEM_BYTES,
			"cannot write in the state directory %.300s: %s; give this user the "
			"directory, "
			"or choose another with --state",
			state_dir, strerror(-result));
		return result;
	}
	result = take_lock(s, state_dir, problem);
	if (result < 0) {
		goto fail;
	}
	snprintf(path, sizeof(path), "%s/camgate.db", state_dir);
	mask = umask(077);
	result = store_sql_error(sqlite3_open_v2(path, &s->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOFOLLOW, NULL));
	if (result == 0) {
		result = store_exec(s, settings);
	}
	if (result == 0) {
		result = store_schema_check(s);
	}
	if (result == 0) {
		result = load_home(s);
	}
	if (result == 0) {
		result = store_camera_forget_run(s);
	}
	umask(mask);
	if (result < 0) {
		store_describe(result, path, problem);
		goto fail;
	}
	return 0;
fail:
	store_finish(s);
	return result;
}

void store_finish(struct store *s)
{
	sqlite3_close(s->db);
	if (s->lock_fd >= 0) {
		close(s->lock_fd);
	}
	*s = (struct store){.lock_fd = -1};
}

void store_act_for(struct store *s, const char *by)
{
	snprintf(s->by, sizeof(s->by), "%s", by != NULL ? by : "camgate");
}

int store_begin(struct store *s)
{
	return store_exec(s, "SAVEPOINT change");
}

int store_commit(struct store *s)
{
	int result = store_exec(s, "RELEASE change");

	if (result < 0) {
		store_rollback(s);
	}
	return result;
}

void store_rollback(struct store *s)
{
	/* After some errors SQLite has rolled back already; then this fails, and nothing is lost.
	 * After others (what could not be read) it does not end a change in this way, and would
	 * take no other until the keeper starts anew. A change around this one has nothing to
	 * commit then, and is refused too. */
	if (store_exec(s, "ROLLBACK TO change; RELEASE change") < 0 &&
		sqlite3_get_autocommit(s->db) == 0) {
		(void)store_exec(s, "ROLLBACK");
	}
}
