#include "store_sql.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

int store_sql_error(int code)
{
	switch (code & 0xff) {
	case SQLITE_OK:
	case SQLITE_DONE:
	case SQLITE_ROW:
		return 0;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_CONSTRAINT:
		return -EEXIST;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_PERM:
	case SQLITE_AUTH:
	case SQLITE_CANTOPEN:
		return -EACCES;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_MISMATCH:
		return -EUCLEAN;
	default:
		return -EIO;
	}
}

int store_exec(struct store *s, const char *sql)
{
	return store_sql_error(sqlite3_exec(s->db, sql, NULL, NULL, NULL));
}

struct store_query store_query_init(struct store *s, const char *sql)
{
	struct store_query q = {.db = s->db};

	q.error = store_sql_error(sqlite3_prepare_v2(s->db, sql, -1, &q.statement, NULL));
	return q;
}

void store_query_finish(struct store_query *q)
{
	sqlite3_finalize(q->statement);
	q->statement = NULL;
}

static void note_error(struct store_query *q, int code)
{
	if (q->error == 0) {
		q->error = store_sql_error(code);
	}
}

void store_bind_blob(struct store_query *q, const uint8_t *data, size_t size)
{
	if (q->error == 0) {
		note_error(q, sqlite3_bind_blob(
				      q->statement, ++q->bound, data, (int)size, SQLITE_STATIC));
	}
}

void store_bind_text(struct store_query *q, const char *text)
{
	if (q->error == 0) {
		note_error(q, sqlite3_bind_text(q->statement, ++q->bound, text, -1, SQLITE_STATIC));
	}
}

void store_bind_int(struct store_query *q, int64_t value)
{
	if (q->error == 0) {
		note_error(q, sqlite3_bind_int64(q->statement, ++q->bound, value));
	}
}

int store_step(struct store_query *q)
{
	int code;

	if (q->error != 0) {
		return q->error;
	}
	code = sqlite3_step(q->statement);
	if (code == SQLITE_ROW) {
		return 1;
	}
	note_error(q, code);
	return q->error;
}

int store_step_first(struct store_query *q)
{
	int result = store_step(q);

	if (result == 0) {
		return -ENOENT;
	}
	return result == 1 ? 0 : result;
}

int store_step_last(struct store_query *q)
{
	int result = store_step(q);

	return result == 1 ? -ENOTUNIQ : result;
}

int store_run(struct store_query *q, int *ret_changes)
{
	int result;

	do {
		result = store_step(q);
	} while (result > 0);
	if (result == 0 && ret_changes != NULL) {
		*ret_changes = sqlite3_changes(q->db);
	}
	store_query_finish(q);
	return result;
}

void store_column_blob(struct store_query *q, int column, uint8_t *out, size_t size)
{
	const void *data = sqlite3_column_blob(q->statement, column);

	if (data == NULL || (size_t)sqlite3_column_bytes(q->statement, column) != size) {
		memset(out, 0, size);
		q->error = -EUCLEAN;
		return;
	}
	memcpy(out, data, size);
}

void store_column_text(struct store_query *q, int column, char *out, size_t size)
{
	const unsigned char *text = sqlite3_column_text(q->statement, column);
	size_t length = (size_t)sqlite3_column_bytes(q->statement, column);

	if (text == NULL || length >= size || memchr(text, 0, length) != NULL) {
		out[0] = 0;
		q->error = -EUCLEAN;
		return;
	}
	memcpy(out, text, length);
	out[length] = 0;
}

int store_unique_name(struct store *s, int (*taken)(struct store *s, const char *name),
	char name[static NAME_MAX_BYTES + 1])
{
	char candidate[NAME_MAX_BYTES + 1], suffix[16];
	size_t length;
	int result, suffix_length;

	result = taken(s, name);
	for (unsigned int n = 2; result == 1 && n < 10000; n++) {
		suffix_length = snprintf(suffix, sizeof(suffix), " (%u)", n);
		length = strlen(name);
		if (length > NAME_MAX_BYTES - (size_t)suffix_length) {
			length = NAME_MAX_BYTES - (size_t)suffix_length;
		}
		/* Never cut a character in two. */
		while (length > 0 && ((unsigned char)name[length] & 0xc0) == 0x80) {
			length--;
		}
		while (length > 0 && name[length - 1] == ' ') {
			length--;
		}
		snprintf(candidate, sizeof(candidate), "%.*s%s", (int)length, name, suffix);
		result = taken(s, candidate);
		if (result == 0) {
			memcpy(name, candidate, sizeof(candidate));
		}
	}
	return result == 1 ? -EEXIST : result;
}

bool store_hex_prefix(const char *text, size_t id_bytes, char out[static 2 * DISPLAY_ID_BYTES + 2])
{
	size_t length = strlen(text);

	if (length < 8 || length > 2 * id_bytes) {
		return false;
	}
	for (size_t i = 0; i < length; i++) {
		if (!isxdigit((unsigned char)text[i])) {
			return false;
		}
		out[i] = (char)toupper((unsigned char)text[i]);
	}
	out[length] = '%';
	out[length + 1] = 0;
	return true;
}
