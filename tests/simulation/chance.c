#include "world.h"

#include <string.h>

/* splitmix64: one number of state, and every seed is a good one. */
static uint64_t state;

void chance_seed(uint64_t seed)
{
	state = seed;
}

uint64_t chance_bits(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

unsigned int chance_below(unsigned int n)
{
	return (unsigned int)(((chance_bits() >> 32) * n) >> 32);
}

bool chance_once_in(unsigned int n)
{
	return chance_below(n) == 0;
}

void chance_bytes(uint8_t *out, size_t size)
{
	while (size > 0) {
		uint64_t bits = chance_bits();
		size_t n = size < sizeof(bits) ? size : sizeof(bits);

		memcpy(out, &bits, n);
		out += n;
		size -= n;
	}
}
