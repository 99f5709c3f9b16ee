#include "wire.h"

#include <errno.h>
#include <string.h>

struct wire_reader wire_reader_init(const uint8_t *data, size_t size)
{
	return (struct wire_reader){.at = data, .left = size};
}

const uint8_t *wire_read_borrow(struct wire_reader *r, size_t size)
{
	const uint8_t *at = r->at;

	if (r->bad || size > r->left) {
		r->bad = true;
		return NULL;
	}
	if (size) { /* the input may be NULL when it is empty */
		r->at += size;
		r->left -= size;
	}
	return at;
}

static uint64_t read_integer(struct wire_reader *r, size_t size)
{
	const uint8_t *at = wire_read_borrow(r, size);
	uint64_t value = 0;

	for (size_t i = 0; at && i < size; i++) {
		value = value << 8 | at[i];
	}
	return value;
}

uint8_t wire_read_u8(struct wire_reader *r)
{
	return (uint8_t)read_integer(r, 1);
}

uint16_t wire_read_u16(struct wire_reader *r)
{
	return (uint16_t)read_integer(r, 2);
}

uint32_t wire_read_u32(struct wire_reader *r)
{
	return (uint32_t)read_integer(r, 4);
}

uint64_t wire_read_u64(struct wire_reader *r)
{
	return read_integer(r, 8);
}

void wire_read_bytes(struct wire_reader *r, uint8_t *out, size_t size)
{
	const uint8_t *at = wire_read_borrow(r, size);

	if (at && size) {
		memcpy(out, at, size);
	} else if (size) {
		memset(out, 0, size);
	}
}

void wire_read_str(struct wire_reader *r, char *out, size_t out_size)
{
	size_t size = wire_read_u8(r);
	const uint8_t *at;

	out[0] = '\0';
	if (size >= out_size) {
		r->bad = true;
	}
	at = wire_read_borrow(r, size);
	if (!at || !size) {
		return;
	}
	if (memchr(at, '\0', size)) {
		r->bad = true;
		return;
	}
	memcpy(out, at, size);
	out[size] = '\0';
}

int wire_reader_end(const struct wire_reader *r)
{
	return r->bad || r->left ? -EBADMSG : 0;
}

struct wire_writer wire_writer_init(uint8_t *base, size_t size)
{
	return (struct wire_writer){.base = base, .size = size};
}

static uint8_t *writer_take(struct wire_writer *w, size_t size)
{
	uint8_t *at;

	if (w->bad || size > w->size - w->used) {
		w->bad = true;
		return NULL;
	}
	at = w->base + w->used;
	w->used += size;
	return at;
}

static void write_integer(struct wire_writer *w, uint64_t value, size_t size)
{
	uint8_t *at = writer_take(w, size);

	for (size_t i = size; at && i > 0; i--) {
		at[i - 1] = (uint8_t)value;
		value >>= 8;
	}
}

void wire_write_u8(struct wire_writer *w, uint8_t value)
{
	write_integer(w, value, 1);
}

void wire_write_u16(struct wire_writer *w, uint16_t value)
{
	write_integer(w, value, 2);
}

void wire_write_u32(struct wire_writer *w, uint32_t value)
{
	write_integer(w, value, 4);
}

void wire_write_u64(struct wire_writer *w, uint64_t value)
{
	write_integer(w, value, 8);
}

void wire_write_bytes(struct wire_writer *w, const uint8_t *data, size_t size)
{
	uint8_t *at;

	if (!size) {
		return;
	}
	at = writer_take(w, size);
	if (at) {
		memcpy(at, data, size);
	}
}

void wire_write_str(struct wire_writer *w, const char *text)
{
	size_t size = strlen(text);

	if (size > UINT8_MAX) {
		w->bad = true;
		return;
	}
	wire_write_u8(w, (uint8_t)size);
	wire_write_bytes(w, (const uint8_t *)text, size);
}

ssize_t wire_writer_end(const struct wire_writer *w)
{
	return w->bad ? -ENOSPC : (ssize_t)w->used;
}

/* Decodes one UTF-8 character (RFC 3629) of a NUL-terminated text. Returns its bytes, or 0 if it is
 * none: overlong, a surrogate, beyond U+10FFFF, cut short. */
static size_t utf8_decode(const uint8_t *at, uint32_t *ret)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t size;
	uint32_t c;

	if (at[0] < 0x80) {
		*ret = at[0];
		return 1;
	} else if (at[0] >= 0xc0 && at[0] < 0xe0) {
		size = 2;
		c = at[0] & 0x1f;
	} else if (at[0] >= 0xe0 && at[0] < 0xf0) {
		size = 3;
		c = at[0] & 0x0f;
	} else if (at[0] >= 0xf0 && at[0] < 0xf8) {
		size = 4;
		c = at[0] & 0x07;
	} else {
		return 0;
	}
	for (size_t i = 1; i < size; i++) {
		if ((at[i] & 0xc0) != 0x80) { /* also true of the NUL */
			return 0;
		}
		c = c << 6 | (at[i] & 0x3f);
	}
	if (c < smallest[size] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) {
		return 0;
	}
	*ret = c;
	return size;
}

bool wire_name_ok(const char *name)
{
	const uint8_t *at = (const uint8_t *)name;
	size_t size = strnlen(name, NAME_MAX_BYTES + 1);

	if (size < 1 || size > NAME_MAX_BYTES || name[0] == ' ' || name[size - 1] == ' ') {
		return false;
	}
	while (*at) {
		uint32_t c;
		size_t step = utf8_decode(at, &c);

		if (!step || c < 0x20 || (c >= 0x7f && c <= 0x9f)) {
			return false;
		}
		at += step;
	}
	return true;
}
