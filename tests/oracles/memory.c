#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_BYTES = 1 << 20 };

struct search {
	int memory;
	size_t piece;
	struct canary_owner owner;
};

/* Searches [start, end) in overlapping parts. */
static unsigned int search_range(const struct search *s, uint64_t start, uint64_t end)
{
	static uint8_t data[READ_BYTES];
	unsigned int n = 0;
	while (start < end) {
		size_t want = end - start < READ_BYTES ? (size_t)(end - start) : READ_BYTES;
		ssize_t got = pread(s->memory, data, want, (off_t)start);
		if (got <= 0) {
			break;
		}
		n += canary_count(data, (size_t)got, s->piece, s->owner);
		if ((size_t)got <= s->piece) {
			break;
		}
		start += (uint64_t)got == end - start ? (uint64_t)got : (uint64_t)got - s->piece;
	}
	/* What we read is in our own memory now. */
	explicit_bzero(data, sizeof(data));
	return n;
}

static int search_maps(const struct search *s, FILE *maps)
{
	char line[512];
	unsigned int n = 0;
	while (fgets(line, sizeof(line), maps) != NULL) {
		unsigned long long start, end;
		char rights[8];
		if (sscanf(line, "%llx-%llx %7s", &start, &end, rights) == 3 && rights[0] == 'r' &&
			strstr(line, "[vvar") == NULL && strstr(line, "[vsyscall") == NULL) {
			n += search_range(s, start, end);
		}
	}
	return (int)n;
}

int memory_search(pid_t pid, size_t piece, struct canary_owner owner)
{
	char path[64];
	struct search s = {.memory = -1, .piece = piece, .owner = owner};
	int result = -EACCES;
	(void)snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	FILE *maps = fopen(path, "re");
	(void)snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	s.memory = open(path, O_RDONLY | O_CLOEXEC);
	if (maps != NULL && s.memory >= 0 && (pid == getpid() || kill(pid, SIGSTOP) == 0)) {
		result = search_maps(&s, maps);
	}
	if (pid != getpid()) {
		(void)kill(pid, SIGCONT);
	}
	if (maps != NULL) {
		(void)fclose(maps);
	}
	if (s.memory >= 0) {
		close(s.memory);
	}
	return result;
}
