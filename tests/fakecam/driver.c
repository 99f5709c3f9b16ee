/*
 * The driver of one open fake device: a process of its own, so that drawing and encoding are not
 * charged to the program that is tested or measured, and a descriptor's last close is noticed. The
 * device's memory is descriptor 3, the write end of its pipe 4. A picture is made while the last
 * one is waited for, and handed over at the instant that it carries as its capture time.
 */
#include "fakecam.h"
#include "frames.h"
#include "registry.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MEMORY_FD = 3, PIPE_FD = 4, IDLE_MS = 5 };

struct driver {
	struct device_memory *m; /* and behind it all buffers */
	struct frames *frames;
	uint32_t number; /* of the next frame since open; what faults count by */
	uint32_t sequence; /* of the next frame since STREAMON */
	uint64_t next_us; /* CLOCK_BOOTTIME */
	struct fakecam_done last;
};

static uint64_t now_us(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* Sleeps until then; false when nobody has the device open any more. */
static bool wait_until(uint64_t us)
{
	for (;;) {
		uint64_t now = now_us(CLOCK_BOOTTIME);
		struct pollfd gone = {.fd = PIPE_FD};
		struct timespec rest = {0};
		if (us > now) {
			rest.tv_sec = (time_t)((us - now) / 1000000);
			rest.tv_nsec = (long)((us - now) % 1000000 * 1000);
		}
		if (ppoll(&gone, 1, &rest, NULL) > 0) {
			return false;
		}
		if (us <= now) {
			return true;
		}
	}
}

/* Whether a fault that comes every so often hits this frame. */
static bool strikes(const struct driver *d, uint32_t fault)
{
	for (uint32_t i = 0; i < d->m->config.faults_count; i++) {
		if (d->m->config.faults[i].fault == fault &&
			d->number % d->m->config.faults[i].every ==
				d->m->config.faults[i].every - 1) {
			return true;
		}
	}
	return false;
}

/* Whether a fault that begins at some frame has begun; how long it lasts in *ret_for_ms. */
static bool begun(const struct driver *d, uint32_t fault, uint32_t *ret_for_ms)
{
	for (uint32_t i = 0; i < d->m->config.faults_count; i++) {
		if (d->m->config.faults[i].fault == fault &&
			d->number >= d->m->config.faults[i].every) {
			if (ret_for_ms != NULL) {
				*ret_for_ms = d->m->config.faults[i].for_ms;
			}
			return true;
		}
	}
	return false;
}

static void draw_next(struct driver *d)
{
	uint32_t fault = FAULT_NONE;
	for (uint32_t f = FAULT_TRUNCATED; f <= FAULT_THUMBNAIL; f++) {
		fault = strikes(d, f) ? f : fault;
	}
	if (!begun(d, FAULT_FROZEN, NULL) && !begun(d, FAULT_STUCK, NULL)) {
		frames_draw(d->frames, d->number, d->next_us, fault);
	}
}

static void spoil(struct driver *d, uint8_t *buffer, struct fakecam_done *done)
{
	if (strikes(d, FAULT_ERROR)) {
		done->flags |= V4L2_BUF_FLAG_ERROR;
		done->bytes[0] /= 2;
	}
	if (strikes(d, FAULT_SHORT)) {
		done->bytes[0] /= 2;
	}
	if (strikes(d, FAULT_EMPTY)) {
		memset(done->bytes, 0, sizeof(done->bytes));
	}
	if (strikes(d, FAULT_GARBAGE)) {
		for (uint32_t i = 0; i < done->bytes[0]; i++) {
			buffer[i] = (uint8_t)(random() >> 8);
		}
	}
}

static uint64_t stamp_of(const struct driver *d)
{
	switch (d->m->config.stamps) {
	case V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC:
		return d->next_us + now_us(CLOCK_MONOTONIC) - now_us(CLOCK_BOOTTIME);
	case V4L2_BUF_FLAG_TIMESTAMP_COPY:
		return 1000000 + (uint64_t)d->sequence * 1000; /* somebody else's time */
	}
	return 0;
}

/* Whether this start is one of those that bring nothing. */
static bool deaf(const struct driver *d)
{
	for (uint32_t i = 0; i < d->m->config.faults_count; i++) {
		if (d->m->config.faults[i].fault == FAULT_DEAF &&
			atomic_load(&d->m->starts) <= d->m->config.faults[i].every) {
			return true;
		}
	}
	return false;
}

/* Hands the picture over, if there is a buffer for it; otherwise the frame is lost, as on a camera.
 */
static void deliver(struct driver *d)
{
	struct device_memory *m = d->m;
	atomic_store(&m->delivering, 1);
	uint32_t tail = atomic_load(&m->queue_tail);
	if (atomic_load(&m->streaming) == 0 || tail == atomic_load(&m->queue_head)) {
		atomic_store(&m->delivering, 0);
		return;
	}
	struct fakecam_done done = {.index = m->queue[tail % FAKECAM_BUFFERS_MAX],
		.sequence = d->sequence,
		.stamp_us = stamp_of(d)};
	uint8_t *buffer = (uint8_t *)m + fakecam_offset(done.index, 0);
	if (begun(d, FAULT_STUCK, NULL)) {
		done.sequence = d->last.sequence;
		done.stamp_us = d->last.stamp_us;
	}
	frames_copy(d->frames, buffer, strikes(d, FAULT_SHORT), done.bytes);
	spoil(d, buffer, &done);
	d->last = done;
	uint32_t head = atomic_load(&m->done_head);
	m->done[head % FAKECAM_BUFFERS_MAX] = done;
	atomic_store(&m->queue_tail, tail + 1);
	atomic_store(&m->done_head, head + 1);
	if (write(PIPE_FD, "", 1) != 1) {
		/* nobody reads: noticed by the next wait */
	}
	atomic_store(&m->delivering, 0);
}

/* From STREAMON to STREAMOFF. False when the device is to go. */
static bool stream(struct driver *d)
{
	uint64_t interval_us = 1000000 / d->m->rate;
	uint32_t for_ms;
	bool go_on = true;

	d->frames = frames_create(d->m);
	d->sequence = 0;
	d->next_us = now_us(CLOCK_BOOTTIME) + interval_us;
	while (d->frames != NULL && atomic_load(&d->m->streaming) != 0) {
		draw_next(d);
		go_on = wait_until(d->next_us);
		if (go_on && begun(d, FAULT_UNPLUG, &for_ms)) {
			registry_unplug(d->m->config.minor, for_ms);
			atomic_store(&d->m->gone, 1);
			go_on = false;
		}
		if (!go_on) {
			break;
		}
		if (begun(d, FAULT_EIO, NULL)) {
			atomic_store(&d->m->failing, 1);
		}
		if (!begun(d, FAULT_STALL, NULL) && !deaf(d)) {
			deliver(d);
		}
		d->number++;
		d->sequence++;
		d->next_us += interval_us;
		uint64_t now = now_us(CLOCK_BOOTTIME);
		if (now > d->next_us) { /* late: a busy machine loses frames and keeps the pace */
			d->next_us += (now - d->next_us) / interval_us * interval_us + interval_us;
		}
	}
	frames_destroy(d->frames);
	d->frames = NULL;
	return go_on;
}

/* Gives up what was inherited from the program, all but standard error. */
static bool settle(void)
{
	int null = open("/dev/null", O_RDWR);
	if (fork() != 0) {
		_exit(0);
	}
	setsid();
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	close_range(PIPE_FD + 1, ~0u, 0);
	signal(SIGPIPE, SIG_IGN);
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	return registry_open();
}

int main(void)
{
	struct stat st;
	struct driver d = {0};
	if (fstat(PIPE_FD, &st) != 0 || !S_ISFIFO(st.st_mode) || !settle()) {
		fprintf(stderr, "fakecam-driver: is started by libfakecam.so\n");
		return 2;
	}
	void *map =
		mmap(NULL, FAKECAM_MEMORY_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, MEMORY_FD, 0);
	if (map == MAP_FAILED) {
		fprintf(stderr, "fakecam-driver: cannot map the device: %s\n", strerror(errno));
		registry_remove_pipe(st.st_ino);
		return 1;
	}
	d.m = map;
	for (bool go_on = true; go_on;) {
		go_on = atomic_load(&d.m->streaming) != 0
				? stream(&d)
				: wait_until(now_us(CLOCK_BOOTTIME) + 1000 * IDLE_MS);
	}
	/* Who still holds the descriptor of an unplugged device still holds a device. */
	if (atomic_load(&d.m->gone) == 0) {
		registry_remove_pipe(st.st_ino);
	}
	return 0;
}
