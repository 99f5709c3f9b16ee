#include "audit.h"
#include "clock.h"
#include "keeper.h"
#include "log.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LOOK_S = 60 * 60, DISTURBED_S = 60 };

static int64_t offset_s(uint64_t now_us)
{
	return (int64_t)time(NULL) - (int64_t)(now_us / 1000000);
}

void keeper_record_init(struct keeper *k)
{
	const struct config *c = &k->options->config;
	uint64_t now_us = clock_now_us();

	if (c->record_size_mib > 0) {
		k->store.record_entries_max =
			(int64_t)c->record_size_mib * 1024 * 1024 / AUDIT_ENTRY_BYTES;
	}
	k->clock_offset_s = offset_s(now_us);
	k->prune_us = now_us + 1000000ULL * LOOK_S;
}

void keeper_record_tick(struct keeper *k, uint64_t now_us)
{
	unsigned int days = k->options->config.record_days, removed = 0;
	int64_t offset, age_s = days > 0 ? (int64_t)days * 24 * 60 * 60 : AUDIT_AGE_MAX_S;
	int result;

	if (now_us < k->prune_us) {
		return;
	}
	k->prune_us = now_us + 1000000ULL * LOOK_S;
	offset = offset_s(now_us);
	if (llabs(offset - k->clock_offset_s) <= DISTURBED_S) {
		result = audit_prune(&k->store, (int64_t)time(NULL), age_s, &removed);
		if (result < 0) {
			log_warning("cannot shorten the record: %s", strerror(-result));
		} else if (removed > 0) {
			log_info("%u entries of the record went for their age or number", removed);
		}
	}
	k->clock_offset_s = offset;
}
