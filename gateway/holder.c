#include "holder.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TCP_LISTEN = 10, PATH_BYTES = 64, SOCKETS_MAX = 8 };

/* The installed service is there as long as this is. */
static const char SERVICE_SOCKET[] = "/run/camgate/admin";

/* What is looked for: sockets by their inodes, or a device. */
struct quarry {
	unsigned long sockets[SOCKETS_MAX];
	unsigned int count;
	dev_t device;
};

static void read_name(const char *pid, char out[static HOLDER_NAME_BYTES])
{
	char path[PATH_BYTES];
	FILE *f;

	(void)snprintf(path, sizeof path, "/proc/%.16s/comm", pid);
	f = fopen(path, "re");
	if (f == NULL || fgets(out, HOLDER_NAME_BYTES, f) == NULL) {
		(void)snprintf(out, HOLDER_NAME_BYTES, "?");
	}
	if (f != NULL) {
		(void)fclose(f);
	}
	out[strcspn(out, "\n")] = '\0';
	for (char *c = out; *c != '\0'; c++) {
		*c = *c < ' ' || *c > '~' ? '?' : *c;
	}
}

static bool is_quarry(const struct quarry *q, const struct stat *st)
{
	if (q->count == 0) {
		return S_ISCHR(st->st_mode) && st->st_rdev == q->device;
	}
	for (unsigned int i = 0; i < q->count; i++) {
		if (S_ISSOCK(st->st_mode) && (unsigned long)st->st_ino == q->sockets[i]) {
			return true;
		}
	}
	return false;
}

static bool process_has(const char *pid, const struct quarry *q)
{
	char path[PATH_BYTES];
	const struct dirent *e;
	bool has = false;
	DIR *dir;

	(void)snprintf(path, sizeof path, "/proc/%.16s/fd", pid);
	dir = opendir(path);
	while (dir != NULL && !has && (e = readdir(dir)) != NULL) {
		struct stat st;

		has = e->d_name[0] != '.' && fstatat(dirfd(dir), e->d_name, &st, 0) == 0 &&
		      is_quarry(q, &st);
	}
	if (dir != NULL) {
		(void)closedir(dir);
	}
	return has;
}

static bool find(const struct quarry *q, struct holder *ret)
{
	DIR *dir = opendir("/proc");
	const struct dirent *e;
	bool found = false;

	while (dir != NULL && !found && (e = readdir(dir)) != NULL) {
		long pid = strtol(e->d_name, NULL, 10);

		if (pid > 0 && (pid_t)pid != getpid() && process_has(e->d_name, q)) {
			ret->pid = (pid_t)pid;
			read_name(e->d_name, ret->name);
			found = true;
		}
	}
	if (dir != NULL) {
		(void)closedir(dir);
	}
	return found;
}

/* proc_pid_net(5): sl local:port remote:port st tx:rx tr:when retrnsmt uid timeout inode */
static void note_listeners(struct quarry *q, const char *table, unsigned int port)
{
	FILE *f = fopen(table, "re");
	char line[512];

	while (f != NULL && q->count < SOCKETS_MAX && fgets(line, sizeof line, f) != NULL) {
		unsigned int local, state;
		unsigned long inode;

		if (sscanf(line, " %*u: %*[0-9A-Fa-f]:%x %*s %x %*s %*s %*s %*s %*s %lu", &local,
			    &state, &inode) == 3 &&
			local == port && state == TCP_LISTEN && inode != 0) {
			q->sockets[q->count++] = inode;
		}
	}
	if (f != NULL) {
		(void)fclose(f);
	}
}

bool holder_of_port(unsigned int port, struct holder *ret)
{
	struct quarry q = {.count = 0};

	note_listeners(&q, "/proc/self/net/tcp", port);
	note_listeners(&q, "/proc/self/net/tcp6", port);
	return q.count > 0 && find(&q, ret);
}

bool holder_of_device(const char *path, struct holder *ret)
{
	struct quarry q = {.count = 0};
	struct stat st;

	if (stat(path, &st) < 0 || !S_ISCHR(st.st_mode)) {
		return false;
	}
	q.device = st.st_rdev;
	return find(&q, ret);
}

/* Its socket is systemd's, too, and neither may be looked at by others than root. */
static bool is_service(bool known, const struct holder *h)
{
	return access(SERVICE_SOCKET, F_OK) == 0 &&
	       (!known || strcmp(h->name, "camgate") == 0 || strcmp(h->name, "systemd") == 0);
}

static void describe(
	bool known, const struct holder *h, const char *ask, char out[static HOLDER_WORDS_BYTES])
{
	if (is_service(known, h)) {
		(void)snprintf(out, HOLDER_WORDS_BYTES,
			"by this machine's camgate service (sudo systemctl stop camgate.target "
			"ends it)");
	} else if (known) {
		(void)snprintf(out, HOLDER_WORDS_BYTES, "by %s (pid %d): end that one", h->name,
			(int)h->pid);
	} else {
		(void)snprintf(out, HOLDER_WORDS_BYTES, "by another program (%s names it)", ask);
	}
}

void holder_port_words(unsigned int port, char out[static HOLDER_WORDS_BYTES])
{
	struct holder h = {0};
	bool known = holder_of_port(port, &h);

	describe(known, &h, "sudo ss -ltnp", out);
}

void holder_device_words(const char *path, char out[static HOLDER_WORDS_BYTES])
{
	struct holder h = {0};
	bool known = holder_of_device(path, &h);
	char ask[80];

	(void)snprintf(ask, sizeof ask, "sudo fuser -v %.48s", path);
	describe(known, &h, ask, out);
}
