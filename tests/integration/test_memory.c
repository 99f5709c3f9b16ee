/* What is in whose memory: pieces of pictures that a display opened are looked for in all of the
 * hub's processes, which stand still meanwhile. And what sessions leave behind when they are over.
 */
#include "viewer.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { SHORT_BYTES = 24, LONG_BYTES = 768, PIECES_MAX = 32, READ_BYTES = 1 << 20, SESSIONS = 12 };

static struct client_loop *loop;
static struct hub hub;

/* Out of the middle of the newest pictures. A short piece may be the same in the next picture; a
 * long one spans enough of the code in it to be in no other. */
static struct {
	uint8_t bytes[PIECES_MAX][LONG_BYTES];
	unsigned int count;
} pieces;

static int set_up(void **state)
{
	(void)state;
	loop = client_loop_create();
	hub_init(&hub, loop);
	hub_start(&hub, (const char *[]){"--camera", "pattern:320x192@15", "--camera",
				"pattern:256x192@15", NULL});
	hub_name_camera(&hub, "320x192", "Door");
	hub_name_camera(&hub, "256x192", "Yard");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	hub_end(&hub);
	hub_finish(&hub);
	client_loop_destroy(loop);
	return 0;
}

static unsigned int count_pieces(const uint8_t *data, size_t size, size_t piece)
{
	unsigned int kept = pieces.count < PIECES_MAX ? pieces.count : PIECES_MAX;
	unsigned int n = 0;
	for (unsigned int i = 0; i < kept; i++) {
		n += memmem(data, size, pieces.bytes[i], piece) != NULL;
	}
	return n;
}

static void keep_piece(void *user, const struct display_picture *p)
{
	(void)user;
	assert_true(p->jpeg_size / 2 > LONG_BYTES);
	memcpy(pieces.bytes[pieces.count++ % PIECES_MAX], p->jpeg + p->jpeg_size / 2, LONG_BYTES);
}

/* Searches [start, end) of a process in overlapping parts. */
static unsigned int search_range(int memory, uint64_t start, uint64_t end, size_t piece)
{
	static uint8_t data[READ_BYTES];
	unsigned int n = 0;
	while (start < end) {
		size_t want = end - start < READ_BYTES ? (size_t)(end - start) : READ_BYTES;
		ssize_t got = pread(memory, data, want, (off_t)start);
		if (got <= 0) {
			break;
		}
		n += count_pieces(data, (size_t)got, piece);
		if ((size_t)got <= piece) {
			break;
		}
		start += (uint64_t)got == end - start ? (uint64_t)got : (uint64_t)got - piece;
	}
	return n;
}

/* Pieces of pictures in everything that this process can read. */
static unsigned int search_process(pid_t pid, size_t piece)
{
	char path[64], line[512];
	unsigned int n = 0;
	(void)snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	int memory = open(path, O_RDONLY | O_CLOEXEC);
	(void)snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	FILE *maps = fopen(path, "re");
	if (memory < 0 || maps == NULL) {
		print_message("the memory of process %d is for root to read\n", (int)pid);
		(void)kill(pid, SIGCONT);
		skip();
	}
	while (fgets(line, sizeof(line), maps) != NULL) {
		unsigned long long start, end;
		char rights[8];
		if (sscanf(line, "%llx-%llx %7s", &start, &end, rights) == 3 && rights[0] == 'r' &&
			strstr(line, "[vvar") == NULL && strstr(line, "[vsyscall") == NULL) {
			n += search_range(memory, start, end, piece);
		}
	}
	(void)fclose(maps);
	close(memory);
	return n;
}

static unsigned int search_role(const char *role, unsigned int nth, size_t piece)
{
	pid_t pid = hub_role(&hub, role, nth);
	assert_int_not_equal(pid, 0);
	assert_int_equal(kill(pid, SIGSTOP), 0);
	unsigned int n = search_process(pid, piece);
	assert_int_equal(kill(pid, SIGCONT), 0);
	return n;
}

static void no_process_but_the_camera_ever_holds_a_picture(void **state)
{
	(void)state;
#ifdef CAMGATE_SANITIZED
	skip(); /* terabytes of shadow memory, and freed memory is kept on purpose */
#endif
	struct viewer v = {.looked = keep_piece};
	pieces.count = 0;
	viewer_pair(&v, &hub, "Door", "Looker");
	for (int round = 0; round < 3; round++) {
		viewer_await(&v, "Door", 10);
		/* That the search finds what is there is shown on ourselves. */
		assert_true(search_process(getpid(), SHORT_BYTES) > 0);
		assert_int_equal(search_role("web", 0, SHORT_BYTES), 0);
		assert_int_equal(search_role("keeper", 0, SHORT_BYTES), 0);
	}
	/* The pictures of one camera are not in the process of the other. */
	unsigned int first = search_role("camera", 0, LONG_BYTES);
	unsigned int second = search_role("camera", 1, LONG_BYTES);
	assert_true(first == 0 || second == 0);
	/* A camera keeps no more than the picture in hand and the one before. */
	assert_true(first + second <= 2);
	viewer_finish(&v);
}

static unsigned int descriptors(const char *role)
{
	char path[64];
	unsigned int n = 0;
	(void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)hub_role(&hub, role, 0));
	DIR *d = opendir(path);
	if (d == NULL) {
		print_message("the descriptors of %s are for root to count\n", role);
		skip();
	}
	while (readdir(d) != NULL) {
		n++;
	}
	(void)closedir(d);
	return n;
}

static void sessions_leave_no_descriptor_behind(void **state)
{
	(void)state;
	static const char *const roles[] = {"web", "keeper", "camera"};
	unsigned int before[3];
	struct viewer v = {0};
	viewer_pair(&v, &hub, "all", "Comes and goes");
	viewer_await(&v, "Door", 1);
	viewer_disconnect(&v);
	WAIT_FOR(loop, hub_camera_is(&hub, "Door", "activity", "idle"), HUB_PATIENCE_MS);
	for (size_t i = 0; i < 3; i++) {
		before[i] = descriptors(roles[i]);
	}
	for (int i = 0; i < SESSIONS; i++) {
		viewer_connect(&v, &hub, NULL, NULL, false);
		viewer_await(&v, "Door", 1);
		viewer_disconnect(&v);
	}
	WAIT_FOR(loop, hub_camera_is(&hub, "Door", "activity", "idle"), HUB_PATIENCE_MS);
	for (size_t i = 0; i < 3; i++) {
		WAIT_FOR(loop, descriptors(roles[i]) <= before[i], HUB_PATIENCE_MS);
	}
	viewer_finish(&v);
}

#define TEST(f) cmocka_unit_test_teardown(f, viewer_drop_all)

int main(void)
{
	if (secure_heap_init() < 0) {
		return 1;
	}
	const struct CMUnitTest tests[] = {
		TEST(no_process_but_the_camera_ever_holds_a_picture),
		TEST(sessions_leave_no_descriptor_behind),
	};
	return cmocka_run_group_tests_name("memory", tests, set_up, tear_down);
}
