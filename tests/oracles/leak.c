#include "leak.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>

static int count_entries(pid_t pid, const char *what, unsigned int *ret)
{
	char path[64];
	unsigned int n = 0;
	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, what);
	DIR *d = opendir(path);
	if (d == NULL) {
		return -EACCES;
	}
	for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
		n += e->d_name[0] != '.';
	}
	(void)closedir(d);
	*ret = n;
	return 0;
}

int leak_measure(pid_t pid, struct leak *ret)
{
	struct leak l;
	int r = count_entries(pid, "fd", &l.descriptors);
	if (r == 0) {
		r = count_entries(pid, "task", &l.threads);
	}
	if (r == 0) {
		*ret = l;
	}
	return r;
}

bool leak_none(const struct leak *before, const struct leak *now)
{
	return now->descriptors <= before->descriptors && now->threads <= before->threads;
}
