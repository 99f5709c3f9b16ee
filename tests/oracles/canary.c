#include "canary.h"

#include <stdbool.h>
#include <string.h>

static struct {
	uint32_t tag;
	uint8_t bytes[CANARY_LONG_BYTES];
} kept[CANARIES_MAX];

static unsigned int kept_count;

void canary_keep(uint32_t tag, const uint8_t *jpeg, size_t size)
{
	if (size / 2 <= CANARY_LONG_BYTES) {
		return;
	}
	kept[kept_count % CANARIES_MAX].tag = tag;
	memcpy(kept[kept_count % CANARIES_MAX].bytes, jpeg + size / 2, CANARY_LONG_BYTES);
	kept_count++;
}

void canary_forget(void)
{
	memset(kept, 0, sizeof(kept));
	kept_count = 0;
}

static bool is_of(uint32_t tag, struct canary_owner owner)
{
	return owner.which == CANARY_ALL || (owner.which == CANARY_ONLY) == (tag == owner.tag);
}

unsigned int canary_count(const uint8_t *data, size_t size, size_t piece, struct canary_owner owner)
{
	unsigned int there = kept_count < CANARIES_MAX ? kept_count : CANARIES_MAX;
	unsigned int n = 0;
	for (unsigned int i = 0; i < there; i++) {
		n += is_of(kept[i].tag, owner) && memmem(data, size, kept[i].bytes, piece) != NULL;
	}
	return n;
}
