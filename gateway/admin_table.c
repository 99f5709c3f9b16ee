#include "admin_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void copy_cell(char out[static TABLE_CELL_BYTES], const char *text)
{
	size_t i = 0;

	for (; text[i] != '\0' && i + 1 < TABLE_CELL_BYTES; i++) {
		unsigned char c = (unsigned char)text[i];

		out[i] = c < ' ' || c == 0x7f ? '?' : text[i];
	}
	/* Not in the middle of a character. */
	while (text[i] != '\0' && i > 0 && ((unsigned char)text[i] & 0xc0) == 0x80) {
		i--;
	}
	out[i] = '\0';
}

int table_add(struct table *t, const char *const *cells)
{
	size_t used = (size_t)t->rows * t->columns;
	void *grown = realloc(t->cells, (used + t->columns) * sizeof t->cells[0]);

	if (grown == NULL) {
		return -ENOMEM;
	}
	t->cells = grown;
	for (unsigned int i = 0; i < t->columns; i++) {
		copy_cell(t->cells[used + i], cells[i] != NULL ? cells[i] : "");
	}
	t->rows++;
	return 0;
}

int table_init(struct table *t, unsigned int columns, const char *const *heading)
{
	*t = (struct table){.columns = columns};
	return table_add(t, heading);
}

void table_finish(struct table *t)
{
	free(t->cells);
	*t = (struct table){0};
}

/* Characters, not bytes; good enough for names in most scripts. */
static unsigned int cell_width(const char *text)
{
	unsigned int n = 0;

	for (; *text != '\0'; text++) {
		n += ((unsigned char)*text & 0xc0) != 0x80;
	}
	return n;
}

void table_print(const struct table *t, FILE *out)
{
	unsigned int widths[TABLE_COLUMNS_MAX] = {0};

	for (size_t i = 0; i < (size_t)t->rows * t->columns; i++) {
		unsigned int width = cell_width(t->cells[i]);
		size_t column = i % t->columns;

		widths[column] = width > widths[column] ? width : widths[column];
	}
	for (size_t i = 0; i < (size_t)t->rows * t->columns; i++) {
		size_t column = i % t->columns;

		if (column + 1 == t->columns) {
			(void)fprintf(out, "%s\n", t->cells[i]);
		} else {
			int padding = (int)(widths[column] - cell_width(t->cells[i])) + 2;

			(void)fprintf(out, "%s%*s", t->cells[i], padding, "");
		}
	}
}
