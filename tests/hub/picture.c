/*
 * Says what is on JPEG pictures, one line each: the code of a test camera, or the one colour that
 * all of the picture has.
 *
 *     picture FILE...
 *     FILE 640x480 camera c0ffee01 number 17 captured 123456
 *     FILE 640x360 colour red         (or green, blue, white, black; otherwise R,G,B)
 *     FILE 640x360 mixed              neither
 */
#include "tests/opix/opix.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <turbojpeg.h>

enum { PICTURE_MAX_BYTES = 8 << 20, SPREAD = 24 };

static const struct {
	const char *name;
	int rgb[3];
} COLOURS[] = {{"red", {255, 0, 0}}, {"green", {0, 255, 0}}, {"blue", {0, 0, 255}},
	{"white", {255, 255, 255}}, {"black", {0, 0, 0}}};

/* Whether all pixels are near their mean, which is written to mean. */
static bool solid(const uint8_t *rgb, size_t pixels, int mean[3])
{
	for (int channel = 0; channel < 3; channel++) {
		uint64_t sum = 0;
		for (size_t i = 0; i < pixels; i++) {
			sum += rgb[3 * i + (size_t)channel];
		}
		mean[channel] = (int)(sum / pixels);
		for (size_t i = 0; i < pixels; i++) {
			if (abs(rgb[3 * i + (size_t)channel] - mean[channel]) > SPREAD) {
				return false;
			}
		}
	}
	return true;
}

static void say_colour(const int mean[3])
{
	for (size_t i = 0; i < sizeof(COLOURS) / sizeof(COLOURS[0]); i++) {
		bool near = true;
		for (int channel = 0; channel < 3; channel++) {
			near = near && abs(mean[channel] - COLOURS[i].rgb[channel]) < 64;
		}
		if (near) {
			printf("colour %s\n", COLOURS[i].name);
			return;
		}
	}
	printf("colour %d,%d,%d\n", mean[0], mean[1], mean[2]);
}

static int say_pixels(const uint8_t *jpeg, size_t size)
{
	int width = 0, height = 0, subsampling = 0, colours = 0, mean[3];
	int error = -EBADMSG;
	uint8_t *rgb = NULL;
	tjhandle decoder = tjInitDecompress();
	if (decoder != NULL && tjDecompressHeader3(decoder, jpeg, size, &width, &height,
				       &subsampling, &colours) == 0) {
		rgb = malloc(3 * (size_t)width * (size_t)height);
	}
	if (rgb != NULL &&
		tjDecompress2(decoder, jpeg, size, rgb, width, 0, height, TJPF_RGB, 0) == 0) {
		printf("%dx%d ", width, height);
		if (solid(rgb, (size_t)width * (size_t)height, mean)) {
			say_colour(mean);
		} else {
			printf("mixed\n");
		}
		error = 0;
	}
	free(rgb);
	if (decoder != NULL) {
		tjDestroy(decoder);
	}
	return error;
}

static int say(const char *path)
{
	static uint8_t jpeg[PICTURE_MAX_BYTES];
	struct opix o;
	FILE *f = fopen(path, "rbe");
	if (f == NULL) {
		return -errno;
	}
	size_t size = fread(jpeg, 1, sizeof(jpeg), f);
	fclose(f);
	printf("%s ", path);
	if (opix_decode_jpeg(jpeg, size, &o) == 0) {
		printf("%dx%d camera %08x number %u captured %llu\n", o.width, o.height,
			(unsigned int)o.tag, (unsigned int)o.number,
			(unsigned long long)o.capture_ms);
		return 0;
	}
	return say_pixels(jpeg, size);
}

int main(int argc, char **argv)
{
	int result = 0;
	for (int i = 1; i < argc; i++) {
		int error = say(argv[i]);
		if (error != 0) {
			fprintf(stderr, "picture: %s: %s\n", argv[i], strerror(-error));
			result = 1;
		}
	}
	return result;
}
