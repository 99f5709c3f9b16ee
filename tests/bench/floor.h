/*
 * The floor: a bare OpenSSL sender that writes the same bytes to the same number of viewers and
 * does nothing else. What a hub costs above it is what the hub does.
 */
#ifndef CAMGATE_BENCH_FLOOR_H
#define CAMGATE_BENCH_FLOOR_H

#include <stddef.h>

/* Sends frames of frame_bytes at fps to so many viewers over TLS 1.3 on the loopback, in writes of
 * 16 KiB, for some seconds. CPU µs of the sender per delivered frame, or a negative number. */
double floor_measure(
	unsigned int viewers, size_t frame_bytes, unsigned int fps, unsigned int seconds);

#endif
