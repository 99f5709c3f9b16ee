/* The one clock: CLOCK_BOOTTIME in microseconds. No wall clock decides anything but what people
 * read. */
#ifndef CAMGATE_CLOCK_H
#define CAMGATE_CLOCK_H

#include <stdint.h>

uint64_t clock_now_us(void);

#endif
