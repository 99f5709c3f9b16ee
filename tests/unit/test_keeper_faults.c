/*
 * The store and the keeper's core while things fail beneath them: each write to disk in turn (once,
 * as a full disk; for good, as when the power goes, whole or torn), and each allocation of SQLite
 * and OpenSSL in turn. Afterwards the store opens, is sound, and holds each change whole or not at
 * all; what was reported done is there; no key went out without its record.
 *
 * FAULTS=all tries every allocation; otherwise some of them.
 */
#include "fault_counts.h"
#include "keeper_fixture.h"
#include "wrapped_files.h"

#include <errno.h>
#include <openssl/crypto.h>

enum { WEB = 1, CAMERA = 2, OTHER_CAMERA = 3, SOME = 7 };

/* ---- faults ---- */

enum fault { FAULT_FULL, FAULT_CUT, FAULT_TORN, FAULT_ALLOCATION, FAULT_NO_MEMORY, FAULTS };

static const char *const names[FAULTS] = {
	"disk", "power-cut", "power-cut", "allocation", "allocation"};

static struct {
	bool armed;
	enum fault kind;
	uint64_t at, seen; /* the how many-th operation fails; how many there were */
	uint64_t injected[FAULTS]; /* in all, for people */
} faults;

/* Is this the one that fails, or one after the end? */
static bool fault_now(bool allocation)
{
	bool ours = allocation == (faults.kind >= FAULT_ALLOCATION);
	bool for_good = faults.kind != FAULT_FULL && faults.kind != FAULT_ALLOCATION;

	if (!faults.armed || !ours) {
		return false;
	}
	faults.seen++;
	if (faults.seen == faults.at || (for_good && faults.seen > faults.at)) {
		faults.injected[faults.kind] += faults.seen == faults.at;
		return true;
	}
	return false;
}

static void faults_arm(enum fault kind, uint64_t at)
{
	faults.armed = true;
	faults.kind = kind;
	faults.at = at;
	faults.seen = 0;
}

/* True if the fault came. */
static bool faults_disarm(void)
{
	faults.armed = false;
	return faults.seen >= faults.at;
}

/* ---- SQLite's files ---- */

static int faulty_write(sqlite3_file *file, const void *data, int size, sqlite3_int64 offset)
{
	if (!fault_now(false)) {
		return file_methods_real(file)->xWrite(file, data, size, offset);
	}
	if (faults.kind == FAULT_TORN && faults.seen == faults.at) {
		(void)file_methods_real(file)->xWrite(file, data, size / 2, offset);
	}
	return faults.kind == FAULT_FULL ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}

/* Nothing here outlives the machine, so nothing has to reach its disk. */
static int faulty_sync(sqlite3_file *file, int flags)
{
	(void)file;
	(void)flags;
	return fault_now(false) ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}

static int faulty_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	return fault_now(false) ? SQLITE_IOERR_TRUNCATE
				: file_methods_real(file)->xTruncate(file, size);
}

static void replace_methods(sqlite3_io_methods *methods)
{
	methods->xWrite = faulty_write;
	methods->xSync = faulty_sync;
	methods->xTruncate = faulty_truncate;
}

/* ---- allocations ---- */

static sqlite3_mem_methods real_memory;

static void *faulty_malloc(int size)
{
	return fault_now(true) ? NULL : real_memory.xMalloc(size);
}

static void *faulty_realloc(void *p, int size)
{
	return fault_now(true) ? NULL : real_memory.xRealloc(p, size);
}

static void *crypto_malloc(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return size == 0 || fault_now(true) ? NULL : malloc(size);
}

static void *crypto_realloc(void *p, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return fault_now(true) ? NULL : realloc(p, size);
}

static void crypto_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	free(p);
}

/* Before anything of either library runs. */
static int faults_install(void)
{
	sqlite3_mem_methods memory;

	if (CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc, crypto_free) != 1 ||
		sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real_memory) != SQLITE_OK) {
		return -1;
	}
	memory = real_memory;
	memory.xMalloc = faulty_malloc;
	memory.xRealloc = faulty_realloc;
	if (sqlite3_config(SQLITE_CONFIG_MALLOC, &memory) != SQLITE_OK) {
		return -1;
	}
	return files_wrap(replace_methods) == SQLITE_OK ? 0 : -1;
}

/* ---- what is to be true afterwards ---- */

/* Opens it again, as the next keeper would. */
static void store_opens_and_is_sound(struct store_fixture *f)
{
	sqlite3_stmt *broken = NULL;

	store_finish(&f->store);
	store_fixture_open(f);
	assert_int_equal(store_integrity_check(&f->store), 0);
	assert_int_equal(
		sqlite3_prepare_v2(f->store.db, "PRAGMA foreign_key_check", -1, &broken, NULL),
		SQLITE_OK);
	assert_int_equal(sqlite3_step(broken), SQLITE_DONE);
	sqlite3_finalize(broken);
	assert_int_equal(audit_verify(&f->store), 0);
}

static bool is_granted(struct store *s, uint8_t display, uint8_t camera)
{
	uint8_t display_id[DISPLAY_ID_BYTES], camera_id[CAMERA_ID_BYTES];

	memset(display_id, display, sizeof(display_id));
	memset(camera_id, camera, sizeof(camera_id));
	return store_grant_check(s, display_id, camera_id) == 0;
}

/* ---- the changes of the store ---- */

enum { CHANGES = 7 };

/* Displays 1 and 2, cameras 1 and 2 are there; display 1 was given camera 1. */
static void store_begin_with(struct store_fixture *f)
{
	struct store_display d;
	struct store_camera c;

	store_fixture_init(f);
	store_fixture_camera(&f->store, 1, "usb:1", "Door", &c);
	store_fixture_camera(&f->store, 2, "usb:2", "Yard", &c);
	store_fixture_display(&f->store, 1, "Kitchen", &d);
	store_fixture_display(&f->store, 2, "Hall", &d);
	assert_int_equal(store_grant_add(&f->store, (uint8_t[DISPLAY_ID_BYTES]){0}, c.id), -ENOENT);
	uint8_t id[DISPLAY_ID_BYTES], camera[CAMERA_ID_BYTES];
	memset(id, 1, sizeof(id));
	memset(camera, 1, sizeof(camera));
	assert_int_equal(store_grant_add(&f->store, id, camera), 0);
}

static void store_change(struct store *s, int done[static CHANGES])
{
	struct store_display third = {.name = "Garden"};
	struct audit_opening opening = {.stream = 1, .display_name = "K", .camera_name = "D"};
	uint8_t cameras[2][CAMERA_ID_BYTES], kitchen[DISPLAY_ID_BYTES], hall[DISPLAY_ID_BYTES];
	int64_t viewing = 0;

	memset(cameras[0], 1, CAMERA_ID_BYTES);
	memset(cameras[1], 2, CAMERA_ID_BYTES);
	memset(kitchen, 1, sizeof(kitchen));
	memset(hall, 2, sizeof(hall));
	memset(third.id, 3, sizeof(third.id));
	done[0] = store_display_add(s, &third, (const uint8_t(*)[CAMERA_ID_BYTES])cameras, 2);
	done[1] = store_grant_add(s, kitchen, cameras[1]);
	done[2] = store_grant_remove(s, kitchen, cameras[0]);
	done[3] = store_camera_rename(s, cameras[0], "Gate");
	done[4] = audit_open(s, &opening, &viewing);
	done[5] = store_display_remove(s, hall);
	done[6] = store_suspend(s, SUSPENDED_KIOSKS, NULL, "why");
}

static void check_changes(struct store *s, const int done[static CHANGES])
{
	struct store_display d;
	struct store_camera c;
	struct store_suspension x;
	uint8_t garden[DISPLAY_ID_BYTES], hall[DISPLAY_ID_BYTES];

	memset(garden, 3, sizeof(garden));
	memset(hall, 2, sizeof(hall));
	bool there = store_display_get(s, garden, &d) == 0;
	assert_true(is_granted(s, 3, 1) == there && is_granted(s, 3, 2) == there);
	assert_true(there || done[0] < 0);
	assert_true(is_granted(s, 1, 2) || done[1] < 0);
	assert_true(!is_granted(s, 1, 1) || done[2] < 0);
	assert_true(store_camera_find(s, "Gate", &c) == 0 || done[3] < 0);
	assert_true(audit_count(s) == 1 || (done[4] < 0 && audit_count(s) == 0));
	assert_true(store_display_get(s, hall, &d) == -ENOENT || done[5] < 0);
	assert_true(store_suspension_of_kind(s, DISPLAY_KIOSK, &x) == 1 || done[6] < 0);
}

/* With the fault at each place in turn, until there is none left. */
static void changes_under(enum fault kind, uint64_t stride)
{
	for (uint64_t at = 1;; at += stride) {
		struct store_fixture f;
		int done[CHANGES];
		bool came;

		store_begin_with(&f);
		faults_arm(kind, at);
		store_change(&f.store, done);
		if (kind == FAULT_CUT || kind == FAULT_TORN) {
			store_finish(&f.store); /* which cannot write any more either */
			f.store = (struct store){.lock_fd = -1};
		}
		came = faults_disarm();
		store_opens_and_is_sound(&f);
		check_changes(&f.store, done);
		store_fixture_finish(&f);
		if (!came) {
			for (int i = 0; i < CHANGES; i++) {
				assert_int_equal(done[i], 0);
			}
			return;
		}
	}
}

static uint64_t stride_of_allocations(void)
{
	const char *wanted = getenv("FAULTS");

	return wanted != NULL && strcmp(wanted, "all") == 0 ? 1 : SOME;
}

static void a_disk_that_is_full_at_any_write_leaves_no_half_change(void **state)
{
	(void)state;
	changes_under(FAULT_FULL, 1);
}

static void a_power_cut_at_any_write_leaves_no_half_change(void **state)
{
	(void)state;
	changes_under(FAULT_CUT, 1);
	changes_under(FAULT_TORN, 1);
}

static void an_allocation_that_fails_leaves_no_half_change(void **state)
{
	(void)state;
	changes_under(FAULT_ALLOCATION, stride_of_allocations());
	changes_under(FAULT_NO_MEMORY, stride_of_allocations());
}

/* ---- the keeper's core ---- */

/* A display that is logged in and was given Door, with a WATCH that it signed before. */
static size_t display_ready(struct display *d, uint8_t *watch, uint8_t camera[CAMERA_ID_BYTES])
{
	struct wire_watch m = {.stream = 1, .nonce = {1}};
	struct wire_envelope e = {.type = WIRE_DISPLAY, .kind = DISPLAY_WATCH};
	uint8_t body[64];
	ssize_t n;

	display_init(d);
	web_join(WEB);
	camera_join(CAMERA, "usb:1", "Door", camera);
	display_enter(d, WEB, 10, "Kitchen");
	assert_int_equal(registry_grant(fixture.registry, d->id, camera), 0);
	memcpy(m.camera, camera, CAMERA_ID_BYTES);
	memcpy(e.session, d->session, sizeof(e.session));
	e.body = body;
	e.body_size = (size_t)wire_encode_watch(&m, body, sizeof(body));
	n = message_sign(&d->sign, &e, watch, WIRE_DISPLAY_MESSAGE_MAX_BYTES);
	assert_true(n > 0);
	sent_forget();
	return (size_t)n;
}

static void no_key_before_its_record(void)
{
	for (unsigned int i = 0; i < fixture.sent_count; i++) {
		const struct sent *s = &fixture.sent[i];
		bool is_key = s->bytes[0] == IPC_TELL_KEY || s->bytes[0] == IPC_WRAP;

		/* Below zero: the fault met the fixture's own question. */
		if (is_key && s->viewings >= 0) {
			assert_int_equal(s->viewings, 1);
		}
	}
}

/* One viewing from WATCH to revoke; true while there was a place for the fault. */
static bool viewing_under(enum fault kind, uint64_t at)
{
	static uint8_t watch[WIRE_DISPLAY_MESSAGE_MAX_BYTES];
	uint8_t camera[CAMERA_ID_BYTES];
	struct display d;
	struct sent *asked;
	struct ipc_wrap wrap;
	bool came;
	int revoked;

	fixture_set_up(NULL);
	size_t size = display_ready(&d, watch, camera);
	faults_arm(kind, at);
	display_heard(&d, watch, size);
	asked = sent_find(CAMERA, IPC_WRAP);
	if (asked != NULL) {
		camera_take_wrap(CAMERA, &wrap);
		camera_answer_wrap(CAMERA, &wrap, 1);
	}
	revoked = registry_revoke(fixture.registry, d.id, camera, 1);
	unsigned int before = fixture.sent_count;
	fixture_pass_ms(REGISTRY_ROTATE_MS);
	registry_web_closed(fixture.registry, WEB, 10);
	came = faults_disarm();
	no_key_before_its_record();
	for (unsigned int i = before; revoked == 0 && i < fixture.sent_count; i++) {
		assert_int_not_equal(fixture.sent[i].bytes[0], IPC_TELL_KEY);
	}
	registry_destroy(fixture.registry);
	store_opens_and_is_sound(&fixture.files);
	assert_true(
		revoked < 0 || store_grant_check(&fixture.files.store, d.id, camera) == -ENOENT);
	display_finish(&d);
	key_pair_finish(&fixture.hub);
	store_fixture_finish(&fixture.files);
	return came;
}

static void no_key_leaves_without_its_record_when_writes_fail(void **state)
{
	(void)state;
	for (uint64_t at = 1; viewing_under(FAULT_FULL, at); at++) {
	}
	for (uint64_t at = 1; viewing_under(FAULT_CUT, at); at++) {
	}
}

static void no_key_leaves_without_its_record_when_allocations_fail(void **state)
{
	const uint64_t stride = stride_of_allocations();

	(void)state;
	for (uint64_t at = 1; viewing_under(FAULT_ALLOCATION, at); at += stride) {
	}
}

/* Grant, rename and revoke, each by itself; true while there was a place for the fault. */
static bool commands_under(enum fault kind, uint64_t at, int command)
{
	static uint8_t watch[WIRE_DISPLAY_MESSAGE_MAX_BYTES];
	uint8_t camera[CAMERA_ID_BYTES];
	struct store_camera gate;
	struct display d;
	int done;

	fixture_set_up(NULL);
	(void)display_ready(&d, watch, camera);
	if (command == 0) {
		assert_int_equal(store_grant_remove(&fixture.files.store, d.id, camera), 0);
	}
	faults_arm(kind, at);
	done = command == 0   ? registry_grant(fixture.registry, d.id, camera)
	       : command == 1 ? registry_rename(fixture.registry, camera, "Gate")
			      : registry_revoke(fixture.registry, d.id, camera, 1);
	bool came = faults_disarm();
	struct store *s = &fixture.files.store;
	assert_int_equal(store_grant_check(s, d.id, camera) == 0,
		command == 1 || (command == 0 ? done == 0 : done < 0));
	assert_int_equal(store_camera_find(s, "Gate", &gate) == 0, command == 1 && done == 0);
	registry_destroy(fixture.registry);
	display_finish(&d);
	key_pair_finish(&fixture.hub);
	store_fixture_finish(&fixture.files);
	return came;
}

static void what_the_keeper_refuses_when_something_fails_is_as_before(void **state)
{
	const uint64_t stride = stride_of_allocations();

	(void)state;
	for (int command = 0; command < 3; command++) {
		for (uint64_t at = 1; commands_under(FAULT_FULL, at, command); at++) {
		}
		for (uint64_t at = 1; commands_under(FAULT_ALLOCATION, at, command); at += stride) {
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_disk_that_is_full_at_any_write_leaves_no_half_change),
		cmocka_unit_test(a_power_cut_at_any_write_leaves_no_half_change),
		cmocka_unit_test(an_allocation_that_fails_leaves_no_half_change),
		cmocka_unit_test(no_key_leaves_without_its_record_when_writes_fail),
		cmocka_unit_test(no_key_leaves_without_its_record_when_allocations_fail),
		cmocka_unit_test(what_the_keeper_refuses_when_something_fails_is_as_before),
	};

	if (faults_install() < 0) {
		fprintf(stderr, "the libraries do not let themselves be made to fail\n");
		return 1;
	}
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	for (int kind = 0; kind < FAULTS; kind++) {
		fault_counts_add("keeper-core", names[kind], faults.injected[kind]);
	}
	return failed;
}
