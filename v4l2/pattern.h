/*
 * The built-in test camera: a picture that a person recognises as a test at once and that a machine
 * can read back, used by the camera role in place of a device. It draws; it neither paces nor
 * encodes.
 *
 * Every full tile of 64x64 pixels carries a code in luma alone: 8x8 cells of 8x8 pixels, each one
 * of four levels (72, 112, 152, 192) for two bits, rows from the top, most significant bits first:
 *
 *     camera tag 32 | frame number 24 | capture time in ms 40 | tile index 16 | checksum 16
 *
 * The index counts tiles row by row from 0; frame number and time are modulo their width; the
 * checksum is CRC-16 (polynomial 0x1021, start 0xffff) of the 14 bytes before it. A cell is exactly
 * one JPEG block, so the code survives any sensible quality. Text and colour bars are in chroma
 * only, mild enough that no RGB value clips, so that luma can be computed back from a canvas.
 *
 * Not thread-safe; one struct belongs to one thread at a time.
 */
#ifndef CAMGATE_PATTERN_H
#define CAMGATE_PATTERN_H

#include <stdint.h>

struct pattern;

/* A picture of width x height pixels, whose tiles carry `tag`. NULL when out of memory. */
struct pattern *pattern_create(uint16_t width, uint16_t height, uint32_t tag);
/* Accepts NULL. */
void pattern_destroy(struct pattern *p);

/*
 * Draws frame `number`, captured at `capture_us` (CLOCK_BOOTTIME), into tightly packed 4:2:0 planes
 * (full range, as JPEG has it): y is width * height bytes, cb and cr are each half as wide and half
 * as high, rounded up. The planes are the caller's.
 */
void pattern_draw(struct pattern *p, uint32_t number, uint64_t capture_us, uint8_t *y, uint8_t *cb,
	uint8_t *cr);

/*
 * Parses a test camera's SPEC: "pattern" (1280x720@15) or "pattern:WxH@FPS", width and height
 * 64..3840, 1..60 frames/s. -EINVAL for anything else, with the results untouched.
 */
int pattern_parse_spec(
	const char *spec, uint16_t *ret_width, uint16_t *ret_height, uint32_t *ret_interval_us);

#endif
