/*
 * A wrapped key that nobody wrapped: points on and off the curve, seals of any length. None opens,
 * and what was to hold the key stays wiped. With the first byte even the encapsulated key is a real
 * one, spoilt where the fuzzer says.
 */
#include "hpke.h"
#include "script.h"

#include <errno.h>

enum { INFO_BYTES = 16, SEALED_MAX = 128 };

static struct key_pair recipient, sender;
static uint8_t good_enc[HPKE_ENC_BYTES], good_sealed[EPOCH_KEY_BYTES + HPKE_TAG_BYTES];
static const uint8_t info[INFO_BYTES] = "fuzzing", secret[EPOCH_KEY_BYTES] = "an epoch key";

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	if (key_pair_generate(&recipient) < 0 || key_pair_generate(&sender) < 0 ||
		hpke_seal_auth(&sender, recipient.public, info, sizeof(info), NULL, 0, secret,
			sizeof(secret), good_enc, good_sealed) < 0) {
		abort();
	}
	return 0;
}

static void open_it(
	const uint8_t *from, const uint8_t *enc, const uint8_t *sealed, size_t size, bool spoilt)
{
	uint8_t *out = malloc(size > 0 ? size : 1);
	int r;

	if (!out) {
		abort();
	}
	memset(out, 0, size > 0 ? size : 1);
	r = hpke_open_auth(&recipient, from, enc, info, sizeof(info), NULL, 0, sealed, size, out);
	if ((r == 0) == spoilt) {
		abort(); /* a forgery: far more likely a mistake of ours */
	}
	for (size_t i = 0; spoilt && i + HPKE_TAG_BYTES < size; i++) {
		if (out[i] != 0) {
			abort();
		}
	}
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct script s = {data, size};
	uint8_t enc[HPKE_ENC_BYTES], from[POINT_BYTES], sealed[sizeof(good_sealed)];
	bool spoilt = false;

	memcpy(enc, good_enc, sizeof(enc));
	memcpy(from, sender.public, sizeof(from));
	memcpy(sealed, good_sealed, sizeof(sealed));
	switch (script_u8(&s) % 4) {
	case 0:
		spoilt |= script_spoil(&s, enc, sizeof(enc));
		spoilt |= script_spoil(&s, from, sizeof(from));
		spoilt |= script_spoil(&s, sealed, sizeof(sealed));
		open_it(from, enc, sealed, sizeof(sealed), spoilt);
		break;
	case 1: {
		size_t sealed_size;
		uint8_t *any = script_bytes(&s, SEALED_MAX, &sealed_size);

		open_it(from, enc, any, sealed_size, true);
		free(any);
		break;
	}
	default:
		for (size_t i = 0; i < sizeof(enc); i++) {
			enc[i] = script_u8(&s);
		}
		for (size_t i = 0; i < sizeof(from) && s.left > 0; i++) {
			from[i] = script_u8(&s);
		}
		open_it(from, enc, sealed, sizeof(sealed), true);
		break;
	}
	return 0;
}
