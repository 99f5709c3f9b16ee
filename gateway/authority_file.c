#include "authority_file.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include <unistd.h>

static int make_path(
	char path[static PATH_MAX], const char *dir, const char *name, const char *suffix)
{
	int length = snprintf(path, PATH_MAX, "%s/%s%s", dir, name, suffix);

	return length < 0 || length >= PATH_MAX ? -ENAMETOOLONG : 0;
}

int authority_file_read(const char *dir, const char *name, char **ret, size_t *ret_size)
{
	char path[PATH_MAX], *data;
	size_t used = 0;
	ssize_t size = 0;
	int fd, result = make_path(path, dir, name, "");

	if (result < 0) {
		return result;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0) {
		return -errno;
	}
	data = OPENSSL_secure_zalloc(AUTHORITY_FILE_MAX_BYTES);
	if (data == NULL) {
		close(fd);
		return -ENOMEM;
	}
	do {
		used += (size_t)size;
		size = read(fd, data + used, AUTHORITY_FILE_MAX_BYTES - 1 - used);
	} while (size > 0);
	result = size < 0 ? -errno : used == AUTHORITY_FILE_MAX_BYTES - 1 ? -EFBIG : 0;
	close(fd);
	if (result < 0) {
		OPENSSL_secure_clear_free(data, AUTHORITY_FILE_MAX_BYTES);
		return result;
	}
	*ret = data;
	*ret_size = used;
	return 0;
}

static int write_all(int fd, const uint8_t *data, size_t size)
{
	while (size > 0) {
		ssize_t written = write(fd, data, size);

		if (written < 0 && errno != EINTR) {
			return -errno;
		}
		if (written > 0) {
			data += written;
			size -= (size_t)written;
		}
	}
	return fsync(fd) < 0 ? -errno : 0;
}

/* The rename itself is on disk only when the directory is. */
static int sync_directory(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result;

	if (fd < 0) {
		return -errno;
	}
	result = fsync(fd) < 0 ? -errno : 0;
	close(fd);
	return result;
}

int authority_file_write(const char *dir, const char *name, const void *data, size_t size)
{
	char path[PATH_MAX], temporary[PATH_MAX];
	int fd, result = make_path(path, dir, name, "");

	if (result == 0) {
		result = make_path(temporary, dir, name, ".new");
	}
	if (result < 0) {
		return result;
	}
	/* Left by a keeper that died in between: nobody else writes here, the lock file sees to it.
	 */
	(void)unlink(temporary);
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		return -errno;
	}
	result = write_all(fd, data, size);
	if (close(fd) < 0 && result == 0) {
		result = -errno;
	}
	if (result == 0 && rename(temporary, path) < 0) {
		result = -errno;
	}
	if (result < 0) {
		(void)unlink(temporary);
		return result;
	}
	return sync_directory(dir);
}
