/* Who could have seen a camera in a span of time, and who did. */
#include "audit_entry.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* One display, while its grants are followed through the record. */
struct holder {
	struct audit_exposed seen;
	bool could;
	bool holds; /* a grant whose giving is on record and whose end was not met yet */
	int64_t since_s; /* of that */
};

struct walk {
	struct holder *holders;
	size_t count, room;
	int64_t since_s, until_s;
};

static struct holder *holder_of(
	struct walk *w, const uint8_t display[static DISPLAY_ID_BYTES], const char *name)
{
	struct holder *grown, *h;
	size_t room;

	for (size_t i = 0; i < w->count; i++) {
		if (memcmp(w->holders[i].seen.display, display, DISPLAY_ID_BYTES) == 0) {
			return &w->holders[i];
		}
	}
	if (w->count == w->room) {
		room = w->room == 0 ? 16 : 2 * w->room;
		grown = realloc(w->holders, room * sizeof(*grown));
		if (grown == NULL) {
			return NULL;
		}
		w->holders = grown;
		w->room = room;
	}
	h = &w->holders[w->count++];
	*h = (struct holder){0};
	memcpy(h->seen.display, display, DISPLAY_ID_BYTES);
	memcpy(h->seen.name, name, strlen(name) + 1);
	return h;
}

/* It was held from the one time to the other; the clock may have been set back meanwhile. */
static void held(const struct walk *w, struct holder *h, int64_t from_s, int64_t to_s)
{
	int64_t first_s = from_s < to_s ? from_s : to_s, last_s = from_s < to_s ? to_s : from_s;

	h->could = h->could || (first_s <= w->until_s && last_s >= w->since_s);
}

static void note_viewing(struct holder *h, const struct audit_item *i)
{
	/* A display that signed that it drew nothing is believed; one that could not is not, nor
	 * are counts that somebody died with. */
	bool saw = !i->closed || i->counts.drawn > 0 ||
		   (!i->counts.attested && (i->counts.sent > 0 || !audit_counts_whole(i->reason)));

	h->could = true;
	h->seen.viewings++;
	h->seen.saw = h->seen.saw || saw;
	h->seen.poor = h->seen.poor || (saw && i->closed && audit_counts_poor(&i->counts));
}

static int note_item(void *data, const struct audit_item *i)
{
	struct walk *w = data;
	bool within = i->from_s <= w->until_s && i->from_s >= w->since_s;
	struct holder *h = holder_of(w, i->o.display, i->o.display_name);

	if (h == NULL) {
		return -ENOMEM;
	}
	if (i->kind == AUDIT_GRANTED) {
		h->holds = true;
		h->since_s = i->from_s;
	} else if (i->kind == AUDIT_TAKEN) {
		/* What is not on record any more was given before all that is. */
		held(w, h, h->holds ? h->since_s : INT64_MIN, i->from_s);
		h->holds = false;
	} else if (i->kind == AUDIT_ALARM && within) {
		h->seen.alarms++;
	} else if (i->kind == AUDIT_OPENED &&
		   (!i->closed || i->from_s >= w->since_s || i->to_s >= w->since_s) &&
		   (i->from_s <= w->until_s || (i->closed && i->to_s <= w->until_s))) {
		note_viewing(h, i);
	}
	return 0;
}

/* Those who hold one now, as the store says. */
static int note_grants(
	struct store *s, const uint8_t camera[static CAMERA_ID_BYTES], struct walk *w)
{
	struct store_query q = store_query_init(s,
		"SELECT id, name, granted_s FROM displays JOIN grants ON display = id"
		" WHERE camera = ?");
	uint8_t id[DISPLAY_ID_BYTES];
	char name[NAME_MAX_BYTES + 1];
	struct holder *h;
	int result;

	store_bind_blob(&q, camera, CAMERA_ID_BYTES);
	while ((result = store_step(&q)) == 1) {
		store_column_blob(&q, 0, id, sizeof(id));
		store_column_text(&q, 1, name, sizeof(name));
		h = q.error == 0 ? holder_of(w, id, name) : NULL;
		if (h == NULL) {
			result = q.error != 0 ? q.error : -ENOMEM;
			break;
		}
		held(w, h, sqlite3_column_int64(q.statement, 2), INT64_MAX);
	}
	store_query_finish(&q);
	return result;
}

static int compare(const void *a, const void *b)
{
	const struct audit_exposed *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* Keeps those who could, by name. */
static int finish(struct walk *w, struct audit_exposed **ret, size_t *ret_count)
{
	struct audit_exposed *list = calloc(w->count + 1, sizeof(*list));
	size_t count = 0;

	if (list == NULL) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < w->count; i++) {
		struct holder *h = &w->holders[i];

		if (h->holds) {
			held(w, h, h->since_s, INT64_MAX);
		}
		if (h->could || h->seen.alarms > 0) {
			list[count++] = h->seen;
		}
	}
	qsort(list, count, sizeof(*list), compare);
	*ret = list;
	*ret_count = count;
	return 0;
}

int audit_exposure(struct store *s, const uint8_t camera[static CAMERA_ID_BYTES], int64_t since_s,
	int64_t until_s, struct audit_exposed **ret, size_t *ret_count)
{
	/* All that there is of this camera: a grant counts for as long as it was held. */
	const struct audit_filter f = {
		.camera = camera, .since_s = INT64_MIN, .until_s = INT64_MAX};
	struct walk w = {.since_s = since_s, .until_s = until_s};
	int result = audit_each(s, &f, note_item, &w);

	if (result == 0) {
		result = note_grants(s, camera, &w);
	}
	if (result == 0) {
		result = finish(&w, ret, ret_count);
	}
	free(w.holders);
	return result;
}
