/* A store whose record of viewings can be given other times. */
#ifndef CAMGATE_TESTS_AUDIT_FIXTURE_H
#define CAMGATE_TESTS_AUDIT_FIXTURE_H

#include "audit_entry.h"
#include "store_fixture.h"

static inline int set_up(void **state)
{
	static struct store_fixture f;

	store_fixture_init(&f);
	*state = &f;
	return 0;
}

static inline int tear_down(void **state)
{
	store_fixture_finish(*state);
	return 0;
}

/* Sets the times of what is on record, and makes the chain anew: what a real one would be. */
static inline void set_times(struct store *s, const int64_t *times)
{
	struct store_query q;
	struct audit_entry e;
	uint8_t chain[DIGEST_BYTES];
	int64_t sequence = 0;

	assert_int_equal(sqlite3_exec(s->db,
				 "CREATE TABLE old AS SELECT * FROM audit;"
				 "DELETE FROM audit; DELETE FROM sqlite_sequence;",
				 NULL, NULL, NULL),
		SQLITE_OK);
	q = store_query_init(s, "SELECT " AUDIT_COLUMNS " FROM old ORDER BY sequence");
	while (store_step(&q) == 1) {
		assert_int_equal(audit_entry_read(&q, &e), 0);
		assert_int_equal(audit_chain_end(s, &sequence, chain), 0);
		e.time_s = *times++;
		assert_int_equal(audit_entry_digest(&e, chain, e.chain), 0);
		assert_int_equal(audit_entry_write(s, &e), 0);
	}
	store_query_finish(&q);
	assert_int_equal(sqlite3_exec(s->db, "DROP TABLE old", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(audit_verify(s), 0);
}

#endif
