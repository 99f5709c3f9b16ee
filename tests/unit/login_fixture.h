/* A hub with one web role, one camera and one paired display that is not logged in yet: for the
 * tests of what it takes to come in. */
#ifndef CAMGATE_TESTS_LOGIN_FIXTURE_H
#define CAMGATE_TESTS_LOGIN_FIXTURE_H

#include "display_fixture.h"

static uint8_t message[WIRE_DISPLAY_MESSAGE_MAX_BYTES];

static int set_up_to_log_in(void **state)
{
	struct store_display record = {.name = "Kitchen"};

	set_up_with_camera(state);
	memcpy(record.id, display.id, sizeof(record.id));
	memcpy(record.sign_public, display.sign.public, sizeof(record.sign_public));
	memcpy(record.kem_public, display.kem.public, sizeof(record.kem_public));
	assert_int_equal(store_display_add(&fixture.files.store, &record, NULL, 0), 0);
	sent_forget();
	return 0;
}

static uint64_t refused(enum refusal refusal)
{
	return registry_totals_see(fixture.registry)->refused[refusal];
}

/* Sends message on the open connection and expects the uniform refusal, counted once as this. */
static void expect_refused(size_t size, enum refusal refusal)
{
	uint64_t before = refused(refusal);
	struct ipc_message m;
	struct ipc_cut cut;

	display_heard(&display, message, size);
	sent_take(WEB, IPC_CUT, &m);
	assert_int_equal(ipc_parse_cut(&m, &cut), 0);
	assert_int_equal(cut.mode, CUT_REFUSE);
	assert_int_equal(cut.connection, display.connection);
	assert_nothing_sent(WEB, IPC_ADMIT);
	assert_nothing_sent(WEB, IPC_TELL);
	assert_int_equal(refused(refusal), before + 1);
}

#endif
