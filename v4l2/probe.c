#include "probe.h"
#include "gateway/options.h"
#include "gateway/wire.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* udev waits for us: a driver that does not answer must not hold one of its workers for long. */
enum { PROBE_LIMIT_S = 15 };

void probe_value(const char *text, char ret[static PROBE_VALUE_BYTES])
{
	size_t used = 0;

	while (*text == ' ') {
		text++;
	}
	for (; *text != '\0' && used + 1 < PROBE_VALUE_BYTES; text++) {
		unsigned char c = (unsigned char)*text;
		bool allowed = c < 0x80 && (isalnum(c) || strchr(" #+-.:,;=@_/()", c) != NULL);

		ret[used++] = allowed ? (char)c : '_';
	}
	while (used > 0 && ret[used - 1] == ' ') {
		used--;
	}
	ret[used] = '\0';
}

/* Nothing for an empty value: to udev that would mean to forget the property. */
static void print_property(FILE *out, const char *key, const char *text)
{
	char value[PROBE_VALUE_BYTES];

	probe_value(text, value);
	if (value[0] != '\0') {
		(void)fprintf(out, "%s=%s\n", key, value);
	}
}

static const char *strength_word(uint8_t strength)
{
	switch (strength) {
	case IDENTITY_SERIAL:
		return "serial";
	case IDENTITY_PORT:
		return "port";
	default:
		return "run";
	}
}

void probe_print(const struct probe *p, FILE *out)
{
	const struct identity *i = &p->identity;

	(void)fprintf(out, "CAMGATE_CAMERA=%d\n", p->camera ? 1 : 0);
	print_property(out, "CAMGATE_REASON", p->reason);
	if (p->identified) {
		print_property(out, "CAMGATE_ID", i->key);
		print_property(out, "CAMGATE_STRENGTH", strength_word(i->strength));
		print_property(out, "CAMGATE_NAME", i->name);
		print_property(out, "CAMGATE_PORT", i->port);
		print_property(out, "CAMGATE_VID_PID", i->vid_pid);
	}
}

/* As in a property: what a device says of itself may be in any encoding. */
static json_t *text_or_null(bool known, const char *text)
{
	char value[PROBE_VALUE_BYTES];

	probe_value(text, value);
	return known && value[0] != '\0' ? json_string(value) : json_null();
}

json_t *probe_json(const struct probe *p)
{
	const struct identity *i = &p->identity;
	bool known = p->identified;

	return json_pack("{s:b, s:o, s:o, s:o, s:o, s:o, s:o}", "camera", (int)p->camera, "reason",
		text_or_null(true, p->reason), "id", text_or_null(known, i->key), "strength",
		text_or_null(known, strength_word(i->strength)), "name",
		text_or_null(known, i->name), "port", text_or_null(known, i->port), "vid_pid",
		text_or_null(known, i->vid_pid));
}

/* -ENOTTY if the device is no camera, as the camera role would say. */
static int examine(struct device *d, const char *path, char problem[static DEVICE_PROBLEM_BYTES])
{
	/* Too large for the stack's taste. */
	static struct mode_list modes;
	int r = device_look(d, path, problem);

	if (r < 0) {
		return r;
	}
	r = device_list_modes(d, &modes, problem);
	if (r < 0) {
		device_close(d);
	}
	return r == -ENODEV ? -ENOTTY : r;
}

int probe_device(const char *path, const char *id_path, struct probe *ret)
{
	struct device device;
	struct stat st;
	int r;

	*ret = (struct probe){.camera = false};
	r = examine(&device, path, ret->reason);
	if (r < 0) {
		return r == -ENOTTY ? 0 : r;
	}
	ret->camera = true;
	ret->identified = fstat(device.fd, &st) == 0 &&
			  identity_read_at(st.st_rdev, id_path, &ret->identity) == 0;
	device_close(&device);
	return 0;
}

/* What udev knows so far of the device that it runs us for. */
static const char *id_path_of(const char *path)
{
	const char *node = getenv("DEVNAME");

	return node != NULL && strcmp(node, path) == 0 ? getenv("ID_PATH") : NULL;
}

static int tell(const struct probe *p, bool json)
{
	json_t *object = json ? probe_json(p) : NULL;
	int r = 0;

	if (json) {
		r = object != NULL ? json_dumpf(object, stdout, JSON_INDENT(2)) : -1;
		json_decref(object);
		(void)printf("\n");
	} else {
		probe_print(p, stdout);
	}
	return r < 0 || fflush(stdout) != 0 ? -EIO : 0;
}

int probe_main(const struct options *o)
{
	const char *path = o->arguments[0];
	struct probe p;

	(void)alarm(PROBE_LIMIT_S);
	int r = probe_device(path, id_path_of(path), &p);
	if (tell(&p, o->json) < 0 || r < 0) {
		return EXIT_FAILED;
	}
	return p.camera || o->udev ? EXIT_OK : EXIT_NO_CAMERA;
}
