/* capture.h: opening and negotiating. */
#include "capture.h"
#include "wish.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void modes_remove(struct mode_list *list, const struct mode *m)
{
	size_t index = (size_t)(m - list->items);

	list->count--;
	memmove(&list->items[index], &list->items[index + 1],
		(list->count - index) * sizeof(list->items[0]));
}

/* What was allocated for one kind of handling must do for all later modes: within the sandbox no
 * converter can be made, and formats of another kind would need other buffers. */
static void modes_keep_like(struct capture *c)
{
	const struct format *taken = c->mode.format;
	size_t kept = 0;

	for (size_t i = 0; i < c->modes.count; i++) {
		const struct mode *m = &c->modes.items[i];
		const struct format *f = format_find(m->fourcc, device_multiplanar(&c->device));

		if (f && f->handling == taken->handling &&
			(taken->handling != FORMAT_CONVERT || f == taken)) {
			c->modes.items[kept++] = *m;
		}
	}
	c->modes.count = kept;
}

static int allocate(struct capture *c)
{
	uint16_t width = c->mode.mode.width;
	uint16_t height = c->mode.mode.height;

	c->jpeg_max_bytes = capture_jpeg_max_bytes(width, height);
	if (c->mode.format->handling == FORMAT_PASS) {
		return plaintext_init(&c->rewritten, c->jpeg_max_bytes);
	}
	if (c->mode.format->handling == FORMAT_CONVERT) {
		c->converter = convert_create(c->device.fd, &c->mode.raw);
		if (!c->converter) {
			return -EPROTO;
		}
	}
	c->encoder = encode_create(width, height);
	return c->encoder ? 0 : -ENOMEM;
}

static void allocated_free(struct capture *c)
{
	encode_destroy(c->encoder);
	convert_destroy(c->converter);
	plaintext_finish(&c->rewritten);
	c->encoder = NULL;
	c->converter = NULL;
}

/* Takes the best mode that the driver keeps its word on. */
static int negotiate(struct capture *c, char problem[static DEVICE_PROBLEM_BYTES])
{
	int r = -EPROTO;

	while (c->modes.count > 0) {
		const struct mode *m = format_choose(&c->modes, device_multiplanar(&c->device), 0);

		if (!m) {
			break;
		}
		r = device_set_mode(&c->device, m, &c->mode);
		if (r == 0) {
			r = allocate(c);
		}
		if (r == 0) {
			modes_keep_like(c);
			return 0;
		}
		allocated_free(c);
		if (r != -EPROTO && r != -EINVAL) {
			break;
		}
		modes_remove(&c->modes, m);
	}
	if (r == -EBUSY) {
		device_explain_busy(c->device.path, problem);
	} else {
		snprintf(problem, DEVICE_PROBLEM_BYTES, "%.100s accepts no format: %s",
			c->device.path, strerror(-r));
	}
	return r;
}

int capture_open(struct capture *c, const char *path, char problem[static DEVICE_PROBLEM_BYTES])
{
	return capture_open_wished(c, path, NULL, problem);
}

int capture_open_wished(struct capture *c, const char *path, const struct config_mode *wish,
	char problem[static DEVICE_PROBLEM_BYTES])
{
	struct v4l2_event_subscription change = {.type = V4L2_EVENT_SOURCE_CHANGE};
	int r;

	*c = (struct capture){.device = {.fd = -1}};
	r = device_open(&c->device, path, problem);
	if (r < 0) {
		return r;
	}
	r = device_list_modes(&c->device, &c->modes, problem);
	if (r == 0 && wish) {
		wish_apply(wish, &c->modes, problem);
	}
	if (r == 0) {
		r = negotiate(c, problem);
	}
	if (r < 0) {
		capture_close(c);
		return r;
	}
	/* Few cameras can tell; those that can are believed. */
	(void)device_ioctl(&c->device, VIDIOC_SUBSCRIBE_EVENT, &change);
	return 0;
}

void capture_close(struct capture *c)
{
	capture_stop(c);
	allocated_free(c);
	device_close(&c->device);
}
