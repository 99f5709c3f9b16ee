/* What this machine can do, one core at a time: the three costs of a picture. */
#include "doctor.h"
#include "clock.h"
#include "keys.h"
#include "sframe.h"
#include "v4l2/encode.h"
#include "v4l2/pattern.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum {
	PART_US = 2 * 1000 * 1000,
	CLOCK_EVERY = 8, /* turns between two looks at the clock */
	FRAME_BYTES = 258 * 1000, /* a 1080p picture of a usual webcam */
	RECORD_BYTES = 16 << 10,
};

struct figure {
	const char *name; /* for JSON */
	const char *label;
	double per_second; /* turns */
	size_t bytes; /* of a turn; 0: does not matter */
};

/* Calls turn until time is up. 0 or -errno. */
static int measure(int (*turn)(void *data), void *data, struct figure *f)
{
	uint64_t begin_us = clock_now_us(), now_us = begin_us, turns = 0;

	while (now_us - begin_us < PART_US) {
		for (int i = 0; i < CLOCK_EVERY; i++) {
			int r = turn(data);

			if (r < 0) {
				return r;
			}
		}
		turns += CLOCK_EVERY;
		now_us = clock_now_us();
	}
	f->per_second = (double)turns * 1e6 / (double)(now_us - begin_us);
	return 0;
}

/* ---- seal ---- */

struct seal {
	struct epochs *epochs;
	uint8_t *jpeg, *frame;
};

static int seal_turn(void *data)
{
	struct wire_frame_header header = {0};
	struct seal *s = data;
	ssize_t size = epoch_seal(s->epochs, &header, s->jpeg, FRAME_BYTES, clock_now_us(),
		s->frame, WIRE_FRAME_MAX_BYTES);

	return size < 0 ? (int)size : 0;
}

static int bench_seal(struct figure *f)
{
	static const uint8_t home[HOME_ID_BYTES], generation[GENERATION_BYTES];
	struct seal s = {
		.epochs = epochs_create(home, generation, UINT64_C(600000000), clock_now_us()),
		.jpeg = calloc(1, FRAME_BYTES),
		.frame = malloc(WIRE_FRAME_MAX_BYTES)};
	int r = s.epochs != NULL && s.jpeg != NULL && s.frame != NULL ? measure(seal_turn, &s, f)
								      : -ENOMEM;

	epochs_destroy(s.epochs);
	free(s.jpeg);
	free(s.frame);
	return r;
}

/* ---- TLS records ---- */

struct record {
	EVP_CIPHER_CTX *context;
	uint8_t in[RECORD_BYTES], out[RECORD_BYTES + 16];
};

static int record_turn(void *data)
{
	static const uint8_t nonce[12];
	struct record *r = data;
	int size;

	return EVP_EncryptInit_ex(r->context, NULL, NULL, NULL, nonce) == 1 &&
			       EVP_EncryptUpdate(r->context, r->out, &size, r->in, RECORD_BYTES) ==
				       1 &&
			       EVP_EncryptFinal_ex(r->context, r->out + size, &size) == 1 &&
			       EVP_CIPHER_CTX_ctrl(r->context, EVP_CTRL_AEAD_GET_TAG, 16,
				       r->out + RECORD_BYTES) == 1
		       ? 0
		       : -EIO;
}

static int bench_record(const EVP_CIPHER *cipher, struct figure *f)
{
	static const uint8_t key[32];
	struct record *record = calloc(1, sizeof *record);
	int r = -ENOMEM;

	if (record != NULL) {
		record->context = EVP_CIPHER_CTX_new();
	}
	if (record != NULL && record->context != NULL &&
		EVP_EncryptInit_ex(record->context, cipher, NULL, key, NULL) == 1) {
		r = measure(record_turn, record, f);
	}
	if (record != NULL) {
		EVP_CIPHER_CTX_free(record->context);
	}
	free(record);
	return r;
}

/* ---- JPEG ---- */

struct jpeg {
	struct encoder *encoder;
	struct raw_picture picture;
	size_t size;
};

static int jpeg_turn(void *data)
{
	const uint8_t *jpeg;
	struct jpeg *j = data;

	return encode_picture(j->encoder, &j->picture, &jpeg, &j->size);
}

/* The test picture, which is neither the easiest nor the hardest to encode. */
static int bench_jpeg(uint16_t width, uint16_t height, struct figure *f)
{
	size_t luma = (size_t)width * height;
	uint8_t *planes = malloc(luma * 3 / 2);
	struct pattern *pattern = pattern_create(width, height, 0);
	struct jpeg j = {.encoder = encode_create(width, height),
		.picture = {.packing = PACKING_YU12, .width = width, .height = height}};
	int r = -ENOMEM;

	if (planes != NULL && pattern != NULL && j.encoder != NULL) {
		j.picture.planes[0] = planes;
		j.picture.planes[1] = planes + luma;
		j.picture.planes[2] = planes + luma + luma / 4;
		j.picture.strides[0] = width;
		j.picture.strides[1] = j.picture.strides[2] = width / 2;
		pattern_draw(pattern, 1, clock_now_us(), planes, planes + luma,
			planes + luma + luma / 4);
		r = measure(jpeg_turn, &j, f);
	}
	encode_destroy(j.encoder);
	pattern_destroy(pattern);
	free(planes);
	return r;
}

/* ---- telling ---- */

static void print(const struct figure *f, FILE *out)
{
	(void)fprintf(out, "%-40s %9.0f /s %9.0f us", f->label, f->per_second, 1e6 / f->per_second);
	if (f->bytes > 0) {
		(void)fprintf(out, " %8.0f MB/s", f->per_second * (double)f->bytes / 1e6);
	}
	(void)fprintf(out, "\n");
}

static int tell(const struct figure *figures, size_t count, bool json, FILE *out)
{
	json_t *object;
	int r;

	if (!json) {
		(void)fprintf(out, "On one core of this machine:\n\n");
		for (size_t i = 0; i < count; i++) {
			print(&figures[i], out);
		}
		(void)fprintf(out,
			"\nA picture is encoded (raw cameras only) and sealed once, and costs "
			"records for each viewer.\n");
		return ferror(out) ? -EIO : 0;
	}
	object = json_pack("{s:b}", "ok", 1);
	for (size_t i = 0; i < count; i++) {
		(void)json_object_set_new(object, figures[i].name,
			json_pack("{s:f, s:i}", "per_second", figures[i].per_second, "bytes",
				(int)figures[i].bytes));
	}
	r = object != NULL ? json_dumpf(object, out, JSON_INDENT(2)) : -1;
	json_decref(object);
	(void)fprintf(out, "\n");
	return r < 0 ? -EIO : 0;
}

int doctor_bench(bool json, FILE *out)
{
	struct figure figures[] = {
		{"seal", "seal a picture of 258 kB", 0, FRAME_BYTES},
		{"tls_aes_128_gcm", "TLS record of 16 KiB, AES-128-GCM", 0, RECORD_BYTES},
		{"tls_chacha20_poly1305", "TLS record of 16 KiB, ChaCha20-Poly1305", 0,
			RECORD_BYTES},
		{"jpeg_1280x720", "encode 1280x720 as JPEG", 0, 0},
		{"jpeg_1920x1080", "encode 1920x1080 as JPEG", 0, 0},
	};
	int r = secure_heap_init();

	r = r == 0 ? bench_seal(&figures[0]) : r;
	r = r == 0 ? bench_record(EVP_aes_128_gcm(), &figures[1]) : r;
	r = r == 0 ? bench_record(EVP_chacha20_poly1305(), &figures[2]) : r;
	r = r == 0 ? bench_jpeg(1280, 720, &figures[3]) : r;
	r = r == 0 ? bench_jpeg(1920, 1080, &figures[4]) : r;
	if (r < 0) {
		(void)fprintf(stderr, "camgate: cannot measure: %s\n", strerror(-r));
		return r;
	}
	return tell(figures, sizeof figures / sizeof figures[0], json, out);
}
