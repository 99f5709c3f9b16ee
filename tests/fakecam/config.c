#include "fakecam.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct word {
	const char *text;
	uint32_t value;
};

static const struct word KINDS[] = {{"capture", KIND_CAPTURE}, {"mplane", KIND_MPLANE},
	{"m2m", KIND_M2M}, {"output", KIND_OUTPUT}, {"meta", KIND_META}, {"mc", KIND_MC},
	{"tuner", KIND_TUNER}, {"read", KIND_READ}, {"none", KIND_NONE}, {NULL, 0}};

static const struct word STAMPS[] = {{"monotonic", V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC},
	{"unknown", V4L2_BUF_FLAG_TIMESTAMP_UNKNOWN}, {"copy", V4L2_BUF_FLAG_TIMESTAMP_COPY},
	{NULL, 0}};

static const struct word FAULTS[] = {{"error", FAULT_ERROR}, {"short", FAULT_SHORT},
	{"empty", FAULT_EMPTY}, {"truncated", FAULT_TRUNCATED}, {"garbage", FAULT_GARBAGE},
	{"othersize", FAULT_OTHER_SIZE}, {"trailing", FAULT_TRAILING},
	{"notables", FAULT_NO_TABLES}, {"thumbnail", FAULT_THUMBNAIL}, {"frozen", FAULT_FROZEN},
	{"stuck", FAULT_STUCK}, {"stall", FAULT_STALL}, {"unplug", FAULT_UNPLUG},
	{"eio", FAULT_EIO}, {"busy", FAULT_BUSY}, {"permission", FAULT_PERMISSION},
	{"nospace", FAULT_NO_SPACE}, {"nostart", FAULT_NO_START}, {"deaf", FAULT_DEAF}, {NULL, 0}};

static int word_find(const struct word *words, const char *text, uint32_t *ret)
{
	for (; words->text != NULL; words++) {
		if (strcmp(words->text, text) == 0) {
			*ret = words->value;
			return 0;
		}
	}
	return -EINVAL;
}

bool fakecam_is_jpeg(uint32_t fourcc)
{
	return fourcc == V4L2_PIX_FMT_MJPEG || fourcc == V4L2_PIX_FMT_JPEG;
}

static uint32_t align(uint32_t bytes, uint32_t to)
{
	return to == 0 ? bytes : (bytes + to - 1) / to * to;
}

bool fakecam_lay_out(uint32_t fourcc, uint32_t width, uint32_t height, uint32_t stride,
	struct fakecam_layout *ret)
{
	struct fakecam_layout l = {.planes = 1};
	uint32_t half = (height + 1) / 2;

	switch (fourcc) {
	case V4L2_PIX_FMT_MJPEG:
	case V4L2_PIX_FMT_JPEG:
		l.bytes[0] = width * height * 2;
		break;
	case V4L2_PIX_FMT_YUYV:
	case V4L2_PIX_FMT_UYVY:
		l.line_bytes[0] = align(2 * width, stride);
		l.bytes[0] = l.line_bytes[0] * height;
		break;
	case V4L2_PIX_FMT_RGB24:
	case V4L2_PIX_FMT_BGR24:
		l.line_bytes[0] = align(3 * width, stride);
		l.bytes[0] = l.line_bytes[0] * height;
		break;
	case V4L2_PIX_FMT_GREY:
	case V4L2_PIX_FMT_SBGGR8:
	case V4L2_PIX_FMT_SRGGB8:
		l.line_bytes[0] = align(width, stride);
		l.bytes[0] = l.line_bytes[0] * height;
		break;
	case V4L2_PIX_FMT_NV12:
	case V4L2_PIX_FMT_YUV420:
		l.line_bytes[0] = align(width, stride == 0 ? 2 : stride);
		l.bytes[0] = l.line_bytes[0] * (height + half);
		break;
	case V4L2_PIX_FMT_NV12M:
		l.planes = 2;
		l.line_bytes[0] = l.line_bytes[1] = align(width, stride == 0 ? 2 : stride);
		l.bytes[0] = l.line_bytes[0] * height;
		l.bytes[1] = l.line_bytes[1] * half;
		break;
	case V4L2_PIX_FMT_YUV420M:
		l.planes = 3;
		l.line_bytes[0] = align(width, stride == 0 ? 2 : stride);
		l.line_bytes[1] = l.line_bytes[2] = l.line_bytes[0] / 2;
		l.bytes[0] = l.line_bytes[0] * height;
		l.bytes[1] = l.bytes[2] = l.line_bytes[1] * half;
		break;
	default:
		return false;
	}
	*ret = l;
	return l.bytes[0] <= FAKECAM_PLANE_BYTES * (l.planes == 1 ? FAKECAM_PLANES_MAX : 1);
}

static int number_parse(const char **at, uint32_t highest, uint32_t *ret)
{
	char *end;
	unsigned long value = **at >= '0' && **at <= '9' ? strtoul(*at, &end, 10) : highest + 1ul;
	if (value > highest) {
		return -EINVAL;
	}
	*at = end;
	*ret = (uint32_t)value;
	return 0;
}

/* MJPG:1920x1080@30/15,YUYV:640x480@30 */
static int modes_parse(const char *at, struct fakecam_config *c)
{
	while (*at != '\0') {
		struct fakecam_mode *m = &c->modes[c->modes_count];
		struct fakecam_layout unused;
		uint32_t width, height, rate, rates = 0;
		if (c->modes_count == FAKECAM_MODES_MAX || strlen(at) < 5 || at[4] != ':') {
			return -EINVAL;
		}
		m->fourcc = v4l2_fourcc(at[0], at[1], at[2], at[3]);
		at += 5;
		if (number_parse(&at, 4096, &width) != 0 || *at++ != 'x' ||
			number_parse(&at, 4096, &height) != 0) {
			return -EINVAL;
		}
		m->width = (uint16_t)width;
		m->height = (uint16_t)height;
		for (char mark = '@'; *at == mark && rates < FAKECAM_RATES_MAX; mark = '/') {
			at++;
			if (number_parse(&at, 240, &rate) != 0 || rate == 0) {
				return -EINVAL;
			}
			m->rates[rates++] = (uint8_t)rate;
		}
		if (rates == 0 || width < 16 || height < 16 ||
			!fakecam_lay_out(m->fourcc, width, height, c->stride, &unused) ||
			(*at != ',' && *at != '\0')) {
			return -EINVAL;
		}
		c->modes_count++;
		at += *at == ',';
	}
	return 0;
}

/* error/10,unplug/300+2000,busy */
static int faults_parse(const char *at, struct fakecam_config *c)
{
	while (*at != '\0') {
		char word[16] = "";
		size_t length = strcspn(at, "/,");
		if (c->faults_count == sizeof(c->faults) / sizeof(c->faults[0]) ||
			length >= sizeof(word)) {
			return -EINVAL;
		}
		memcpy(word, at, length);
		at += length;
		uint32_t *fault = &c->faults[c->faults_count].fault;
		uint32_t *every = &c->faults[c->faults_count].every;
		uint32_t *for_ms = &c->faults[c->faults_count].for_ms;
		*every = 1;
		if (word_find(FAULTS, word, fault) != 0 ||
			(*at == '/' && (at++, number_parse(&at, 1u << 30, every) != 0)) ||
			(*at == '+' && (at++, number_parse(&at, 1u << 30, for_ms) != 0)) ||
			*every == 0 || (*at != ',' && *at != '\0')) {
			return -EINVAL;
		}
		c->faults_count++;
		at += *at == ',';
	}
	return 0;
}

static int text_set(char *to, size_t size, const char *value)
{
	size_t length = strlen(value);
	if (length >= size) {
		return -EINVAL;
	}
	memcpy(to, value, length + 1);
	return 0;
}

/* "046d:0825" */
static int usb_parse(const char *value, struct fakecam_config *c)
{
	if (strlen(value) != 9 || value[4] != ':' || strspn(value, "0123456789abcdef") != 4 ||
		strspn(value + 5, "0123456789abcdef") != 4) {
		return -EINVAL;
	}
	memcpy(c->vendor, value, 4);
	memcpy(c->product, value + 5, 4);
	return 0;
}

static int key_parse(const char *key, const char *value, struct fakecam_config *c)
{
	const char *at = value;
	if (strcmp(key, "card") == 0) {
		return text_set(c->card, sizeof(c->card), value);
	} else if (strcmp(key, "driver") == 0) {
		return text_set(c->driver, sizeof(c->driver), value);
	} else if (strcmp(key, "bus") == 0) {
		return text_set(c->bus, sizeof(c->bus), value);
	} else if (strcmp(key, "usb") == 0) {
		return usb_parse(value, c);
	} else if (strcmp(key, "serial") == 0) {
		return text_set(c->serial, sizeof(c->serial), value);
	} else if (strcmp(key, "path") == 0) {
		return text_set(c->path, sizeof(c->path), value);
	} else if (strcmp(key, "kind") == 0) {
		return word_find(KINDS, value, &c->kind);
	} else if (strcmp(key, "stamps") == 0) {
		return word_find(STAMPS, value, &c->stamps);
	} else if (strcmp(key, "tag") == 0) {
		c->tag = (uint32_t)strtoul(value, NULL, 16);
		return 0;
	} else if (strcmp(key, "stride") == 0) {
		return number_parse(&at, 4096, &c->stride);
	} else if (strcmp(key, "set") == 0) {
		return number_parse(&at, 256, &c->set);
	} else if (strcmp(key, "bytes") == 0) {
		return number_parse(&at, 4u << 20, &c->bytes);
	} else if (strcmp(key, "modes") == 0) {
		return modes_parse(value, c);
	} else if (strcmp(key, "faults") == 0) {
		return faults_parse(value, c);
	}
	return -EINVAL;
}

/* Cuts the next word off *at, which may hold a part in double quotes; NULL at the end. */
static char *word_next(char **at)
{
	char *from = *at + strspn(*at, " \t\r\n");
	char *to = from;
	bool quoted = false;
	if (*from == '\0' || *from == '#') {
		return NULL;
	}
	char *start = from;
	for (; *from != '\0' && (quoted || strchr(" \t\r\n", *from) == NULL); from++) {
		if (*from == '"') {
			quoted = !quoted;
		} else {
			*to++ = *from;
		}
	}
	*at = *from == '\0' ? from : from + 1;
	*to = '\0';
	return start;
}

static void config_default(struct fakecam_config *c)
{
	c->tag = c->tag == 0 ? 0xfa000000u + c->minor : c->tag;
	if (c->card[0] == '\0') {
		snprintf(c->card, sizeof(c->card), "Fake camera %u", c->minor);
	}
	if (c->driver[0] == '\0') {
		text_set(c->driver, sizeof(c->driver), "uvcvideo");
	}
	if (c->bus[0] == '\0') {
		snprintf(c->bus, sizeof(c->bus), "usb-fake-%u", c->minor);
	}
	if (c->modes_count == 0) {
		modes_parse("MJPG:640x480@30", c);
	}
}

int fakecam_parse(const char *line, struct fakecam_config *ret)
{
	struct fakecam_config c = {.present = 1, .stamps = V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC};
	char copy[1024];
	char *at = copy;
	if (text_set(copy, sizeof(copy), line) != 0) {
		fprintf(stderr, "fakecam: line too long: %s\n", line);
		return -EINVAL;
	}
	char *word = word_next(&at);
	if (word == NULL) {
		return 1;
	}
	const char *number = word + 5;
	if (strncmp(word, "video", 5) != 0 || number_parse(&number, 255, &c.minor) != 0 ||
		*number != '\0') {
		fprintf(stderr, "fakecam: '%s' is not videoN\n", word);
		return -EINVAL;
	}
	while ((word = word_next(&at)) != NULL) {
		char *value = strchr(word, '=');
		if (value != NULL) {
			*value++ = '\0';
		}
		if (value == NULL || key_parse(word, value, &c) != 0) {
			fprintf(stderr, "fakecam: video%u: bad %s=%s\n", c.minor, word,
				value != NULL ? value : "");
			return -EINVAL;
		}
	}
	config_default(&c);
	*ret = c;
	return 0;
}
