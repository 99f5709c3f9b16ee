/*
 * Requests to the admin socket: the first byte says whether the peer may change something, the rest
 * is the text. There is one answer, it is JSON that says ok or why not, and who may only look
 * changes nothing.
 */
#include "admin_server.h"
#include "keeper.h"

static struct admin_server admin;
static unsigned int answers;

static void take_answer(void *data, uint64_t peer, const char *text, size_t size)
{
	json_t *answer = json_loadb(text, size, 0, NULL);
	const json_t *ok = json_object_get(answer, "ok");

	(void)data;
	if (peer != 7 || !json_is_boolean(ok) ||
		(json_is_false(ok) && !json_is_string(json_object_get(answer, "error")))) {
		abort();
	}
	json_decref(answer);
	answers++;
}

/* What the keeper does last. There is nothing where the state is said to be: the store goes on. */
static void stop(void *data)
{
	(void)data;
	admin_server_end(&admin);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct authority authority;
	static struct address_list hosts;
	char *text;
	int before;

	if (size < 1 || size > ADMIN_REQUEST_MAX_BYTES) {
		return 0;
	}
	keeper_begin();
	admin = (struct admin_server){.output = {NULL, fake_now, fake_random, take_answer, stop},
		.registry = fixture.registry,
		.store = &fixture.files.store,
		.pairing = &fixture.pairing,
		.authority = &authority,
		.state_dir = "/dev/null",
		.hosts = &hosts,
		.sandbox = "none",
		.started_us = fixture.now_us};
	fixture.revoked = 0;
	answers = 0;
	before = sqlite3_total_changes(fixture.files.store.db);
	text = malloc(size);
	if (!text) {
		abort();
	}
	memcpy(text, data + 1, size - 1);
	admin_server_hear(&admin, 7, data[0] & 1, text, size - 1);
	free(text);
	/* A revoke waits for the roles; here they do not answer and are given up. */
	for (int i = 0; i < 8 && answers == 0; i++) {
		fixture_pass_ms(REGISTRY_CUT_MS);
		if (fixture.revoked != 0) {
			admin_server_revoked(&admin, fixture.revoked, 1000);
		}
	}
	if (answers != 1 ||
		(!(data[0] & 1) && (sqlite3_total_changes(fixture.files.store.db) != before ||
					   fixture.pairing.made != 0))) {
		abort();
	}
	keeper_end();
	return 0;
}
