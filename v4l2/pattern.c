#include "pattern.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	TILE = 64,
	CELL = 8,
	CELLS = TILE / CELL,
	CODE_BYTES = 16,
	GLYPH_WIDTH = 5,
	GLYPH_HEIGHT = 7,
	GLYPH_ADVANCE = GLYPH_WIDTH + 1,
	NEUTRAL = 128, /* chroma of grey */
	REST_LUMA = 112,
	BARS = 8,
};

struct colour {
	uint8_t cb, cr;
};

/* RGB stays within 0..255 for every luma level as long as 1.772 * Cb and 1.402 * Cr reach at most
 * 63 from neutral; a little less leaves room for what JPEG adds. */
static const struct colour PANEL = {NEUTRAL + 8, NEUTRAL - 6};
static const struct colour TITLE = {NEUTRAL - 32, NEUTRAL + 38};
static const struct colour COUNTER = {NEUTRAL - 30, NEUTRAL - 8};
/* Eight hues, evenly around. */
static const struct colour BAR_COLOURS[BARS] = {
	{NEUTRAL + 30, NEUTRAL},
	{NEUTRAL + 21, NEUTRAL + 27},
	{NEUTRAL, NEUTRAL + 38},
	{NEUTRAL - 21, NEUTRAL + 27},
	{NEUTRAL - 30, NEUTRAL},
	{NEUTRAL - 21, NEUTRAL - 27},
	{NEUTRAL, NEUTRAL - 38},
	{NEUTRAL + 21, NEUTRAL - 27},
};

struct pattern {
	uint16_t width, height; /* of luma */
	uint32_t chroma_width, chroma_height; /* of each chroma plane */
	uint32_t tag;
	uint32_t bar_width; /* in chroma pixels */
	uint32_t period; /* BARS * bar_width */
	uint8_t *
		bars_cb; /* one line of bars, chroma_width + period long: any shift can be copied */
	uint8_t *bars_cr;
};

/* Bit 4 is the left column. */
static const struct glyph {
	char character;
	uint8_t rows[GLYPH_HEIGHT];
} FONT[] = {
	{'0', {0x0e, 0x11, 0x13, 0x15, 0x19, 0x11, 0x0e}},
	{'1', {0x04, 0x0c, 0x04, 0x04, 0x04, 0x04, 0x0e}},
	{'2', {0x0e, 0x11, 0x01, 0x06, 0x08, 0x10, 0x1f}},
	{'3', {0x1e, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x1e}},
	{'4', {0x02, 0x06, 0x0a, 0x12, 0x1f, 0x02, 0x02}},
	{'5', {0x1f, 0x10, 0x1e, 0x01, 0x01, 0x11, 0x0e}},
	{'6', {0x06, 0x08, 0x10, 0x1e, 0x11, 0x11, 0x0e}},
	{'7', {0x1f, 0x01, 0x02, 0x04, 0x08, 0x08, 0x08}},
	{'8', {0x0e, 0x11, 0x11, 0x0e, 0x11, 0x11, 0x0e}},
	{'9', {0x0e, 0x11, 0x11, 0x0f, 0x01, 0x02, 0x0c}},
	{'A', {0x0e, 0x11, 0x11, 0x1f, 0x11, 0x11, 0x11}},
	{'C', {0x0e, 0x11, 0x10, 0x10, 0x10, 0x11, 0x0e}},
	{'E', {0x1f, 0x10, 0x10, 0x1e, 0x10, 0x10, 0x1f}},
	{'M', {0x11, 0x1b, 0x15, 0x15, 0x11, 0x11, 0x11}},
	{'R', {0x1e, 0x11, 0x11, 0x1e, 0x14, 0x12, 0x11}},
	{'S', {0x0f, 0x10, 0x10, 0x0e, 0x01, 0x01, 0x1e}},
	{'T', {0x1f, 0x04, 0x04, 0x04, 0x04, 0x04, 0x04}},
};

static const uint8_t *glyph_rows(char character)
{
	for (size_t i = 0; i < sizeof(FONT) / sizeof(FONT[0]); i++) {
		if (FONT[i].character == character) {
			return FONT[i].rows;
		}
	}
	return NULL;
}

struct pattern *pattern_create(uint16_t width, uint16_t height, uint32_t tag)
{
	struct pattern *p = calloc(1, sizeof(*p));
	if (p == NULL) {
		return NULL;
	}
	p->width = width;
	p->height = height;
	p->tag = tag;
	p->chroma_width = ((uint32_t)width + 1) / 2;
	p->chroma_height = ((uint32_t)height + 1) / 2;
	p->bar_width = p->chroma_width / BARS + 1;
	p->period = BARS * p->bar_width;
	p->bars_cb = malloc(p->chroma_width + p->period);
	p->bars_cr = malloc(p->chroma_width + p->period);
	if (p->bars_cb == NULL || p->bars_cr == NULL) {
		pattern_destroy(p);
		return NULL;
	}
	for (uint32_t x = 0; x < p->chroma_width + p->period; x++) {
		p->bars_cb[x] = BAR_COLOURS[x / p->bar_width % BARS].cb;
		p->bars_cr[x] = BAR_COLOURS[x / p->bar_width % BARS].cr;
	}
	return p;
}

void pattern_destroy(struct pattern *p)
{
	if (p == NULL) {
		return;
	}
	free(p->bars_cb);
	free(p->bars_cr);
	free(p);
}

static uint16_t code_checksum(const uint8_t *bytes, size_t length)
{
	uint32_t crc = 0xffff;
	for (size_t i = 0; i < length; i++) {
		crc ^= (uint32_t)bytes[i] << 8;
		for (int bit = 0; bit < 8; bit++) {
			crc = (crc & 0x8000) ? (crc << 1 ^ 0x1021) : crc << 1;
		}
		crc &= 0xffff;
	}
	return (uint16_t)crc;
}

static void code_put(uint8_t *at, uint64_t value, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i++) {
		at[i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
	}
}

/* One tile is drawn cell row by cell row: the first line of it, then seven copies. */
static void draw_tile(uint8_t *at, size_t stride, const uint8_t code[static CODE_BYTES])
{
	for (int row = 0; row < CELLS; row++) {
		uint32_t bits = (uint32_t)code[2 * row] << 8 | code[2 * row + 1];
		uint8_t *line = at + (size_t)row * CELL * stride;
		for (int column = 0; column < CELLS; column++) {
			uint32_t value = bits >> 2 * (CELLS - 1 - column) & 3;
			memset(line + column * CELL, (int)(72 + 40 * value), CELL);
		}
		for (size_t copy = 1; copy < CELL; copy++) {
			memcpy(line + copy * stride, line, TILE);
		}
	}
}

static void draw_luma(const struct pattern *p, uint32_t number, uint64_t capture_us, uint8_t *y)
{
	uint8_t code[CODE_BYTES];
	size_t stride = p->width;
	uint32_t across = (uint32_t)p->width / TILE;
	uint32_t down = (uint32_t)p->height / TILE;

	code_put(code, p->tag, 4);
	code_put(code + 4, number, 3);
	code_put(code + 7, capture_us / 1000, 5);
	for (uint32_t tile = 0; tile < across * down; tile++) {
		code_put(code + 12, tile, 2);
		code_put(code + 14, code_checksum(code, 14), 2);
		draw_tile(y + tile / across * TILE * stride + tile % across * TILE, stride, code);
	}
	for (size_t line = 0; line < (size_t)down * TILE; line++) {
		memset(y + line * stride + (size_t)across * TILE, REST_LUMA, p->width % TILE);
	}
	memset(y + (size_t)down * TILE * stride, REST_LUMA, (size_t)(p->height % TILE) * stride);
}

/* A rectangle in chroma pixels, clipped to the picture. */
static void fill(const struct pattern *p, uint8_t *cb, uint8_t *cr, uint32_t left, uint32_t top,
	uint32_t width, uint32_t height, struct colour c)
{
	if (left >= p->chroma_width) {
		return;
	}
	if (width > p->chroma_width - left) {
		width = p->chroma_width - left;
	}
	for (uint32_t row = top; row < top + height && row < p->chroma_height; row++) {
		size_t at = (size_t)row * p->chroma_width + left;
		memset(cb + at, c.cb, width);
		memset(cr + at, c.cr, width);
	}
}

static void draw_text(const struct pattern *p, uint8_t *cb, uint8_t *cr, const char *text,
	uint32_t left, uint32_t top, uint32_t scale, struct colour c)
{
	for (; *text != '\0'; text++, left += GLYPH_ADVANCE * scale) {
		const uint8_t *rows = glyph_rows(*text);
		if (rows == NULL) {
			continue;
		}
		for (uint32_t dot = 0; dot < GLYPH_WIDTH * GLYPH_HEIGHT; dot++) {
			uint32_t column = dot % GLYPH_WIDTH;
			uint32_t row = dot / GLYPH_WIDTH;
			if (rows[row] & 0x10 >> column) {
				fill(p, cb, cr, left + column * scale, top + row * scale, scale,
					scale, c);
			}
		}
	}
}

/* Slanted bars that move by a bar in four seconds. */
static void draw_bars(const struct pattern *p, uint64_t capture_us, uint8_t *cb, uint8_t *cr)
{
	uint32_t moved =
		(uint32_t)(capture_us % (4000000 * (uint64_t)BARS) * p->bar_width / 4000000);
	for (uint32_t row = 0; row < p->chroma_height; row++) {
		uint32_t shift = (moved + row / 2) % p->period;
		size_t at = (size_t)row * p->chroma_width;
		memcpy(cb + at, p->bars_cb + shift, p->chroma_width);
		memcpy(cr + at, p->bars_cr + shift, p->chroma_width);
	}
}

static void draw_panel(const struct pattern *p, uint32_t number, uint8_t *cb, uint8_t *cr)
{
	static const char title[] = "TEST CAMERA";
	const uint32_t dots = (sizeof(title) - 1) * GLYPH_ADVANCE - 1;
	char counter[16];
	/* Eleven letters over seven eighths of the width. */
	uint32_t scale = p->chroma_width * 7 / 8 / dots;
	if (scale == 0) {
		return; /* too narrow for any text: the bars have to do */
	}
	uint32_t left = (p->chroma_width - dots * scale) / 2;
	uint32_t top = p->chroma_height / 2 > 8 * scale ? p->chroma_height / 2 - 8 * scale : 0;
	fill(p, cb, cr, 0, top > 3 * scale ? top - 3 * scale : 0, p->chroma_width, 23 * scale,
		PANEL);
	draw_text(p, cb, cr, title, left, top, scale, TITLE);
	snprintf(counter, sizeof(counter), "%08u", (unsigned int)(number % 100000000));
	left += (dots - (8 * GLYPH_ADVANCE - 1)) * scale / 2;
	draw_text(p, cb, cr, counter, left, top + 10 * scale, scale, COUNTER);
}

void pattern_draw(struct pattern *p, uint32_t number, uint64_t capture_us, uint8_t *y, uint8_t *cb,
	uint8_t *cr)
{
	draw_luma(p, number, capture_us, y);
	draw_bars(p, capture_us, cb, cr);
	draw_panel(p, number, cb, cr);
}

/* Reads 1..4 digits without sign or leading zero; NULL unless lowest <= value <= highest. */
static const char *parse_number(const char *s, uint32_t lowest, uint32_t highest, uint32_t *ret)
{
	uint32_t value = 0;
	int digits = 0;
	if (*s == '0') {
		return NULL;
	}
	for (; *s >= '0' && *s <= '9' && digits < 4; s++, digits++) {
		value = value * 10 + (uint32_t)(*s - '0');
	}
	if (digits == 0 || value < lowest || value > highest) {
		return NULL;
	}
	*ret = value;
	return s;
}

int pattern_parse_spec(
	const char *spec, uint16_t *ret_width, uint16_t *ret_height, uint32_t *ret_interval_us)
{
	static const char name[] = "pattern";
	uint32_t width = 1280, height = 720, fps = 15;

	if (strncmp(spec, name, sizeof(name) - 1) != 0) {
		return -EINVAL;
	}
	const char *s = spec + sizeof(name) - 1;
	if (*s == ':') {
		s = parse_number(s + 1, 64, 3840, &width);
		s = s != NULL && *s == 'x' ? parse_number(s + 1, 64, 3840, &height) : NULL;
		s = s != NULL && *s == '@' ? parse_number(s + 1, 1, 60, &fps) : NULL;
	}
	if (s == NULL || *s != '\0') {
		return -EINVAL;
	}
	*ret_width = (uint16_t)width;
	*ret_height = (uint16_t)height;
	*ret_interval_us = (1000000 + fps / 2) / fps;
	return 0;
}
