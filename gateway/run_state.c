#include "run_state.h"
#include "log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* mkdir -p, private. On failure *ret_failed_at is the length of the part that could not be made. */
static int make_directories(const char *path, size_t *ret_failed_at)
{
	char part[PATH_MAX];
	size_t size = strlen(path);

	for (size_t i = 1; i <= size; i++) {
		if (path[i] != '/' && path[i] != '\0') {
			continue;
		}
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdir(part, 0700) < 0 && errno != EEXIST) {
			int r = -errno;

			/* A read-only parent that has the directory already is none of our
			 * business. */
			if (access(part, X_OK) == 0) {
				continue;
			}
			*ret_failed_at = i;
			return r;
		}
	}
	return 0;
}

static int check_directory(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0) {
		return -errno;
	}
	if (!S_ISDIR(st.st_mode)) {
		return -ENOTDIR;
	}
	if (st.st_uid != geteuid()) {
		log_error("%s belongs to another user (uid %u); run camgate as that user, or "
			  "choose another "
			  "directory with --state DIR",
			path, (unsigned int)st.st_uid);
		return -EPERM;
	}
	if (access(path, R_OK | W_OK | X_OK) < 0) {
		return -errno;
	}
	return 0;
}

static int make_one(const char *path)
{
	size_t failed_at = 0;
	int r = make_directories(path, &failed_at);

	if (r < 0) {
		log_error("cannot make the directory %.*s: %s; choose another with --state DIR",
			(int)failed_at, path, strerror(-r));
		return r;
	}
	r = check_directory(path);
	if (r < 0 && r != -EPERM) {
		log_error("cannot use %s: %s; choose another with --state DIR", path, strerror(-r));
	}
	return r;
}

int run_state_make(const struct options *o)
{
	int r = make_one(o->state_dir);

	return r < 0 ? r : make_one(o->socket_dir);
}
