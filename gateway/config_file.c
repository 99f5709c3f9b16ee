/* config.h: reading the file. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Up to size bytes. The number read, or -errno. */
static ssize_t read_whole(const char *path, char *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	size_t used = 0;
	ssize_t n = 0;

	if (fd < 0) {
		return -errno;
	}
	do {
		used += (size_t)n;
		n = used < size ? read(fd, out + used, size - used) : 0;
	} while (n > 0);
	n = n < 0 ? -errno : (ssize_t)used;
	(void)close(fd);
	return n;
}

static void cannot_read(const struct config_report *report, const char *path, int error)
{
	char problem[CONFIG_PROBLEM_BYTES];

	(void)snprintf(problem, sizeof problem, "cannot read %.400s: %s", path, strerror(-error));
	report->say(report->data, false, problem);
}

int config_read(const char *path, struct config *ret, const struct config_report *report)
{
	char *text = malloc(CONFIG_FILE_MAX_BYTES + 1);
	ssize_t size = text != NULL ? read_whole(path, text, CONFIG_FILE_MAX_BYTES + 1) : -ENOMEM;
	int r;

	if (size > CONFIG_FILE_MAX_BYTES) {
		size = -EFBIG;
	}
	if (size >= 0) {
		r = config_parse(text, (size_t)size, path, ret, report);
	} else {
		r = (int)size;
		if (r != -ENOENT) {
			cannot_read(report, path, r);
		}
	}
	free(text);
	return r;
}
