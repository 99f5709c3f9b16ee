#include "device.h"
#include "registry.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DESCRIPTORS_MAX = 1024, OUT_OF_THE_WAY = 200 };

struct device {
	struct device_memory *memory;
	int memory_fd;
	ino_t inode; /* of the pipe; 0: this entry is free */
};

static struct device devices[FAKECAM_OPEN_MAX];
static _Atomic(struct device *) by_descriptor[DESCRIPTORS_MAX];

struct device *device_find(int fd)
{
	return fd >= 0 && fd < DESCRIPTORS_MAX ? atomic_load(&by_descriptor[fd]) : NULL;
}

struct device *device_find_duplicate(int fd)
{
	struct stat st;
	if (fd < 0 || fd >= DESCRIPTORS_MAX || fstat(fd, &st) != 0) {
		return NULL;
	}
	for (int i = 0; i < FAKECAM_OPEN_MAX; i++) {
		if (devices[i].inode != 0 && devices[i].inode == st.st_ino) {
			atomic_store(&by_descriptor[fd], &devices[i]);
			return &devices[i];
		}
	}
	return NULL;
}

void device_forget(int fd)
{
	if (fd >= 0 && fd < DESCRIPTORS_MAX) {
		atomic_store(&by_descriptor[fd], NULL);
	}
}

int device_memory_fd(const struct device *d)
{
	return d->memory_fd;
}

struct device_memory *device_memory(struct device *d)
{
	return d->memory;
}

static void device_release(struct device *d)
{
	if (d->memory != NULL) {
		munmap(d->memory, FAKECAM_HEADER_BYTES);
	}
	if (d->memory_fd >= 0) {
		close(d->memory_fd);
	}
	*d = (struct device){.memory_fd = -1};
}

/* A free entry. Those whose driver has ended, because nobody has the descriptor any more, are freed
 * now and not at close: a duplicate may outlive the first descriptor. */
static struct device *device_reserve(void)
{
	struct device *found = NULL;
	for (int i = 0; i < FAKECAM_OPEN_MAX; i++) {
		struct device *d = &devices[i];
		if (d->inode != 0 && registry_pipe_minor(d->inode) < 0) {
			for (int fd = 0; fd < DESCRIPTORS_MAX; fd++) {
				struct device *same = d;
				atomic_compare_exchange_strong(&by_descriptor[fd], &same, NULL);
			}
			device_release(d);
		}
		if (d->inode == 0 && found == NULL) {
			found = d;
		}
	}
	return found;
}

/* The driver program lies beside this library. */
static int driver_path(char *path, size_t size)
{
	Dl_info info;
	if (dladdr((void *)&devices, &info) == 0) {
		return -ENOENT;
	}
	const char *slash = strrchr(info.dli_fname, '/');
	int length = slash != NULL ? (int)(slash - info.dli_fname) : 1;
	int n = snprintf(path, size, "%.*s/driver", length, slash != NULL ? info.dli_fname : ".");
	return n > 0 && (size_t)n < size ? 0 : -ENAMETOOLONG;
}

/* The driver gets the memory as descriptor 3, the write end as 4 and makes itself independent (its
 * first process ends at once): the program must not find a child that it did not start. */
static int driver_start(int memory_fd, int write_fd)
{
	char path[PATH_MAX];
	char registry_path[PATH_MAX + 16];
	char *arguments[] = {(char *)"fakecam-driver", NULL};
	char *environment[] = {registry_path, NULL};
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int status;

	int error = -driver_path(path, sizeof(path));
	if (error == 0) {
		snprintf(registry_path, sizeof(registry_path), "FAKECAM=%s", getenv("FAKECAM"));
		posix_spawn_file_actions_init(&actions);
		posix_spawn_file_actions_adddup2(&actions, memory_fd, 3);
		posix_spawn_file_actions_adddup2(&actions, write_fd, 4);
		error = posix_spawn(&pid, path, &actions, NULL, arguments, environment);
		posix_spawn_file_actions_destroy(&actions);
	}
	if (error != 0) {
		fprintf(stderr, "fakecam: cannot start %s: %s\n", path, strerror(error));
		return -error;
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
	}
	return 0;
}

static int out_of_the_way(int fd)
{
	int moved = fcntl(fd, F_DUPFD_CLOEXEC, OUT_OF_THE_WAY);
	if (moved < 0) {
		return fd;
	}
	close(fd);
	return moved;
}

static void memory_init(struct device_memory *m, const struct fakecam_config *c)
{
	m->config = *c;
	m->fourcc = c->modes[0].fourcc;
	m->width = c->modes[0].width;
	m->height = c->modes[0].height;
	m->rate = c->modes[0].rates[0];
	fakecam_lay_out(m->fourcc, m->width, m->height, c->stride, &m->layout);
}

int device_open(const struct fakecam_config *c, int flags)
{
	int ends[2] = {-1, -1};
	struct stat st;
	if (fakecam_has_fault(c, FAULT_PERMISSION, NULL)) {
		return -EACCES;
	}
	struct device *d = device_reserve();
	if (d == NULL) {
		return -ENFILE;
	}
	d->memory_fd = memfd_create("fakecam", MFD_CLOEXEC);
	if (d->memory_fd < 0 || ftruncate(d->memory_fd, (off_t)FAKECAM_MEMORY_BYTES) != 0) {
		goto fail;
	}
	d->memory_fd = out_of_the_way(d->memory_fd);
	void *map = mmap(
		NULL, FAKECAM_HEADER_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, d->memory_fd, 0);
	if (map == MAP_FAILED) {
		goto fail;
	}
	d->memory = map;
	memory_init(d->memory, c);
	if (pipe2(ends, O_CLOEXEC | (flags & O_NONBLOCK)) != 0 || fstat(ends[0], &st) != 0) {
		goto fail;
	}
	/* dup2 onto itself would keep close-on-exec, so neither may be 3 or 4. */
	ends[1] = out_of_the_way(ends[1]);
	if ((flags & O_CLOEXEC) == 0) {
		fcntl(ends[0], F_SETFD, 0);
	}
	d->inode = st.st_ino;
	if (!registry_add_pipe(st.st_ino, c->minor) || driver_start(d->memory_fd, ends[1]) != 0) {
		errno = ENODEV;
		registry_remove_pipe(st.st_ino);
		goto fail;
	}
	close(ends[1]);
	if (ends[0] < DESCRIPTORS_MAX) {
		atomic_store(&by_descriptor[ends[0]], d);
	}
	return ends[0];
fail:;
	int error = errno;
	if (ends[0] >= 0) {
		close(ends[0]);
		close(ends[1]);
	}
	device_release(d);
	return -error;
}
