/* Messages about cameras that no owner has decided about yet. */
#include "wire_ask.h"

#include <errno.h>

/* ---- from the hub ---- */

ssize_t wire_encode_new_camera(const struct wire_new_camera *m, uint8_t *out, size_t size)
{
	struct wire_writer w = wire_writer_init(out, size);

	wire_write_bytes(&w, m->id, sizeof(m->id));
	wire_write_u8(&w, m->strength);
	wire_write_u8(&w, m->flags);
	wire_write_str(&w, m->name);
	wire_write_str(&w, m->about);
	return wire_writer_end(&w);
}

int wire_parse_new_camera(const uint8_t *data, size_t size, struct wire_new_camera *ret)
{
	struct wire_reader r = wire_reader_init(data, size);
	struct wire_new_camera m = {0};

	wire_read_bytes(&r, m.id, sizeof(m.id));
	m.strength = wire_read_u8(&r);
	m.flags = wire_read_u8(&r);
	wire_read_str(&r, m.name, sizeof(m.name));
	wire_read_str(&r, m.about, sizeof(m.about));
	if (wire_reader_end(&r) < 0 || m.strength > IDENTITY_TEST ||
		m.flags > NEW_CAMERA_QUARANTINED || !wire_name_ok(m.name) ||
		(m.about[0] != 0 && !wire_name_ok(m.about))) {
		return -EBADMSG;
	}
	*ret = m;
	return 0;
}

ssize_t wire_encode_new_camera_gone(const struct wire_new_camera_gone *m, uint8_t *out, size_t size)
{
	struct wire_writer w = wire_writer_init(out, size);

	wire_write_bytes(&w, m->id, sizeof(m->id));
	return wire_writer_end(&w);
}

int wire_parse_new_camera_gone(const uint8_t *data, size_t size, struct wire_new_camera_gone *ret)
{
	struct wire_reader r = wire_reader_init(data, size);
	struct wire_new_camera_gone m = {0};

	wire_read_bytes(&r, m.id, sizeof(m.id));
	if (wire_reader_end(&r) < 0) {
		return -EBADMSG;
	}
	*ret = m;
	return 0;
}

ssize_t wire_encode_screen(const struct wire_screen *m, uint8_t *out, size_t size)
{
	struct wire_writer w = wire_writer_init(out, size);

	wire_write_bytes(&w, m->display, sizeof(m->display));
	wire_write_u8(&w, m->state);
	wire_write_str(&w, m->name);
	return wire_writer_end(&w);
}

int wire_parse_screen(const uint8_t *data, size_t size, struct wire_screen *ret)
{
	struct wire_reader r = wire_reader_init(data, size);
	struct wire_screen m = {0};

	wire_read_bytes(&r, m.display, sizeof(m.display));
	m.state = wire_read_u8(&r);
	wire_read_str(&r, m.name, sizeof(m.name));
	if (wire_reader_end(&r) < 0 || m.state > SCREEN_PAIRED || !wire_name_ok(m.name)) {
		return -EBADMSG;
	}
	*ret = m;
	return 0;
}

/* ---- from an owner's display ---- */

ssize_t wire_encode_share(const struct wire_share *m, uint8_t *out, size_t size)
{
	struct wire_writer w = wire_writer_init(out, size);

	wire_write_bytes(&w, m->camera, sizeof(m->camera));
	wire_write_bytes(&w, m->display, sizeof(m->display));
	return wire_writer_end(&w);
}

int wire_parse_share(const uint8_t *data, size_t size, struct wire_share *ret)
{
	struct wire_reader r = wire_reader_init(data, size);
	struct wire_share m = {0};

	wire_read_bytes(&r, m.camera, sizeof(m.camera));
	wire_read_bytes(&r, m.display, sizeof(m.display));
	if (wire_reader_end(&r) < 0) {
		return -EBADMSG;
	}
	*ret = m;
	return 0;
}

ssize_t wire_encode_decide(const struct wire_decide *m, uint8_t *out, size_t size)
{
	struct wire_writer w = wire_writer_init(out, size);

	wire_write_bytes(&w, m->camera, sizeof(m->camera));
	wire_write_u8(&w, m->decision);
	return wire_writer_end(&w);
}

int wire_parse_decide(const uint8_t *data, size_t size, struct wire_decide *ret)
{
	struct wire_reader r = wire_reader_init(data, size);
	struct wire_decide m = {0};

	wire_read_bytes(&r, m.camera, sizeof(m.camera));
	m.decision = wire_read_u8(&r);
	if (wire_reader_end(&r) < 0 || m.decision < DECISION_IGNORE ||
		m.decision > DECISION_NOBODY) {
		return -EBADMSG;
	}
	*ret = m;
	return 0;
}

ssize_t wire_encode_preview(const struct wire_preview *m, uint8_t *out, size_t size)
{
	struct wire_writer w = wire_writer_init(out, size);

	wire_write_bytes(&w, m->camera, sizeof(m->camera));
	wire_write_u8(&w, m->on ? 1 : 0);
	return wire_writer_end(&w);
}

int wire_parse_preview(const uint8_t *data, size_t size, struct wire_preview *ret)
{
	struct wire_reader r = wire_reader_init(data, size);
	struct wire_preview m = {0};
	uint8_t on;

	wire_read_bytes(&r, m.camera, sizeof(m.camera));
	on = wire_read_u8(&r);
	if (wire_reader_end(&r) < 0 || on > 1) {
		return -EBADMSG;
	}
	m.on = on == 1;
	*ret = m;
	return 0;
}
