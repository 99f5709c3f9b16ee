/* Columns for people: as wide as their longest cell, cut nowhere, the last one without padding. */
#ifndef CAMGATE_ADMIN_TABLE_H
#define CAMGATE_ADMIN_TABLE_H

#include <stdio.h>

enum { TABLE_COLUMNS_MAX = 12, TABLE_CELL_BYTES = 256 };

struct table {
	unsigned int columns;
	unsigned int rows;
	char (*cells)[TABLE_CELL_BYTES]; /* rows × columns; owned */
};

/* The first row is the heading. 0 or -ENOMEM. */
int table_init(struct table *t, unsigned int columns, const char *const *heading);
void table_finish(struct table *t);
/* Copies the cells; control characters become '?'. 0 or -ENOMEM. */
int table_add(struct table *t, const char *const *cells);
void table_print(const struct table *t, FILE *out);

#endif
