/* The times that people write on the command line. Pure but for the time zone. */
#ifndef CAMGATE_AUDIT_TIME_H
#define CAMGATE_AUDIT_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { AUDIT_TIME_BYTES = 32 };

/* "2026-11-22", "2026-11-22 14:00", "2026-11-22T14:00:05", the same with Z for UTC, "today",
 * "yesterday", "now", or how long ago: "90s", "30m", "2h", "7d", "4w". Local time where nothing
 * says otherwise. end: of a whole day its last second is meant, not its first. 0 or -EINVAL. */
int audit_time_parse(const char *text, int64_t now_s, bool end, int64_t *ret_s);
/* What may be written, for error messages. */
extern const char audit_time_words[];
/* "2026-11-22 14:00:05" in local time. */
void audit_time_local(int64_t s, char out[static AUDIT_TIME_BYTES]);
/* "2026-11-22T14:00:05Z" */
void audit_time_iso(int64_t s, char out[static AUDIT_TIME_BYTES]);
/* "1:02:03", "0:07" */
void audit_time_span(uint64_t ms, char out[static AUDIT_TIME_BYTES]);

#endif
