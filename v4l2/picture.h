/* A picture on its way from a source to the seal: a whole JPEG, in the clear. */
#ifndef CAMGATE_PICTURE_H
#define CAMGATE_PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct picture {
	const uint8_t
		*jpeg; /* borrowed from the source until it is asked for the next, or stopped */
	size_t size;
	uint16_t width, height;
	uint64_t capture_us; /* CLOCK_BOOTTIME */
	bool frozen;
};

#endif
