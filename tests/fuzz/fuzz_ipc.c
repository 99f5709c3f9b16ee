/*
 * Every parser of messages between the roles: the first byte picks one, the rest are the fields.
 * What a parser takes must be exactly what its encoder writes.
 */
#include "ipc.h"

#include <stdlib.h>
#include <string.h>

enum { PARSERS = 24 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CASE(number, name)                                                                         \
	case number: {                                                                             \
		static struct ipc_##name x;                                                        \
		if (ipc_parse_##name(m, &x) < 0) {                                                 \
			return -1;                                                                 \
		}                                                                                  \
		return ipc_encode_##name(&x, out, IPC_MESSAGE_MAX_BYTES);                          \
	}
#define CASE_SHARED(number, name)                                                                  \
	case number: {                                                                             \
		struct ipc_##name x;                                                               \
		if (ipc_parse_##name(m, &x) < 0) {                                                 \
			return -1;                                                                 \
		}                                                                                  \
		return ipc_encode_##name(m->type, &x, out, IPC_MESSAGE_MAX_BYTES);                 \
	}

/* Parses and encodes again. Returns the bytes written, or -1 if the message was refused. */
static ssize_t message_again(const struct ipc_message *m, uint8_t *out)
{
	switch (m->type % PARSERS) {
		CASE(0, camera_hello)
		CASE_SHARED(1, reader)
		CASE(2, wrapped)
		CASE(3, rotated)
		CASE(4, camera_status)
		CASE(5, adopted)
		CASE(6, turned_away)
		CASE(7, demand)
		CASE(8, wrap)
		CASE_SHARED(9, request)
		CASE(10, web_hello)
		CASE(11, opened)
		CASE_SHARED(12, relay)
		CASE_SHARED(13, connection)
		CASE(14, counts)
		CASE_SHARED(15, stream)
		CASE(16, web_config)
		CASE(17, tell_key)
		CASE(18, give)
		CASE(19, cut)
		CASE(20, ring)
		CASE(21, ring_gone)
		CASE(22, sandbox)
		CASE(23, refusals)
	default:
		return -1;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t out[IPC_MESSAGE_MAX_BYTES];
	struct ipc_message m = {.descriptors = {-1, -1}};
	ssize_t n;

	if (size < 1 || size > IPC_MESSAGE_MAX_BYTES) {
		return 0;
	}
	m.type = data[0];
	m.fields = data + 1;
	m.fields_size = size - 1;
	n = message_again(&m, out);
	if (n >= 0 && ((size_t)n != size || memcmp(out + 1, data + 1, size - 1) != 0)) {
		abort();
	}
	return 0;
}
