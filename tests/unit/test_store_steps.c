/* Each call of SQLite in turn fails, once, in each thing that the store does: it says so by the
 * right errno, and holds what it held before. The calls are the test's own (--wrap, in the
 * Makefile). */
#include "store_fixture.h"

#include <errno.h>

/* ---- calls that fail ---- */

static struct {
	bool armed;
	int code;
	unsigned int at, seen;
} fault;

int __real_sqlite3_step(sqlite3_stmt *q);
int __wrap_sqlite3_step(sqlite3_stmt *q);
int __real_sqlite3_exec(sqlite3 *db, const char *sql, int (*each)(void *, int, char **, char **),
	void *data, char **ret_error);
int __wrap_sqlite3_exec(sqlite3 *db, const char *sql, int (*each)(void *, int, char **, char **),
	void *data, char **ret_error);
int __real_sqlite3_prepare_v2(
	sqlite3 *db, const char *sql, int size, sqlite3_stmt **ret, const char **ret_rest);
int __wrap_sqlite3_prepare_v2(
	sqlite3 *db, const char *sql, int size, sqlite3_stmt **ret, const char **ret_rest);

static bool fails(void)
{
	return fault.armed && ++fault.seen == fault.at;
}

int __wrap_sqlite3_step(sqlite3_stmt *q)
{
	return fails() ? fault.code : __real_sqlite3_step(q);
}

int __wrap_sqlite3_exec(sqlite3 *db, const char *sql, int (*each)(void *, int, char **, char **),
	void *data, char **ret_error)
{
	return fails() ? fault.code : __real_sqlite3_exec(db, sql, each, data, ret_error);
}

int __wrap_sqlite3_prepare_v2(
	sqlite3 *db, const char *sql, int size, sqlite3_stmt **ret, const char **ret_rest)
{
	if (fails()) {
		*ret = NULL;
		return fault.code;
	}
	return __real_sqlite3_prepare_v2(db, sql, size, ret, ret_rest);
}

/* ---- what is in the store ---- */

enum { DUMP_BYTES = 1 << 16 };

struct dump {
	size_t size;
	char text[DUMP_BYTES];
};

static void dump_query(sqlite3 *db, const char *sql, struct dump *d)
{
	sqlite3_stmt *q = NULL;

	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &q, NULL), SQLITE_OK);
	while (sqlite3_step(q) == SQLITE_ROW) {
		for (int i = 0; i < sqlite3_column_count(q); i++) {
			size_t size = (size_t)sqlite3_column_bytes(q, i);

			assert_true(d->size + size < DUMP_BYTES);
			if (size > 0) {
				memcpy(d->text + d->size, sqlite3_column_blob(q, i), size);
			}
			d->size += size;
			d->text[d->size++] = '\n';
		}
	}
	sqlite3_finalize(q);
}

static void dump_store(struct store *s, struct dump *ret)
{
	static const char *const tables[] = {"SELECT * FROM displays ORDER BY id",
		"SELECT * FROM cameras ORDER BY id",
		"SELECT * FROM grants ORDER BY display, camera",
		"SELECT * FROM suspensions ORDER BY what, id",
		"SELECT * FROM audit ORDER BY rowid"};

	memset(ret, 0, sizeof(*ret));
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		dump_query(s->db, tables[i], ret);
	}
}

static bool are_same(const struct dump *a, const struct dump *b)
{
	return a->size == b->size && memcmp(a->text, b->text, a->size) == 0;
}

/* ---- what the store is asked ---- */

static struct store_display kitchen, hall;
static struct store_camera door, yard, once;

static int add_display(struct store *s)
{
	struct store_display d = {.id = {9}, .name = "Kitchen"};

	return store_display_add(s, &d, (const uint8_t(*)[CAMERA_ID_BYTES]) & door.id, 1);
}

static int find_display(struct store *s)
{
	struct store_display d;

	return store_display_find(s, "01010101", &d);
}

static int remove_display(struct store *s)
{
	return store_display_remove(s, kitchen.id);
}

static int find_owner(struct store *s)
{
	return store_has_owner(s);
}

static int adopt_new(struct store *s)
{
	struct store_camera c = {.id = {9}, .identity = "usb:9", .name = "Door"};

	return store_camera_adopt(s, &c);
}

static int adopt_known(struct store *s)
{
	struct store_camera c = {.id = {9}, .identity = "usb:1", .name = "Other"};

	return store_camera_adopt(s, &c);
}

static int find_camera(struct store *s)
{
	struct store_camera c;

	return store_camera_find(s, "02020202", &c);
}

static int forget_camera(struct store *s)
{
	return store_camera_forget(s, door.id);
}

static int confirm_camera(struct store *s)
{
	return store_camera_stand(s, once.id, STANDING_CONFIRMED, NULL);
}

static int decide_camera(struct store *s)
{
	return store_camera_decide(s, once.id);
}

static int rename_camera(struct store *s)
{
	return store_camera_rename(s, door.id, "Gate");
}

static int check_grant(struct store *s)
{
	return store_grant_check(s, kitchen.id, door.id);
}

static int add_grant(struct store *s)
{
	return store_grant_add(s, hall.id, yard.id);
}

static int remove_grant(struct store *s)
{
	return store_grant_remove(s, kitchen.id, door.id);
}

static int pass_camera(void *data, const struct store_camera *c)
{
	(void)data;
	(void)c;
	return 0;
}

static int pass_display(void *data, const struct store_display *d)
{
	(void)data;
	(void)d;
	return 0;
}

static int pass_suspension(void *data, const struct store_suspension *x)
{
	(void)data;
	(void)x;
	return 0;
}

static int each_camera(struct store *s)
{
	return store_grant_cameras(s, kitchen.id, pass_camera, NULL);
}

static int each_display(struct store *s)
{
	return store_grant_displays(s, door.id, pass_display, NULL);
}

static int each_suspension(struct store *s)
{
	return store_suspension_each(s, pass_suspension, NULL);
}

static int suspend_camera(struct store *s)
{
	return store_suspend(s, SUSPENDED_CAMERA, door.id, "why");
}

static int suspend_display(struct store *s)
{
	return store_suspend(s, SUSPENDED_DISPLAY, kitchen.id, "why");
}

static int suspend_kind(struct store *s)
{
	return store_suspend(s, SUSPENDED_BROWSERS, NULL, "why");
}

static int resume_camera(struct store *s)
{
	return store_resume(s, SUSPENDED_CAMERA, yard.id);
}

static int find_suspension(struct store *s)
{
	struct store_suspension x;

	return store_suspension_of(s, kitchen.id, yard.id, &x);
}

static const struct act {
	const char *name;
	int (*run)(struct store *s);
	bool changes;
} acts[] = {
	{"add display", add_display, true},
	{"find display", find_display, false},
	{"remove display", remove_display, true},
	{"remove all displays", store_display_remove_all, true},
	{"find owner", find_owner, false},
	{"adopt new", adopt_new, true},
	{"adopt known", adopt_known, false},
	{"find camera", find_camera, false},
	{"forget camera", forget_camera, true},
	{"forget those of a run", store_camera_forget_run, true},
	{"confirm camera", confirm_camera, true},
	{"decide about camera", decide_camera, true},
	{"rename camera", rename_camera, true},
	{"check grant", check_grant, false},
	{"add grant", add_grant, true},
	{"remove grant", remove_grant, true},
	{"cameras of display", each_camera, false},
	{"displays of camera", each_display, false},
	{"suspensions", each_suspension, false},
	{"suspend camera", suspend_camera, true},
	{"suspend display", suspend_display, true},
	{"suspend kind", suspend_kind, true},
	{"resume camera", resume_camera, true},
	{"find suspension", find_suspension, false},
	{"integrity", store_integrity_check, false},
};

static void fill(struct store *s)
{
	store_fixture_display(s, 1, "Kitchen", &kitchen);
	store_fixture_display(s, 2, "Hall", &hall);
	store_fixture_camera(s, 1, "usb:1", "Door", &door);
	store_fixture_camera(s, 2, "usb:2", "Yard", &yard);
	once = (struct store_camera){.id = {3}, .identity = "run/3", .name = "Once"};
	assert_int_equal(store_camera_adopt(s, &once), 0);
	assert_int_equal(store_grant_add(s, kitchen.id, door.id), 0);
	assert_int_equal(store_suspend(s, SUSPENDED_CAMERA, yard.id, "before"), 0);
}

/* ---- the tests ---- */

static const struct {
	int code, error;
} codes[] = {{SQLITE_IOERR, -EIO}, {SQLITE_BUSY, -EBUSY}, {SQLITE_READONLY, -EROFS},
	{SQLITE_PERM, -EACCES}, {SQLITE_CORRUPT, -EUCLEAN}, {SQLITE_NOMEM, -ENOMEM}};

/* How many calls it made. */
static unsigned int fail_each(struct store *s, const struct act *a)
{
	static struct dump before, after;
	int result;

	dump_store(s, &before);
	for (fault.at = 1;; fault.at++) {
		size_t n = fault.at % (sizeof(codes) / sizeof(codes[0]));

		fault.code = codes[n].code;
		fault.seen = 0;
		fault.armed = true;
		result = a->run(s);
		fault.armed = false;
		dump_store(s, &after);
		if (fault.seen < fault.at) {
			break;
		}
		if (result != codes[n].error) {
			fail_msg("%s said %d when call %u failed by %d", a->name, result, fault.at,
				fault.code);
		}
		if (!are_same(&before, &after)) {
			fail_msg("%s failed at call %u, and the store changed", a->name, fault.at);
		}
		assert_int_equal(sqlite3_get_autocommit(s->db), 1);
	}
	assert_true(result >= 0);
	if (are_same(&before, &after) == a->changes) {
		fail_msg("%s %s", a->name, a->changes ? "changed nothing" : "changed the store");
	}
	return fault.at - 1;
}

static void what_fails_at_any_call_is_told_and_changes_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		struct store_fixture f;

		store_fixture_init(&f);
		fill(&f.store);
		assert_true(fail_each(&f.store, &acts[i]) >= 2);
		store_fixture_finish(&f);
	}
}

/* Opened anew, it is what it was. */
static void a_store_that_cannot_be_opened_says_why_and_is_as_before(void **state)
{
	static struct dump before, after;
	struct store_fixture f;
	char problem[STORE_PROBLEM_BYTES];
	unsigned int calls = 0;
	int result;

	(void)state;
	store_fixture_init(&f);
	fill(&f.store);
	/* What was for one run only is over at the first opening. */
	store_finish(&f.store);
	store_fixture_open(&f);
	dump_store(&f.store, &before);
	do {
		store_finish(&f.store);
		problem[0] = 0;
		fault.at = ++calls;
		fault.code = SQLITE_IOERR;
		fault.seen = 0;
		fault.armed = true;
		result = store_init(&f.store, f.dir, problem);
		fault.armed = false;
		if (fault.seen >= fault.at) {
			assert_int_equal(result, -EIO);
			assert_int_not_equal(problem[0], 0);
			store_fixture_open(&f);
		}
		dump_store(&f.store, &after);
		assert_int_equal(after.size, before.size);
		assert_memory_equal(after.text, before.text, before.size);
	} while (fault.seen >= fault.at);
	assert_int_equal(result, 0);
	assert_true(calls > 3);
	store_fixture_finish(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_fails_at_any_call_is_told_and_changes_nothing),
		cmocka_unit_test(a_store_that_cannot_be_opened_says_why_and_is_as_before),
	};

	return cmocka_run_group_tests_name("store steps", tests, NULL, NULL);
}
