/*
 * SQLite's error style ends here: statements for the store's own files, errors as -errno.
 *
 * Binding errors are kept until store_step() and returned by it, so that a caller checks once.
 */
#ifndef CAMGATE_STORE_SQL_H
#define CAMGATE_STORE_SQL_H

#include "store.h"
#include <sqlite3.h>

/* Does suspension s speak of the row of displays or cameras? 16 and 17: enum suspended. */
#define STORE_SUSPENDS                                                                             \
	"s.what = displays.kind OR (s.what = 16 AND s.id = displays.id)"                           \
	" OR (s.what = 17 AND s.id = cameras.id)"

struct store_query {
	sqlite3 *db;
	sqlite3_stmt *statement;
	int bound;
	int error;
};

int store_sql_error(int code);
/* One or several statements without parameters or results. */
int store_exec(struct store *s, const char *sql);

/* store_schema.c: makes the tables of an empty database, brings older ones up to STORE_VERSION, or
 * refuses what is not ours (-EUCLEAN) or newer (-ENOTSUP). */
int store_schema_check(struct store *s);
/* The same for the eye alone: *ret_version of a sound one of ours, 0 of an empty one. */
int store_schema_inspect(struct store *s, int64_t *ret_version);
/* What is wrong with the database file, and what to do. */
void store_describe(int error, const char *path, char problem[static STORE_PROBLEM_BYTES]);

struct store_query store_query_init(struct store *s, const char *sql);
void store_query_finish(struct store_query *q);
/* Bind the next parameter. The memory has to last until the query is finished. */
void store_bind_blob(struct store_query *q, const uint8_t *data, size_t size);
void store_bind_text(struct store_query *q, const char *text);
void store_bind_int(struct store_query *q, int64_t value);
/* 1: a row, 0: done, or -errno. */
int store_step(struct store_query *q);
/* For a query that has one row: steps to it, 0 or -ENOENT; and past it, 0 or -ENOTUNIQ. */
int store_step_first(struct store_query *q);
int store_step_last(struct store_query *q);
/* Steps to the end and finishes. *ret_changes (may be NULL): rows changed. */
int store_run(struct store_query *q, int *ret_changes);
/* Columns. A blob of another size, or a text that does not fit, sets q->error to -EUCLEAN. */
void store_column_blob(struct store_query *q, int column, uint8_t *out, size_t size);
void store_column_text(struct store_query *q, int column, char *out, size_t size);

/* name, or name with " (2)", " (3)", … for the first that taken() does not know. taken returns 1, 0
 * or -errno. */
int store_unique_name(struct store *s, int (*taken)(struct store *s, const char *name),
	char name[static NAME_MAX_BYTES + 1]);
/* True for 8 to 2 * id_bytes hex digits; writes them in upper case, ended by '%', for LIKE. */
bool store_hex_prefix(const char *text, size_t id_bytes, char out[static 2 * DISPLAY_ID_BYTES + 2]);

#endif
