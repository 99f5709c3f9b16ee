/* The clock and the log of the product, which here are the world's. */
#include "oracle.h"

#include "gateway/clock.h"
#include "gateway/log.h"

#include <stdarg.h>
#include <stdio.h>

/* ---- in place of gateway/clock.c and gateway/log.c ---- */

uint64_t clock_now_us(void)
{
	return world.now_us;
}

static void print(const char *format, va_list args)
{
	if (world.trace) {
		printf("%8llu %12llu us  ", (unsigned long long)world.step,
			(unsigned long long)world.now_us);
		vprintf(format, args);
		putchar('\n');
	}
}

void trace(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print(format, args);
	va_end(args);
}

void log_info(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print(format, args);
	va_end(args);
}

void log_warning(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print(format, args);
	va_end(args);
}

void log_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print(format, args);
	va_end(args);
}
