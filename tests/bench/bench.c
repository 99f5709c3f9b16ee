/*
 * What a delivered frame costs, per role, and how old it is when it arrives: 1, 10 and 50 viewers
 * of one 1080p30 camera. The first viewer opens its frames like any display; the others only
 * acknowledge them, so that the machine measures the hub and not fifty decoders.
 *
 * bench [--quick] [--pattern] [--json FILE]. CPU is what the scheduler counted for each process.
 */
#include "floor.h"
#include "reader.h"
#include "tests/integration/hub.h"

#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <openssl/crypto.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum {
	VIEWERS_MAX = 50,
	FPS = 30,
	SAMPLES_MAX = 1 << 20,
	SETTLE_US = 1500000,
	HEAP_BYTES = 1 << 20, /* fifty displays in one process */
};

struct sample_set {
	uint32_t *us;
	size_t count;
};

static const char *const roles[] = {"camera", "web", "keeper"};

struct row {
	unsigned int viewers;
	double fps_worst, frame_bytes;
	double cpu_us[3]; /* per delivered frame, by role */
	double viewer_us; /* the same of this process, all viewers in one */
	double floor_us;
	double p50_ms, p99_ms;
};

static struct sample_set samples;
static uint64_t measured_bytes;
static bool measuring;

static void on_received(const struct reader *r, uint32_t bytes, uint64_t now_us)
{
	if (measuring && samples.count < SAMPLES_MAX) {
		measured_bytes += bytes;
		samples.us[samples.count++] = (uint32_t)(now_us - r->capture_us);
	}
}

static void start_viewer(struct reader *r, struct hub *hub, bool opens)
{
	struct wire_link link;
	hub_make_link(hub, "all", NULL, &link);
	assert_int_equal(reader_init(r, hub->port, &link, "Viewer", opens), 0);
	r->received = on_received;
}

/* ---- measuring ---- */

/* Run time of all threads of a process, µs. */
static double process_us(pid_t pid)
{
	char path[320];
	double sum_us = 0;
	(void)snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	DIR *d = opendir(path);
	for (struct dirent *e = d == NULL ? NULL : readdir(d); e != NULL; e = readdir(d)) {
		unsigned long long run_ns = 0;
		(void)snprintf(
			path, sizeof(path), "/proc/%d/task/%s/schedstat", (int)pid, e->d_name);
		FILE *f = e->d_name[0] == '.' ? NULL : fopen(path, "re");
		if (f != NULL) {
			if (fscanf(f, "%llu", &run_ns) == 1) {
				sum_us += (double)run_ns / 1000;
			}
			(void)fclose(f);
		}
	}
	if (d != NULL) {
		(void)closedir(d);
	}
	return sum_us;
}

static int compare_samples(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

static double percentile_ms(double share)
{
	if (samples.count == 0) {
		return -1;
	}
	return samples.us[(size_t)(share * (double)(samples.count - 1))] / 1000.0;
}

static void measure(struct hub *hub, struct reader *viewers, unsigned int count,
	unsigned int seconds, struct row *ret)
{
	pid_t pids[3];
	double before[3];
	reader_run(viewers, count, client_now_us() + SETTLE_US);
	for (unsigned int i = 0; i < count; i++) {
		viewers[i].frames = 0;
	}
	for (size_t i = 0; i < 3; i++) {
		pids[i] = hub_role(hub, roles[i], 0);
		before[i] = process_us(pids[i]);
	}
	samples.count = 0;
	measured_bytes = 0;
	double own_us = process_us(getpid());
	measuring = true;
	uint64_t begin_us = client_now_us();
	reader_run(viewers, count, begin_us + (uint64_t)seconds * 1000000);
	measuring = false;
	double took_s = (double)(client_now_us() - begin_us) / 1e6;
	unsigned long frames = 0, worst = ~0UL;
	for (unsigned int i = 0; i < count; i++) {
		frames += viewers[i].frames;
		worst = viewers[i].frames < worst ? viewers[i].frames : worst;
	}
	qsort(samples.us, samples.count, sizeof(samples.us[0]), compare_samples);
	*ret = (struct row){.viewers = count,
		.fps_worst = (double)worst / took_s,
		.frame_bytes = frames > 0 ? (double)measured_bytes / (double)frames : 0,
		.p50_ms = percentile_ms(0.50),
		.p99_ms = percentile_ms(0.99)};
	for (size_t i = 0; i < 3 && frames > 0; i++) {
		ret->cpu_us[i] = (process_us(pids[i]) - before[i]) / (double)frames;
	}
	ret->viewer_us = frames > 0 ? (process_us(getpid()) - own_us) / (double)frames : 0;
	if (ret->frame_bytes > 0) {
		ret->floor_us = floor_measure(count, (size_t)ret->frame_bytes, FPS, seconds);
	}
}

/* ---- telling ---- */

static double row_total_us(const struct row *r)
{
	return r->cpu_us[0] + r->cpu_us[1] + r->cpu_us[2];
}

static void print_table(const char *source, const struct row *rows, size_t count)
{
	(void)printf("\n%s\n", source);
	(void)printf(
		"viewers  KB/frame  fps(worst)   CPU us per delivered frame: camera     web  keeper"
		"   total   floor  web/floor   p50 ms   p99 ms\n");
	for (size_t i = 0; i < count; i++) {
		const struct row *r = &rows[i];
		(void)printf(
			"%7u  %8.0f  %10.1f %42.0f %7.0f %7.1f %7.0f %7.0f  %9.2f %8.1f %8.1f\n",
			r->viewers, r->frame_bytes / 1024, r->fps_worst, r->cpu_us[0], r->cpu_us[1],
			r->cpu_us[2], row_total_us(r), r->floor_us,
			r->floor_us > 0 ? r->cpu_us[1] / r->floor_us : 0, r->p50_ms, r->p99_ms);
	}
	(void)printf(
		"(CPU figures carry about 15 %% of noise; compare ratios of interleaved runs)\n");
}

static int write_json(const char *path, const char *source, const struct row *rows, size_t count)
{
	json_t *list = json_array();
	for (size_t i = 0; i < count; i++) {
		const struct row *r = &rows[i];
		(void)json_array_append_new(list,
			json_pack("{s:i,s:f,s:f,s:{s:f,s:f,s:f,s:f,s:f},s:f,s:f,s:f}", "viewers",
				(int)r->viewers, "frame_bytes", r->frame_bytes, "fps_worst",
				r->fps_worst, "cpu_us_per_frame", "camera", r->cpu_us[0], "web",
				r->cpu_us[1], "keeper", r->cpu_us[2], "total", row_total_us(r),
				"viewers", r->viewer_us, "floor_cpu_us_per_frame", r->floor_us,
				"p50_ms", r->p50_ms, "p99_ms", r->p99_ms));
	}
	json_t *all = json_pack("{s:s,s:o}", "source", source, "rows", list);
	int r = all == NULL ? -1 : json_dump_file(all, path, JSON_INDENT(1));
	json_decref(all);
	return r;
}

/* An MJPEG camera whose pictures cost nothing here, as a real one's do not; or, with --pattern, our
 * own test camera, whose drawing and encoding is charged to the camera role. */
static const char *choose_camera(struct hub *hub, bool pattern, const char **ret_source)
{
	if (pattern) {
		*ret_source = "1080p30 test pattern, encoded by the camera role";
		return "pattern:1920x1080@30";
	}
	*ret_source = "1080p30 MJPEG camera, 240 KB frames, passed through";
	hub_set_cameras(hub, "video0 card=Bench usb=046d:0825 serial=A1B2C3D4 "
			     "modes=MJPG:1920x1080@30 set=8 bytes=245760\n");
	return "/dev/video0";
}

int main(int argc, char **argv)
{
	static const unsigned int counts[] = {1, 10, 50};
	static const struct option options[] = {{"quick", no_argument, NULL, 'q'},
		{"pattern", no_argument, NULL, 'p'}, {"json", required_argument, NULL, 'j'}, {0}};
	static struct reader viewers[VIEWERS_MAX];
	struct row rows[3];
	struct hub hub;
	unsigned int seconds = 20, started = 0;
	const char *json = NULL, *source;
	bool pattern = false;
	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		seconds = c == 'q' ? 4 : seconds;
		pattern = pattern || c == 'p';
		json = c == 'j' ? optarg : json;
	}
	samples.us = malloc(SAMPLES_MAX * sizeof(samples.us[0]));
	if (samples.us == NULL || CRYPTO_secure_malloc_init(HEAP_BYTES, 16) != 1) {
		(void)fprintf(stderr, "bench: no locked memory for the keys\n");
		return 1;
	}
	hub_init(&hub, NULL);
	const char *spec = choose_camera(&hub, pattern, &source);
	hub_start(&hub, (const char *[]){"--camera", spec, NULL});
	WAIT_FOR(hub.loop, hub_camera_is(&hub, spec, "state", "ready"), HUB_PATIENCE_MS);
	for (size_t i = 0; i < 3; i++) {
		for (; started < counts[i]; started++) {
			start_viewer(&viewers[started], &hub, started == 0);
			/* Who is there already keeps watching. */
			reader_run(viewers, started + 1, client_now_us() + SETTLE_US / VIEWERS_MAX);
		}
		measure(&hub, viewers, counts[i], seconds, &rows[i]);
	}
	print_table(source, rows, 3);
	for (unsigned int i = 0; i < started; i++) {
		reader_finish(&viewers[i]);
	}
	hub_end(&hub);
	hub_finish(&hub);
	free(samples.us);
	return json != NULL && write_json(json, source, rows, 3) < 0 ? 1 : 0;
}
