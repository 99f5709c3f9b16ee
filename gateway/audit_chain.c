/* The chain from the first entry to the last: where it begins, whether it holds, what is removed.
 */
#include "audit_entry.h"
#include "keys.h"
#include <errno.h>
#include <string.h>

enum { PRUNE_STEP = 1000 };

/* Where the chain begins: at the home, or at the last entry that was removed. */
static int read_anchor(struct store *s, uint8_t out[static DIGEST_BYTES])
{
	static const char label[] = "camgate audit v1";
	struct digest_part parts[] = {{label, sizeof(label) - 1}, {s->home, HOME_ID_BYTES}};
	struct store_query q =
		store_query_init(s, "SELECT value FROM meta WHERE key = 'audit anchor'");
	int result = store_step(&q);

	if (result == 1) {
		store_column_blob(&q, 0, out, DIGEST_BYTES);
		result = q.error;
	} else if (result == 0) {
		result = digest_sha256(parts, 2, out);
	}
	store_query_finish(&q);
	return result;
}

int audit_chain_end(struct store *s, int64_t *ret_sequence, uint8_t chain[static DIGEST_BYTES])
{
	struct store_query q = store_query_init(
		s, "SELECT sequence, chain FROM audit ORDER BY sequence DESC LIMIT 1");
	int result = store_step(&q);

	if (result == 1) {
		*ret_sequence = sqlite3_column_int64(q.statement, 0);
		store_column_blob(&q, 1, chain, DIGEST_BYTES);
		store_query_finish(&q);
		return q.error;
	}
	store_query_finish(&q);
	if (result == 0) {
		result = read_anchor(s, chain);
	}
	if (result < 0) {
		return result;
	}
	/* All there was may have gone for its age: numbers go on. */
	q = store_query_init(s, "SELECT seq FROM sqlite_sequence WHERE name = 'audit'");
	result = store_step(&q);
	*ret_sequence = result == 1 ? sqlite3_column_int64(q.statement, 0) : 0;
	store_query_finish(&q);
	return result == 1 ? 0 : result;
}

/* Removes the oldest up to this one, keeping its chain as the new beginning. */
static int remove_until(struct store *s, int64_t last, int *ret_removed)
{
	struct store_query q = store_query_init(s,
		"INSERT OR REPLACE INTO meta(key, value)"
		" SELECT 'audit anchor', chain FROM audit WHERE sequence = ?1"
		" UNION ALL SELECT 'audit removed', sequence FROM audit WHERE sequence = ?1");
	int result;

	store_bind_int(&q, last);
	result = store_run(&q, NULL);
	if (result == 0) {
		q = store_query_init(s, "DELETE FROM audit WHERE sequence <= ?");
		store_bind_int(&q, last);
		result = store_run(&q, ret_removed);
	}
	return result;
}

static int64_t entries_max(const struct store *s)
{
	return s->record_entries_max > 0 ? s->record_entries_max : AUDIT_ENTRIES_MAX;
}

int audit_chain_shorten(struct store *s, int64_t newest)
{
	if (newest % PRUNE_STEP != 0 || newest <= entries_max(s)) {
		return 0;
	}
	return remove_until(s, newest - entries_max(s), NULL);
}

/* The last entry that is older, before the first that is not: the clock may have been set back. 0
 * if there is none. A viewing that goes on keeps its opening. */
static int find_older(struct store *s, int64_t limit_s, int64_t *ret_sequence)
{
	struct store_query q = store_query_init(s,
		"SELECT coalesce(max(sequence), 0) FROM audit WHERE sequence <"
		" coalesce((SELECT min(sequence) FROM audit a WHERE time_s >= ?1"
		"   OR (kind = 1 AND NOT EXISTS (SELECT 1 FROM audit b"
		"     WHERE b.viewing = a.sequence AND b.kind = 2))),"
		"  9223372036854775807)");
	int result;

	store_bind_int(&q, limit_s);
	result = store_step_first(&q);
	if (result == 0) {
		*ret_sequence = sqlite3_column_int64(q.statement, 0);
	}
	store_query_finish(&q);
	return result;
}

int audit_prune(struct store *s, int64_t now_s, int64_t age_s, unsigned int *ret_removed)
{
	uint8_t chain[DIGEST_BYTES];
	int64_t last = 0, newest = 0;
	int removed = 0;
	int result = store_begin(s);

	if (result < 0) {
		return result;
	}
	result = find_older(s, now_s - age_s, &last);
	if (result == 0) {
		result = audit_chain_end(s, &newest, chain);
	}
	if (result == 0 && newest - entries_max(s) > last) {
		last = newest - entries_max(s);
	}
	if (result == 0 && last > 0) {
		result = remove_until(s, last, &removed);
	}
	if (result < 0) {
		store_rollback(s);
		return result;
	}
	result = store_commit(s);
	if (result == 0 && ret_removed != NULL) {
		*ret_removed = (unsigned int)removed;
	}
	return result;
}

/* ---- checking ---- */

/* The newest, or all, may have been cut off: the table remembers how many there were, and meta how
 * many were removed for their age or number. */
static int check_end(struct store *s, struct audit_check *c)
{
	struct store_query q = store_query_init(s,
		"SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'audit'), 0),"
		" coalesce((SELECT value FROM meta WHERE key = 'audit removed'), 0)");
	int result = store_step_first(&q);
	int64_t last = 0, expected = 0;

	if (result == 0) {
		last = sqlite3_column_int64(q.statement, 0);
		expected = c->last != 0 ? c->last : sqlite3_column_int64(q.statement, 1);
	}
	store_query_finish(&q);
	if (result < 0) {
		return result;
	}
	c->done = true;
	if (last > expected) {
		c->broken = expected + 1;
		return -EBADMSG;
	}
	return 0;
}

static int check_entry(struct audit_check *c, const struct audit_entry *e)
{
	uint8_t expected[DIGEST_BYTES];
	int result = audit_entry_digest(e, c->chain, expected);

	if (result < 0) {
		return result;
	}
	if (!bytes_equal(expected, e->chain, sizeof(expected)) ||
		(c->last != 0 && e->sequence != c->last + 1)) {
		c->broken = e->sequence;
		return -EBADMSG;
	}
	if (c->first == 0) {
		c->first = e->sequence;
		c->first_s = e->time_s;
		c->removed = e->sequence - 1;
	}
	c->last = e->sequence;
	c->last_s = e->time_s;
	memcpy(c->chain, e->chain, sizeof(c->chain));
	return 0;
}

/* What was checked last may have been removed for its age meanwhile: then it starts anew. */
static int begin_check(struct store *s, struct audit_check *c)
{
	struct store_query q = store_query_init(s, "SELECT coalesce(min(sequence), 0) FROM audit");
	int result = store_step_first(&q);

	if (result == 0 && c->last < sqlite3_column_int64(q.statement, 0)) {
		*c = (struct audit_check){0};
	}
	store_query_finish(&q);
	return result == 0 && c->last == 0 ? read_anchor(s, c->chain) : result;
}

int audit_verify_step(struct store *s, struct audit_check *c)
{
	struct store_query q;
	struct audit_entry e;
	unsigned int count = 0;
	int result = begin_check(s, c);

	if (result < 0) {
		return result;
	}
	q = store_query_init(s, "SELECT " AUDIT_COLUMNS " FROM audit WHERE sequence > ?"
				" ORDER BY sequence LIMIT ?");
	store_bind_int(&q, c->last);
	store_bind_int(&q, AUDIT_VERIFY_STEP);
	while ((result = store_step(&q)) == 1) {
		count++;
		result = audit_entry_read(&q, &e);
		if (result == -EUCLEAN) {
			/* A field that no entry can have. */
			c->broken = sqlite3_column_int64(q.statement, 0);
			result = -EBADMSG;
		} else if (result == 0) {
			result = check_entry(c, &e);
		}
		if (result < 0) {
			break;
		}
	}
	store_query_finish(&q);
	return result == 0 && count < AUDIT_VERIFY_STEP ? check_end(s, c) : result;
}

int audit_verify(struct store *s)
{
	struct audit_check c = {0};
	int result = 0;

	while (result == 0 && !c.done) {
		result = audit_verify_step(s, &c);
	}
	return result;
}
