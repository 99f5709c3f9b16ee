#include "log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE_BYTES = 1024, LEVEL_ERROR = 3, LEVEL_WARNING = 4, LEVEL_INFO = 6 };

static const char *role_name = "camgate";
static bool journal;

/* The variable is inherited by programs whose standard error is no longer the journal, so it counts
 * only if it names the very file that we write to. */
static bool journal_listens(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	struct stat st;
	unsigned long long device, inode;

	if (!stream || fstat(STDERR_FILENO, &st) < 0) {
		return false;
	}
	if (sscanf(stream, "%llu:%llu", &device, &inode) != 2) {
		return false;
	}
	return device == st.st_dev && inode == st.st_ino;
}

void log_init(const char *role)
{
	role_name = role;
	journal = journal_listens();
}

/* Much of what is logged came from a device or a peer: nothing of it may start a line of its own or
 * speak to a terminal. */
static void line_clean(char *line, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)line[i];

		if (c < 0x20 || c == 0x7f) {
			line[i] = '?';
		}
	}
}

__attribute__((format(printf, 3, 0))) static void line_write(
	int level, const char *mark, const char *format, va_list arguments)
{
	char line[LINE_BYTES];
	size_t used;
	int n;

	if (journal) {
		n = snprintf(line, sizeof(line), "<%d>%s: %s", level, role_name, mark);
	} else {
		n = snprintf(line, sizeof(line), "%s: %s", role_name, mark);
	}
	if (n < 0 || (size_t)n >= sizeof(line) - 1) {
		return;
	}
	used = (size_t)n;
	n = vsnprintf(line + used, sizeof(line) - 1 - used, format, arguments);
	if (n < 0) {
		return;
	}
	used += (size_t)n < sizeof(line) - 1 - used ? (size_t)n : sizeof(line) - 2 - used;
	line_clean(line, used);
	line[used++] = '\n';

	/* One write per line, so that the lines of several roles do not mix. If it fails there is
	 * nowhere left to say so. */
	if (write(STDERR_FILENO, line, used) < 0) {
		return;
	}
}

void log_info(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	line_write(LEVEL_INFO, "", format, arguments);
	va_end(arguments);
}

void log_warning(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	line_write(LEVEL_WARNING, "warning: ", format, arguments);
	va_end(arguments);
}

void log_error(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	line_write(LEVEL_ERROR, "error: ", format, arguments);
	va_end(arguments);
}
