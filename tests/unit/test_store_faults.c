/*
 * The store on a disk that does what disks and kernels may do: reads and writes are short or
 * interrupted, fail, or find no room; syncing fails; the power goes. Changes are made by chance and
 * also on a model. After each, what the store holds is what the model holds: changed if it said so,
 * as before if it refused; and after a power cut one of the two.
 *
 * FAULTS_SEED chooses other changes and faults, FAULTS_CHANGES how many there are.
 */
#include "audit.h"
#include "failing_disk.h"
#include "fault_counts.h"
#include "store_fixture.h"

enum { DISPLAYS = 3, CAMERAS = 3, CHANGES = 600, CHANGES_EACH = 60 };

/* ---- what should be in it ---- */

struct model {
	bool there[DISPLAYS], granted[DISPLAYS][CAMERAS];
	bool renamed[CAMERAS], suspended[CAMERAS];
	int64_t viewings;
};

static void id_of(unsigned int n, uint8_t *ret, size_t size)
{
	memset(ret, (int)n + 1, size);
}

static const char *camera_name(unsigned int camera, bool renamed)
{
	static const char *const names[2][CAMERAS] = {
		{"Door", "Yard", "Hall"}, {"Gate", "Garden", "Stairs"}};

	return names[renamed][camera];
}

/* What a suspension hides is there all the same. */
static bool has_row(struct store *s, const char *sql, const uint8_t *camera, const uint8_t *display)
{
	sqlite3_stmt *q = NULL;

	assert_int_equal(sqlite3_prepare_v2(s->db, sql, -1, &q, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_bind_blob(q, 1, camera, CAMERA_ID_BYTES, SQLITE_STATIC), 0);
	if (display != NULL) {
		assert_int_equal(
			sqlite3_bind_blob(q, 2, display, DISPLAY_ID_BYTES, SQLITE_STATIC), 0);
	}
	int r = sqlite3_step(q);
	(void)sqlite3_finalize(q);
	assert_true(r == SQLITE_ROW || r == SQLITE_DONE);
	return r == SQLITE_ROW;
}

static bool holds_display(struct store *s, const struct model *m, unsigned int d)
{
	uint8_t display[DISPLAY_ID_BYTES], camera[CAMERA_ID_BYTES];
	struct store_display record;

	id_of(d, display, sizeof(display));
	if (store_display_get(s, display, &record) != (m->there[d] ? 0 : -ENOENT)) {
		return false;
	}
	for (unsigned int c = 0; c < CAMERAS; c++) {
		bool may = m->granted[d][c] && !m->suspended[c];

		id_of(c, camera, sizeof(camera));
		if (store_grant_check(s, display, camera) != (may ? 0 : -ENOENT) ||
			has_row(s, "SELECT 1 FROM grants WHERE camera = ? AND display = ?", camera,
				display) != m->granted[d][c]) {
			return false;
		}
	}
	return true;
}

static bool holds(struct store *s, const struct model *m)
{
	struct store_camera record;
	uint8_t camera[CAMERA_ID_BYTES];
	bool same = audit_count(s) == m->viewings;

	for (unsigned int d = 0; same && d < DISPLAYS; d++) {
		same = holds_display(s, m, d);
	}
	for (unsigned int c = 0; same && c < CAMERAS; c++) {
		id_of(c, camera, sizeof(camera));
		same = store_camera_get(s, camera, &record) == 0 &&
		       strcmp(record.name, camera_name(c, m->renamed[c])) == 0 &&
		       has_row(s, "SELECT 1 FROM suspensions WHERE id = ?", camera, NULL) ==
			       m->suspended[c];
	}
	return same;
}

/* ---- changes ---- */

struct change {
	enum { GRANT, TAKE, PAIR, REMOVE, RENAME, SUSPEND, VIEW, CHANGES_KINDS } kind;
	unsigned int display, camera;
};

/* What becomes of the model; false: the store has to refuse. */
static bool model_change(struct model *m, const struct change *x)
{
	bool *granted = &m->granted[x->display][x->camera];
	bool *there = &m->there[x->display];
	bool may = true;

	switch (x->kind) {
	case GRANT:
		may = *there;
		*granted = may;
		break;
	case TAKE:
		may = *granted;
		*granted = false;
		break;
	case PAIR:
		may = !*there;
		for (unsigned int c = 0; may && c < CAMERAS; c++) {
			m->granted[x->display][c] = true;
		}
		*there = true;
		break;
	case REMOVE:
		may = *there;
		*there = false;
		memset(m->granted[x->display], 0, sizeof(m->granted[x->display]));
		break;
	case RENAME:
		m->renamed[x->camera] = !m->renamed[x->camera];
		break;
	case SUSPEND:
		m->suspended[x->camera] = !m->suspended[x->camera];
		break;
	default:
		m->viewings++;
		break;
	}
	return may;
}

static int pair(struct store *s, unsigned int d)
{
	struct store_display display = {0};
	uint8_t cameras[CAMERAS][CAMERA_ID_BYTES];

	for (unsigned int c = 0; c < CAMERAS; c++) {
		id_of(c, cameras[c], CAMERA_ID_BYTES);
	}
	id_of(d, display.id, sizeof(display.id));
	id_of(d, display.sign_public, sizeof(display.sign_public));
	id_of(d, display.kem_public, sizeof(display.kem_public));
	(void)snprintf(display.name, sizeof(display.name), "Display %u", d);
	return store_display_add(s, &display, (const uint8_t(*)[CAMERA_ID_BYTES])cameras, CAMERAS);
}

static int store_change(struct store *s, const struct model *m, const struct change *x)
{
	struct audit_opening opening = {.stream = 1, .display_name = "K", .camera_name = "D"};
	uint8_t display[DISPLAY_ID_BYTES], camera[CAMERA_ID_BYTES];
	int64_t viewing;

	id_of(x->display, display, sizeof(display));
	id_of(x->camera, camera, sizeof(camera));
	switch (x->kind) {
	case GRANT:
		return store_grant_add(s, display, camera);
	case TAKE:
		return store_grant_remove(s, display, camera);
	case PAIR:
		return pair(s, x->display);
	case REMOVE:
		return store_display_remove(s, display);
	case RENAME:
		return store_camera_rename(
			s, camera, camera_name(x->camera, !m->renamed[x->camera]));
	case SUSPEND:
		return m->suspended[x->camera] ? store_resume(s, SUSPENDED_CAMERA, camera)
					       : store_suspend(s, SUSPENDED_CAMERA, camera, "why");
	default:
		return audit_open(s, &opening, &viewing);
	}
}

/* ---- the story ---- */

/* So few pages are kept that reading means to read. */
static void use_the_disk(struct store *s)
{
	assert_int_equal(sqlite3_exec(s->db, "PRAGMA cache_size = 5", NULL, NULL, NULL), SQLITE_OK);
}

static void begin(struct store_fixture *f)
{
	struct store_camera c;

	store_fixture_init(f);
	use_the_disk(&f->store);
	for (unsigned int i = 0; i < CAMERAS; i++) {
		char identity[16];

		(void)snprintf(identity, sizeof(identity), "usb:%u", i);
		store_fixture_camera(
			&f->store, (uint8_t)(i + 1), identity, camera_name(i, false), &c);
	}
}

/* As the next keeper opens it. */
static void reopen(struct store_fixture *f)
{
	store_finish(&f->store);
	f->store = (struct store){.lock_fd = -1};
	disk.armed = false;
	store_fixture_open(f);
	use_the_disk(&f->store);
}

static void check_sound(struct store *s)
{
	sqlite3_stmt *broken = NULL;

	assert_int_equal(store_integrity_check(s), 0);
	assert_int_equal(sqlite3_prepare_v2(s->db, "PRAGMA foreign_key_check", -1, &broken, NULL),
		SQLITE_OK);
	assert_int_equal(sqlite3_step(broken), SQLITE_DONE);
	(void)sqlite3_finalize(broken);
	assert_int_equal(audit_verify(s), 0);
}

/* What was refused because it could not be synced: its bytes may be on the disk all the same, and
 * count when the power goes before anything else was written. Nobody can know. */
static struct {
	bool may_be;
	struct model then;
} unsynced;

static void change_under_a_fault(struct store_fixture *f, struct model *m)
{
	const struct change x = {.kind = chance(CHANGES_KINDS),
		.display = chance(DISPLAYS),
		.camera = chance(CAMERAS)};
	struct model next = *m;
	bool may = model_change(&next, &x);

	disk_arm();
	int done = store_change(&f->store, m, &x);
	bool cut = disk_is_cut();
	/* What is granted already is no change. */
	bool wrote = done == 0 && (x.kind != GRANT || !m->granted[x.display][x.camera]);
	if (cut) {
		reopen(f); /* which could not write any more either */
	}
	disk.armed = false;
	if (done == 0 && !may) {
		fail_msg(
			"change %d of %u and %u was not refused", (int)x.kind, x.display, x.camera);
	}
	/* What any call may do at any time is nobody's reason to refuse. */
	if (done < 0 && may && (disk.kind == SHORT || disk.kind == INTERRUPT)) {
		fail_msg("change %d was refused: %s", (int)x.kind, strerror(-done));
	}
	if (done == 0 || (cut && may && holds(&f->store, &next))) {
		*m = next;
	} else if (cut && unsynced.may_be && holds(&f->store, &unsynced.then)) {
		*m = unsynced.then;
	} else if (done < 0 && disk.kind == UNSYNCED && may) {
		unsynced.then = next;
	}
	unsynced.may_be =
		!wrote && !cut && (unsynced.may_be || (done < 0 && disk.kind == UNSYNCED && may));
	if (!holds(&f->store, m)) {
		fail_msg("after change %d of %u and %u under \"%s\", which said %d, the store "
			 "holds something else",
			(int)x.kind, x.display, x.camera, fault_names[disk.kind], done);
	}
	if (cut) {
		check_sound(&f->store);
	}
}

static void a_store_whose_disk_fails_holds_what_it_said_and_nothing_else(void **state)
{
	const char *given = getenv("FAULTS_CHANGES");
	unsigned int left = given != NULL ? (unsigned int)strtoul(given, NULL, 10) : CHANGES;

	(void)state;
	while (left > 0) {
		struct store_fixture f;
		struct model m = {0};

		begin(&f);
		unsynced.may_be = false;
		for (unsigned int i = 0; i < CHANGES_EACH && left > 0; i++, left--) {
			change_under_a_fault(&f, &m);
		}
		reopen(&f);
		assert_true(holds(&f.store, &m));
		check_sound(&f.store);
		store_fixture_finish(&f);
	}
	for (int kind = 0; kind < FAULTS; kind++) {
		assert_true(given != NULL || disk.injected[kind] > 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_store_whose_disk_fails_holds_what_it_said_and_nothing_else),
	};
	const char *given = getenv("FAULTS_SEED");
	uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : 1;

	chance_state = seed * 0x9e3779b97f4a7c15u + 1;
	printf("# seed %llu\n", (unsigned long long)seed);
	if (disk_install() < 0) {
		fprintf(stderr, "SQLite does not let itself be made to fail\n");
		return 1;
	}
	int failed = cmocka_run_group_tests_name("store_faults", tests, NULL, NULL);
	for (int kind = 0; kind < FAULTS; kind++) {
		fault_counts_add("store", fault_names[kind], disk.injected[kind]);
	}
	return failed;
}
