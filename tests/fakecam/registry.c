#include "registry.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct registry {
	uint64_t config_version; /* of the file that was read last: its time, size and inode, mixed
				  */
	struct fakecam_config devices[FAKECAM_DEVICES_MAX];
	_Atomic uint64_t gone_until_us[256]; /* by minor number, CLOCK_BOOTTIME; 0: plugged in */
	struct {
		_Atomic uint64_t inode;
		_Atomic uint32_t minor;
	} pipes[FAKECAM_OPEN_MAX];
};

static struct registry *registry;

static uint64_t now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* The file is locked: readers in other processes may see a device half changed, which the tests
 * that change the configuration have to live with. */
static void registry_read(FILE *f)
{
	char line[1024];
	unsigned int count = 0;
	for (unsigned int i = 0; i < FAKECAM_DEVICES_MAX; i++) {
		registry->devices[i].present = 0;
	}
	while (fgets(line, sizeof(line), f) != NULL) {
		struct fakecam_config c;
		if (fakecam_parse(line, &c) != 0) {
			continue;
		}
		if (count == FAKECAM_DEVICES_MAX) {
			fprintf(stderr, "fakecam: more than %d devices\n", FAKECAM_DEVICES_MAX);
			return;
		}
		registry->devices[count++] = c;
		atomic_store(&registry->gone_until_us[c.minor], 0);
	}
}

static int live_open(void)
{
	char path[PATH_MAX];
	snprintf(path, sizeof(path), "%s.live", getenv("FAKECAM"));
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (fd < 0) {
		fprintf(stderr, "fakecam: %s: %s\n", path, strerror(errno));
	}
	return fd;
}

void registry_refresh(void)
{
	struct stat st;
	const char *path = getenv("FAKECAM");
	if (registry == NULL || path == NULL || stat(path, &st) != 0) {
		return;
	}
	uint64_t version = (uint64_t)st.st_mtim.tv_sec * 1000000000 + (uint64_t)st.st_mtim.tv_nsec +
			   (uint64_t)st.st_size + st.st_ino + sizeof(struct registry);
	if (version == registry->config_version) {
		return;
	}
	int fd = live_open();
	if (fd < 0) {
		return;
	}
	flock(fd, LOCK_EX);
	FILE *f = version == registry->config_version ? NULL : fopen(path, "re");
	if (f != NULL) {
		registry_read(f);
		registry->config_version = version;
		fclose(f);
	}
	close(fd);
}

bool registry_open(void)
{
	static bool tried;
	if (registry != NULL || tried) {
		return registry != NULL;
	}
	tried = true;
	if (getenv("FAKECAM") == NULL) {
		fprintf(stderr, "fakecam: FAKECAM does not name a configuration\n");
		return false;
	}
	int fd = live_open();
	if (fd < 0) {
		return false;
	}
	void *map = MAP_FAILED;
	if (ftruncate(fd, sizeof(struct registry)) == 0) {
		map = mmap(
			NULL, sizeof(struct registry), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	}
	close(fd);
	if (map == MAP_FAILED) {
		fprintf(stderr, "fakecam: cannot map the registry: %s\n", strerror(errno));
		return false;
	}
	registry = map;
	registry_refresh();
	return true;
}

const struct fakecam_config *registry_device(unsigned int i)
{
	if (registry == NULL || i >= FAKECAM_DEVICES_MAX || registry->devices[i].present == 0) {
		return NULL;
	}
	uint64_t until_us = atomic_load(&registry->gone_until_us[registry->devices[i].minor & 255]);
	return until_us == 0 || now_us() >= until_us ? &registry->devices[i] : NULL;
}

const struct fakecam_config *registry_find(uint32_t minor)
{
	for (unsigned int i = 0; i < FAKECAM_DEVICES_MAX; i++) {
		const struct fakecam_config *c = registry_device(i);
		if (c != NULL && c->minor == minor) {
			return c;
		}
	}
	return NULL;
}

const struct fakecam_config *registry_find_path(const char *path)
{
	static const char prefix[] = "/dev/video";
	char *end;
	if (registry == NULL || path == NULL || strncmp(path, prefix, sizeof(prefix) - 1) != 0) {
		return NULL;
	}
	const char *number = path + sizeof(prefix) - 1;
	unsigned long minor = strtoul(number, &end, 10);
	if (*number < '0' || *number > '9' || *end != '\0' || minor > 255) {
		return NULL;
	}
	return registry_find((uint32_t)minor);
}

bool registry_add_pipe(ino_t inode, uint32_t minor)
{
	for (unsigned int i = 0; i < FAKECAM_OPEN_MAX; i++) {
		uint64_t free_slot = 0;
		if (atomic_compare_exchange_strong(
			    &registry->pipes[i].inode, &free_slot, (uint64_t)inode)) {
			atomic_store(&registry->pipes[i].minor, minor);
			return true;
		}
	}
	return false;
}

void registry_remove_pipe(ino_t inode)
{
	for (unsigned int i = 0; i < FAKECAM_OPEN_MAX; i++) {
		uint64_t used = (uint64_t)inode;
		atomic_compare_exchange_strong(&registry->pipes[i].inode, &used, 0);
	}
}

int registry_pipe_minor(ino_t inode)
{
	for (unsigned int i = 0; registry != NULL && i < FAKECAM_OPEN_MAX; i++) {
		if (atomic_load(&registry->pipes[i].inode) == (uint64_t)inode) {
			return (int)atomic_load(&registry->pipes[i].minor);
		}
	}
	return -1;
}

void registry_unplug(uint32_t minor, uint32_t for_ms)
{
	atomic_store(&registry->gone_until_us[minor & 255],
		for_ms == 0 ? UINT64_MAX : now_us() + 1000 * (uint64_t)for_ms);
}
