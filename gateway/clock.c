#include "clock.h"

#include <time.h>

uint64_t clock_now_us(void)
{
	struct timespec now;

	/* Cannot fail: the clock exists on every kernel that we run on, and the pointer is good. */
	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}
