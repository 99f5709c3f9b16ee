#include "freeze.h"

#include <string.h>

/* A little under the two seconds, so that the flag is in a frame that displays still take for live:
 * one that repeats its timestamp, too, is older than that from then on, and no more sent. */
enum { FREEZE_LIMIT_US = 1750000 };

void freeze_init(struct freeze *f, uint32_t interval_us)
{
	*f = (struct freeze){.limit_us = FREEZE_LIMIT_US};
	if (2 * (uint64_t)interval_us > f->limit_us) {
		f->limit_us = 2 * (uint64_t)interval_us;
	}
	f->marks[FREEZE_CONTENT].alive = true;
}

bool freeze_check(struct freeze *f, uint64_t sequence, uint64_t timestamp_us, uint64_t content,
	uint64_t now_us)
{
	const uint64_t values[FREEZE_MARKS] = {
		[FREEZE_SEQUENCE] = sequence,
		[FREEZE_TIMESTAMP] = timestamp_us,
		[FREEZE_CONTENT] = content,
	};
	bool frozen = false;

	for (int i = 0; i < FREEZE_MARKS; i++) {
		if (!f->started || f->marks[i].value != values[i]) {
			f->marks[i].alive = f->marks[i].alive || f->started;
			f->marks[i].value = values[i];
			f->marks[i].since_us = now_us;
		} else if (f->marks[i].alive && now_us - f->marks[i].since_us >= f->limit_us) {
			frozen = true;
		}
	}
	f->started = true;
	return frozen;
}

uint64_t freeze_digest(const uint8_t *data, size_t size)
{
	/* Multiply and fold, four lanes so that the multiplications overlap. */
	uint64_t lanes[4] = {0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9, 0x94d049bb133111eb, size};
	uint64_t rest = 0;
	size_t at = 0;

	for (; at + 32 <= size; at += 32) {
		for (size_t k = 0; k < 4; k++) {
			uint64_t word;

			memcpy(&word, data + at + 8 * k, sizeof(word));
			lanes[k] = (lanes[k] ^ word) * 0xd6e8feb86659fd93;
			lanes[k] ^= lanes[k] >> 32;
		}
	}
	for (; at < size; at++) {
		rest = (rest ^ data[at]) * 0x100000001b3;
	}
	for (size_t k = 0; k < 4; k++) {
		rest = (rest ^ lanes[k]) * 0xd6e8feb86659fd93;
		rest ^= rest >> 29;
	}
	return rest;
}
