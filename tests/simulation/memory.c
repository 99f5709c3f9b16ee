/*
 * Allocations of the product's code (--wrap): every buffer of a connection is known by its kind of
 * size from its first byte, must be wiped when it is freed, and belongs to one stream for its life.
 * When told to, some allocations fail.
 */
#include "oracle.h"

#include "web/buffer.h"

#include <string.h>

enum { BUFFERS_MAX = 512 };

static struct {
	const uint8_t *memory;
	size_t size;
	uint64_t line; /* 0: nobody's yet */
	uint16_t stream;
} buffers[BUFFERS_MAX];
static unsigned int count;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void __real_free(void *p);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void __wrap_free(void *p);

void *spared_malloc(size_t size)
{
	void *p = __real_malloc(size);

	if (!p) {
		oracle_fail("simulation", "out of memory");
	}
	return p;
}

static bool refuses(void)
{
	if (world.allocations_every == 0 || !chance_once_in(world.allocations_every)) {
		return false;
	}
	world.refused_memory++;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return refuses() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	uint8_t *p = refuses() ? NULL : __real_calloc(n, size);

	if (p && n == 1 && size > 0 && size % BUFFER_STEP_BYTES == 0) {
		if (count == BUFFERS_MAX) {
			oracle_fail("I5", "more than %u buffers at once", count);
		}
		buffers[count].memory = p;
		buffers[count].line = 0;
		buffers[count++].size = size;
	}
	return p;
}

void __wrap_free(void *p)
{
	for (unsigned int i = 0; p && i < count; i++) {
		if (buffers[i].memory == p) {
			if (!memory_is_zero(p, buffers[i].size)) {
				oracle_fail("I5", "a buffer of %zu bytes is freed unwiped",
					buffers[i].size);
			}
			buffers[i] = buffers[--count];
			break;
		}
	}
	__real_free(p);
}

bool memory_is_zero(const uint8_t *memory, size_t size)
{
	return size == 0 || (memory[0] == 0 && memcmp(memory, memory + 1, size - 1) == 0);
}

void memory_claim(const uint8_t *memory, uint64_t line, uint16_t stream)
{
	for (unsigned int i = 0; i < count; i++) {
		if (buffers[i].memory != memory) {
			continue;
		}
		if (buffers[i].line == 0) {
			buffers[i].line = line;
			buffers[i].stream = stream;
		}
		if (buffers[i].line != line || buffers[i].stream != stream) {
			oracle_fail("I5",
				"stream %u of connection %u uses the buffer of stream %u "
				"of connection %u",
				stream, (unsigned int)line, buffers[i].stream,
				(unsigned int)buffers[i].line);
		}
		return;
	}
	oracle_fail("I5", "a buffer that was never allocated");
}

void memory_reset(void)
{
	if (count > 0) {
		oracle_fail("I5", "%u buffers are left when all connections have gone", count);
	}
}

unsigned int memory_buffers(void)
{
	return count;
}
