#include "oracle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BEHIND_MAX_BYTES = 1 << 20 };

int channel_put(
	struct channel *c, const uint8_t *bytes, size_t size, const int *descriptors, size_t count)
{
	struct parcel *p;

	if (c->waiting + size > BEHIND_MAX_BYTES) {
		return -EAGAIN;
	}
	p = spared_malloc(sizeof(*p) + size);
	p->next = NULL;
	p->size = size;
	memcpy(p->bytes, bytes, size);
	for (size_t i = 0; i < IPC_DESCRIPTORS_MAX; i++) {
		p->descriptors[i] = i < count ? fcntl(descriptors[i], F_DUPFD_CLOEXEC, 3) : -1;
	}
	if (c->last) {
		c->last->next = p;
	} else {
		c->first = p;
	}
	c->last = p;
	c->waiting += size;
	c->count++;
	return 0;
}

struct parcel *channel_take(struct channel *c)
{
	struct parcel *p = c->first;

	if (!p) {
		return NULL;
	}
	c->first = p->next;
	if (!c->first) {
		c->last = NULL;
	}
	c->waiting -= p->size;
	c->count--;
	return p;
}

void parcel_free(struct parcel *p)
{
	for (size_t i = 0; i < IPC_DESCRIPTORS_MAX; i++) {
		if (p->descriptors[i] >= 0) {
			(void)close(p->descriptors[i]);
		}
	}
	free(p);
}

void channel_empty(struct channel *c)
{
	for (struct parcel *p = channel_take(c); p; p = channel_take(c)) {
		parcel_free(p);
	}
	*c = (struct channel){0};
}

struct ipc_message parcel_message(const struct parcel *p)
{
	struct ipc_message m = {
		.type = p->bytes[0], .fields = p->bytes + 1, .fields_size = p->size - 1};

	memcpy(m.descriptors, p->descriptors, sizeof(m.descriptors));
	return m;
}
