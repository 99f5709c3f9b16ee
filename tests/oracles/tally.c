#include "tally.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void tally_add(const char *what, uint64_t n)
{
	const char *path = getenv("TALLY");
	char line[96];

	if (path == NULL || path[0] == '\0') {
		return;
	}
	int size = snprintf(line, sizeof(line), "%s %" PRIu64 "\n", what, n);
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	/* One write, as several programs add to it at once. */
	if (fd < 0 || write(fd, line, (size_t)size) != size) {
		perror(path);
		exit(1);
	}
	(void)close(fd);
}
