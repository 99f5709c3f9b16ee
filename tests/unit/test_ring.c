#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* The module itself: its layout is nobody else's business, but these tests write wrong numbers
 * there. */
#include "gateway/ring.c"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>

enum { SLOT_BYTES = 4096, FRAME_BYTES = 1000 };

static int ring_setup(void **state)
{
	static struct ring_writer w;

	*state = &w;
	return ring_writer_init(&w, SLOT_BYTES);
}

static int ring_teardown(void **state)
{
	ring_writer_finish(*state);
	return 0;
}

/* A frame of one byte value after its header, with the same value as its epoch. */
static void frame_write(struct ring_writer *w, uint8_t value, uint32_t size)
{
	const struct wire_frame_header header = {.camera = "camera", .epoch = value};
	uint8_t *slot = ring_begin(w);

	wire_encode_frame_header(&header, slot);
	memset(slot + WIRE_FRAME_HEADER_BYTES, value, size - WIRE_FRAME_HEADER_BYTES);
	ring_publish(w, &header, size);
}

static void assert_frame(const uint8_t *frame, uint32_t size, uint8_t value)
{
	for (uint32_t i = WIRE_FRAME_HEADER_BYTES; i < size; i++) {
		assert_int_equal(frame[i], value);
	}
}

static struct ring_reader reader_of(const struct ring_writer *w)
{
	struct ring_reader r;

	assert_int_equal(ring_reader_init(&r, w->memfd, w->slot_bytes), 0);
	return r;
}

static void ring_reader_gets_the_newest_frame_whole(void **state)
{
	struct ring_writer *w = *state;
	struct ring_reader r = reader_of(w);
	struct wire_frame_header header;
	uint8_t out[SLOT_BYTES];
	uint32_t size;

	assert_int_equal(ring_newest(&r), 0);
	assert_int_equal(ring_copy(&r, 0, out, sizeof(out), &size), -EAGAIN);
	assert_int_equal(ring_peek(&r, 0, &header, &size), -EAGAIN);
	for (uint8_t i = 1; i < 20; i++) {
		frame_write(w, i, FRAME_BYTES + i);
		assert_int_equal(ring_newest(&r), i);
		assert_int_equal(ring_peek(&r, i, &header, &size), 0);
		assert_int_equal(header.epoch, i);
		assert_int_equal(size, FRAME_BYTES + i);
		assert_int_equal(ring_copy(&r, i, out, sizeof(out), &size), 0);
		assert_int_equal(size, FRAME_BYTES + i);
		assert_frame(out, size, i);
	}
	ring_reader_finish(&r);
}

static void ring_takes_a_frame_as_large_as_its_slots_and_no_copy_into_less(void **state)
{
	struct ring_writer *w = *state;
	struct ring_reader r = reader_of(w);
	uint8_t out[SLOT_BYTES];
	uint32_t size;

	for (uint8_t i = 1; i <= RING_SLOTS; i++) {
		frame_write(w, i, SLOT_BYTES);
	}
	for (uint8_t i = 1; i <= RING_SLOTS; i++) {
		assert_int_equal(ring_copy(&r, i, out, sizeof(out), &size), 0);
		assert_frame(out, size, i);
	}
	assert_int_equal(ring_copy(&r, 2, out, SLOT_BYTES - 1, &size), -ENOSPC);
	ring_reader_finish(&r);
}

static void ring_reader_is_told_that_a_frame_was_overwritten(void **state)
{
	struct ring_writer *w = *state;
	struct ring_reader r = reader_of(w);
	struct wire_frame_header header;
	uint8_t out[SLOT_BYTES];
	uint32_t size;

	for (uint8_t i = 1; i <= RING_SLOTS; i++) {
		frame_write(w, i, FRAME_BYTES);
	}
	assert_int_equal(ring_copy(&r, 1, out, sizeof(out), &size), 0);
	(void)ring_begin(w); /* frame 1 goes, frame RING_SLOTS + 1 is not there yet */
	assert_int_equal(ring_copy(&r, 1, out, sizeof(out), &size), -EAGAIN);
	assert_int_equal(ring_peek(&r, 1, &header, &size), -EAGAIN);
	assert_int_equal(ring_copy(&r, RING_SLOTS + 1, out, sizeof(out), &size), -EAGAIN);
	assert_int_equal(ring_newest(&r), RING_SLOTS);
	frame_write(w, 9, FRAME_BYTES);
	assert_int_equal(ring_copy(&r, 1, out, sizeof(out), &size), -EAGAIN);
	assert_int_equal(ring_copy(&r, RING_SLOTS + 1, out, sizeof(out), &size), 0);
	ring_reader_finish(&r);
}

struct race {
	struct ring_writer w;
	atomic_bool stop;
};

static void *race_write(void *data)
{
	struct race *race = data;

	for (uint8_t value = 0; !atomic_load(&race->stop); value++) {
		frame_write(&race->w, value, race->w.slot_bytes);
	}
	return NULL;
}

/* A writer at full speed and a reader of the slot that it overwrites next: many copies meet it, and
 * none of those may succeed. Each has the ring at an address of its own, as two processes have, so
 * ThreadSanitizer says nothing about the race that is meant. */
static void ring_copy_never_succeeds_with_two_frames_mixed(void **state)
{
	enum { COPIES = 2000, RACE_SLOT_BYTES = 128 << 10 };
	static uint8_t out[RACE_SLOT_BYTES];
	static struct race race;
	const uint8_t *body = out + WIRE_FRAME_HEADER_BYTES;
	struct wire_frame_header header;
	struct ring_reader r;
	int copied = 0, lost = 0;
	pthread_t thread;
	uint32_t size;

	(void)state;
	assert_int_equal(ring_writer_init(&race.w, RACE_SLOT_BYTES), 0);
	r = reader_of(&race.w);
	assert_int_equal(pthread_create(&thread, NULL, race_write, &race), 0);
	for (uint64_t i = 0; copied < COPIES || lost < COPIES; i++) {
		uint64_t number = ring_newest(&r) + i % 2; /* the newest, or the one to go next */
		int err = ring_copy(
			&r, i % 2 ? number - RING_SLOTS : number, out, sizeof(out), &size);

		if (err == -EAGAIN) {
			lost++;
			continue;
		}
		assert_int_equal(err, 0);
		copied++;
		assert_int_equal(wire_parse_frame_header(out, size, &header), 0);
		assert_int_equal(body[0], (uint8_t)header.epoch);
		assert_memory_equal(body, body + 1, size - WIRE_FRAME_HEADER_BYTES - 1);
	}
	atomic_store(&race.stop, true);
	pthread_join(thread, NULL);
	ring_reader_finish(&r);
	ring_writer_finish(&race.w);
}

static void ring_cannot_be_mapped_writable_by_a_reader(void **state)
{
	struct ring_writer *w = *state;
	char path[64];
	int fd;

	assert_ptr_equal(mmap(NULL, w->map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, w->memfd, 0),
		MAP_FAILED);
	assert_int_equal(errno, EPERM);
	assert_int_equal(write(w->memfd, "x", 1), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(w->memfd, 0), -1);
	assert_int_equal(ftruncate(w->memfd, (off_t)w->map_bytes * 2), -1);
	assert_int_equal(fcntl(w->memfd, F_ADD_SEALS, F_SEAL_WRITE), -1);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", w->memfd);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd >= 0) {
		assert_ptr_equal(mmap(NULL, 64, PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
		close(fd);
	}
}

static void ring_reader_mapping_cannot_be_made_writable(void **state)
{
	struct ring_reader r = reader_of(*state);

	assert_int_equal(
		mprotect((void *)(uintptr_t)r.map, r.map_bytes, PROT_READ | PROT_WRITE), -1);
	ring_reader_finish(&r);
}

/* A memfd of the right size and content, with these seals. */
static int forged_ring(int seals, size_t bytes)
{
	const struct ring_head head = {
		.magic = ring_magic, .slots = RING_SLOTS, .slot_bytes = SLOT_BYTES};
	int fd = memfd_create("forged", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)bytes), 0);
	assert_int_equal(pwrite(fd, &head, sizeof(head), 0), sizeof(head));
	assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

static void ring_reader_refuses_what_lacks_any_seal(void **state)
{
	static const int seals[] = {F_SEAL_FUTURE_WRITE, F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_SEAL};
	struct ring_reader r;
	int fd;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		fd = forged_ring(seals_needed & ~seals[i], ring_bytes(SLOT_BYTES));
		assert_int_equal(ring_reader_init(&r, fd, SLOT_BYTES), -EPERM);
		assert_null(r.map);
		close(fd);
	}
	fd = forged_ring(0, ring_bytes(SLOT_BYTES));
	assert_int_equal(ring_reader_init(&r, fd, SLOT_BYTES), -EPERM);
	close(fd);
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(ring_reader_init(&r, fd, SLOT_BYTES), -EPERM);
	close(fd);
	fd = forged_ring(seals_needed, ring_bytes(SLOT_BYTES));
	assert_int_equal(ring_reader_init(&r, fd, SLOT_BYTES), 0);
	ring_reader_finish(&r);
	close(fd);
}

static void ring_reader_refuses_a_wrong_size(void **state)
{
	struct ring_writer *w = *state;
	struct ring_reader r;
	int fd;

	assert_int_equal(ring_reader_init(&r, w->memfd, SLOT_BYTES * 2), -EBADMSG);
	assert_int_equal(ring_reader_init(&r, w->memfd, SLOT_BYTES - 1), -EBADMSG);
	assert_int_equal(ring_reader_init(&r, w->memfd, 0), -EBADMSG);
	assert_int_equal(ring_reader_init(&r, w->memfd, UINT32_MAX), -EBADMSG);
	fd = forged_ring(seals_needed, ring_bytes(SLOT_BYTES) - 1);
	assert_int_equal(ring_reader_init(&r, fd, SLOT_BYTES), -EBADMSG);
	close(fd);
	fd = forged_ring(seals_needed, ring_bytes(SLOT_BYTES) + 1);
	assert_int_equal(ring_reader_init(&r, fd, SLOT_BYTES), -EBADMSG);
	close(fd);
}

static void ring_reader_trusts_no_length_that_it_finds(void **state)
{
	static const uint32_t wrong[] = {
		0, 1, WIRE_FRAME_HEADER_BYTES, SLOT_BYTES + 1, 1 << 30, UINT32_MAX};
	struct ring_writer *w = *state;
	struct ring_reader r = reader_of(w);
	static uint8_t out[SLOT_BYTES * 4];
	uint32_t size;

	frame_write(w, 1, FRAME_BYTES);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		writer_slot(w, 1)->size = wrong[i];
		assert_int_equal(ring_copy(&r, 1, out, sizeof(out), &size), -EBADMSG);
	}
	writer_slot(w, 1)->size = FRAME_BYTES;
	assert_int_equal(ring_copy(&r, 1, out, sizeof(out), &size), 0);
	/* A slot whose head and frame tell two stories is no frame. */
	writer_slot(w, 1)->header[0] ^= 1;
	assert_int_equal(ring_copy(&r, 1, out, sizeof(out), &size), -EBADMSG);
	/* A newest number from anywhere stays inside the map. */
	atomic_store(&((struct ring_head *)w->map)->newest, UINT64_MAX);
	assert_int_equal(ring_copy(&r, ring_newest(&r), out, sizeof(out), &size), -EAGAIN);
	ring_reader_finish(&r);
}

static uint64_t wakeups(int fd)
{
	uint64_t count = 0;

	return read(fd, &count, sizeof(count)) < 0 ? 0 : count;
}

static void ring_wakes_every_reader_by_an_eventfd_of_its_own(void **state)
{
	struct ring_writer *w = *state;
	int memfd, first, second, third;

	assert_int_equal(ring_add_reader(w, 7, &memfd, &first), 0);
	assert_int_equal(memfd, w->memfd);
	assert_int_equal(ring_add_reader(w, 8, &memfd, &second), 0);
	assert_int_not_equal(first, second);
	assert_int_equal(ring_add_reader(w, 7, &memfd, &third), -EEXIST);
	frame_write(w, 1, FRAME_BYTES);
	frame_write(w, 2, FRAME_BYTES);
	/* What one reads, the other does not lose. */
	assert_int_equal(wakeups(first), 2);
	assert_int_equal(wakeups(second), 2);
	second = dup(second); /* as the reader would hold it */
	ring_drop_reader(w, 8);
	frame_write(w, 3, FRAME_BYTES);
	assert_int_equal(wakeups(first), 1);
	assert_int_equal(wakeups(second), 0);
	close(second);
}

static void ring_has_a_limited_number_of_readers_and_reuses_places(void **state)
{
	struct ring_writer *w = *state;
	int memfd, fd;

	for (uint32_t i = 0; i < RING_READERS_MAX; i++) {
		assert_int_equal(ring_add_reader(w, i, &memfd, &fd), 0);
	}
	assert_int_equal(ring_add_reader(w, 99, &memfd, &fd), -EMFILE);
	ring_drop_reader(w, 99);
	ring_drop_reader(w, 3);
	assert_int_equal(ring_add_reader(w, 99, &memfd, &fd), 0);
}

static void ring_writer_goes_on_when_a_reader_never_reads(void **state)
{
	struct ring_writer *w = *state;
	const uint64_t almost = UINT64_MAX - 1;
	int memfd, fd;

	assert_int_equal(ring_add_reader(w, 1, &memfd, &fd), 0);
	assert_int_equal(write(fd, &almost, sizeof(almost)), sizeof(almost));
	frame_write(w, 1, FRAME_BYTES);
	assert_int_equal(w->published, 1);
}

static void ring_refuses_slots_of_no_use(void **state)
{
	struct ring_writer w;

	(void)state;
	assert_int_equal(ring_writer_init(&w, WIRE_FRAME_HEADER_BYTES), -EINVAL);
	assert_int_equal(ring_writer_init(&w, WIRE_FRAME_MAX_BYTES + 1), -EINVAL);
	ring_writer_finish(&w); /* also after a failed init */
}

#define RING_TEST(name) cmocka_unit_test_setup_teardown(name, ring_setup, ring_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RING_TEST(ring_reader_gets_the_newest_frame_whole),
		RING_TEST(ring_takes_a_frame_as_large_as_its_slots_and_no_copy_into_less),
		RING_TEST(ring_reader_is_told_that_a_frame_was_overwritten),
		cmocka_unit_test(ring_copy_never_succeeds_with_two_frames_mixed),
		RING_TEST(ring_cannot_be_mapped_writable_by_a_reader),
		RING_TEST(ring_reader_mapping_cannot_be_made_writable),
		cmocka_unit_test(ring_reader_refuses_what_lacks_any_seal),
		RING_TEST(ring_reader_refuses_a_wrong_size),
		RING_TEST(ring_reader_trusts_no_length_that_it_finds),
		RING_TEST(ring_wakes_every_reader_by_an_eventfd_of_its_own),
		RING_TEST(ring_has_a_limited_number_of_readers_and_reuses_places),
		RING_TEST(ring_writer_goes_on_when_a_reader_never_reads),
		cmocka_unit_test(ring_refuses_slots_of_no_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
