/*
 * A keeper for fuzzing: the registry of keeper_fixture.h over a store that is put back to the same
 * beginning for each input. Two cameras (Door, Yard) are there, a web process, two displays on
 * record that were given Door, and keys of a third that is unknown; nobody is connected.
 *
 * Whatever is sent is checked on its way out: a key or a ring goes to a display that was given that
 * camera, at that moment, and to no other (I2).
 */
#ifndef CAMGATE_TESTS_FUZZ_KEEPER_H
#define CAMGATE_TESTS_FUZZ_KEEPER_H

#include "../unit/keeper_fixture.h"
#include "quiet_log.h"
#include "script.h"

enum { WEB = 1, CAMERA = 2, OTHER_CAMERA = 3, DISPLAYS = 3, ON_RECORD = 2, BOOK_SIZE = 256 };

static struct display displays[DISPLAYS]; /* the last one is a stranger */
/* Where a message goes besides the fixture; NULL: nowhere. */
static void (*keeper_forward)(uint64_t peer, const uint8_t *bytes, size_t size);
static uint8_t camera_ids[2][CAMERA_ID_BYTES];
static sqlite3 *beginning; /* the store as it is to be for each input */

static void copy_database(sqlite3 *from, sqlite3 *to)
{
	sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");

	if (!b || sqlite3_backup_step(b, -1) != SQLITE_DONE || sqlite3_backup_finish(b)) {
		abort();
	}
}

/* Which display a connection is, by the harness's own books. A display may have several. */
static struct {
	uint64_t connection;
	const struct display *display;
} book[BOOK_SIZE];

static inline void book_enter(const struct display *d, uint64_t connection)
{
	book[connection % BOOK_SIZE].connection = connection;
	book[connection % BOOK_SIZE].display = d;
}

static const struct display *display_on(uint64_t connection)
{
	return book[connection % BOOK_SIZE].connection == connection
		       ? book[connection % BOOK_SIZE].display
		       : NULL;
}

static void must_be_given(uint64_t connection, const uint8_t *camera)
{
	const struct display *d = display_on(connection);

	if (!d || store_grant_check(&fixture.files.store, d->id, camera) != 0) {
		abort();
	}
}

static void check_and_keep(void *data, uint64_t peer, const uint8_t *bytes, size_t size,
	const int *descriptors, size_t count)
{
	const struct ipc_message m = {
		.type = bytes[0], .fields = bytes + 1, .fields_size = size - 1};
	struct ipc_tell_key key;
	struct ipc_give give;
	struct wire_envelope e;
	struct wire_key body;

	if (m.type == IPC_GIVE) {
		if (ipc_parse_give(&m, &give) < 0) {
			abort();
		}
		must_be_given(give.connection, give.camera);
	}
	if (m.type == IPC_TELL_KEY) {
		if (ipc_parse_tell_key(&m, &key) < 0 ||
			wire_parse_envelope(key.bytes, key.size, &e) < 0 ||
			wire_parse_key(e.body, e.body_size, &body) < 0) {
			abort();
		}
		must_be_given(key.connection, body.camera);
	}
	if (fixture.sent_count == SENT_MAX) {
		fixture.sent_count = 0; /* the test takes what it wants at once */
	}
	fake_send(data, peer, bytes, size, descriptors, count);
	if (keeper_forward) {
		keeper_forward(peer, bytes, size);
	}
}

/* Dropped, for being late with a cut for one: nobody comes through it any more. */
static bool web_gone;

/* More may be dropped than a test would look at. */
static void drop_and_note(void *data, uint64_t peer, bool kill_it)
{
	web_gone |= peer == WEB;
	fixture.dropped_count %= ENDED_MAX;
	fake_drop(data, peer, kill_it);
}

static void keeper_start_registry(void)
{
	static struct registry_output output = {
		NULL, fake_now, fake_random, check_and_keep, drop_and_note, fake_revoked};

	fixture.now_us = 1000000;
	web_gone = false;
	fixture.sent_count = fixture.dropped_count = 0;
	pairing_init(&fixture.pairing);
	fixture.registry =
		registry_create(&output, &fixture.files.store, &fixture.pairing, &fixture.hub);
	if (!fixture.registry) {
		abort();
	}
	web_join(WEB);
	camera_join(CAMERA, "usb:1", "Door", camera_ids[0]);
	camera_join(OTHER_CAMERA, "usb:2", "Yard", camera_ids[1]);
}

static void keeper_remove_store(void)
{
	sqlite3_close(beginning);
	store_fixture_finish(&fixture.files);
}

static void keeper_make_beginning(void)
{
	static const char *const names[ON_RECORD] = {"Kitchen", "Hall"};

	store_fixture_init(&fixture.files);
	atexit(keeper_remove_store);
	/* What is on disk when is not what these harnesses look for. */
	(void)sqlite3_exec(fixture.files.store.db, "PRAGMA synchronous = OFF", NULL, NULL, NULL);
	assert_int_equal(key_pair_generate(&fixture.hub), 0);
	keeper_start_registry();
	for (unsigned int i = 0; i < DISPLAYS; i++) {
		struct store_display record = {0};

		display_init(&displays[i]);
		if (i >= ON_RECORD) {
			continue;
		}
		memcpy(record.id, displays[i].id, sizeof(record.id));
		memcpy(record.sign_public, displays[i].sign.public, POINT_BYTES);
		memcpy(record.kem_public, displays[i].kem.public, POINT_BYTES);
		snprintf(record.name, sizeof(record.name), "%s", names[i]);
		assert_int_equal(store_display_add(&fixture.files.store, &record,
					 (const uint8_t(*)[CAMERA_ID_BYTES])camera_ids, 1),
			0);
	}
	registry_destroy(fixture.registry);
	assert_int_equal(sqlite3_open(":memory:", &beginning), SQLITE_OK);
	copy_database(fixture.files.store.db, beginning);
}

static void keeper_begin(void)
{
	if (!beginning) {
		keeper_make_beginning();
	} else {
		copy_database(beginning, fixture.files.store.db);
	}
	memset(book, 0, sizeof(book));
	keeper_start_registry();
}

/* Whatever happened, what lies on disk is sound. */
static void keeper_end(void)
{
	registry_destroy(fixture.registry);
	pairing_finish(&fixture.pairing);
	if (audit_verify(&fixture.files.store) < 0) {
		abort();
	}
}

#endif
