/*
 * simulate [--seed S] [--deliveries N] [--steps N] [--trace]   one seed, for as long as told
 * simulate --total N [--each N] [--seed S] [--state FILE]   many seeds, until N deliveries in all
 * simulate --sum FILE...                                          what is in these files
 *
 * Prints what it did; a property that does not hold ends it with exit code 1 and a line that names
 * the invariant, the seed and the step. The same seed is the same run.
 */
#include "oracle.h"

#include <getopt.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { EACH = 20000 };

struct wish {
	uint64_t seed, deliveries, steps, total, each;
	const char *state; /* where a long run notes how far it is; NULL: nowhere */
	bool sum;
};

struct sums {
	uint64_t seeds, steps, deliveries, drawn, frames, revokes, suspensions, keys, rotations,
		writes, memory;
};

static void add(struct sums *s)
{
	s->seeds++;
	s->steps += world.step;
	s->deliveries += world.deliveries;
	s->drawn += world.drawn;
	s->frames += world.frames;
	s->revokes += world.revokes;
	s->suspensions += world.suspensions;
	s->keys += world.keys;
	s->rotations += world.rotations;
	s->writes += world.refused_writes;
	s->memory += world.refused_memory;
}

static void print(const struct sums *s)
{
	printf("simulated %" PRIu64 " deliveries (%" PRIu64 " drawn) of %" PRIu64
	       " frames in %" PRIu64 " steps of %" PRIu64 " seeds: %" PRIu64 " revokes, %" PRIu64
	       " suspensions, %" PRIu64 " rotations, %" PRIu64 " keys wrapped, %" PRIu64
	       " writes and %" PRIu64 " allocations refused; every property held\n",
		s->deliveries, s->drawn, s->frames, s->steps, s->seeds, s->revokes, s->suspensions,
		s->rotations, s->keys, s->writes, s->memory);
}

/* One line: the next seed, then the sums. */
static void load(const char *path, uint64_t *seed, struct sums *s)
{
	FILE *f = path ? fopen(path, "r") : NULL;

	if (!f) {
		return;
	}
	if (fscanf(f,
		    "%" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
		    " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64,
		    seed, &s->seeds, &s->steps, &s->deliveries, &s->drawn, &s->frames, &s->revokes,
		    &s->suspensions, &s->keys, &s->rotations, &s->writes, &s->memory) != 12) {
		fprintf(stderr, "simulate: %s is no state of a run; remove it to begin anew\n",
			path);
		exit(2);
	}
	(void)fclose(f);
}

static void save(const char *path, uint64_t seed, const struct sums *s)
{
	char other[4096];
	FILE *f;

	if (!path) {
		return;
	}
	(void)snprintf(other, sizeof(other), "%s.new", path);
	f = fopen(other, "w");
	if (!f ||
		fprintf(f,
			"%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
			" %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
			"\n",
			seed, s->seeds, s->steps, s->deliveries, s->drawn, s->frames, s->revokes,
			s->suspensions, s->keys, s->rotations, s->writes, s->memory) < 0 ||
		fclose(f) != 0 || rename(other, path) < 0) {
		perror(path);
		exit(2);
	}
}

static void print_sum(char **paths, int count)
{
	struct sums all = {0}, one;
	uint64_t *to = (uint64_t *)&all, *from = (uint64_t *)&one, seed;

	for (int i = 0; i < count; i++) {
		one = (struct sums){0};
		load(paths[i], &seed, &one);
		for (size_t j = 0; j < sizeof(all) / sizeof(*to); j++) {
			to[j] += from[j];
		}
	}
	print(&all);
}

static void run_many(const struct wish *w)
{
	struct sums sums = {0};
	uint64_t seed = w->seed;

	load(w->state, &seed, &sums);
	while (sums.deliveries < w->total) {
		world_run(seed, w->each, UINT64_MAX);
		add(&sums);
		save(w->state, ++seed, &sums);
	}
	print(&sums);
}

static uint64_t number(const char *text)
{
	char *end;
	double value = strtod(text, &end);

	if (*end || end == text || value < 0) {
		fprintf(stderr, "simulate: \"%s\" is no number\n", text);
		exit(2);
	}
	/* A seed has all its digits, a count may be 1e8. */
	return strpbrk(text, "eE.") ? (uint64_t)value : strtoull(text, NULL, 10);
}

static void parse(int argc, char **argv, struct wish *w)
{
	static const struct option options[] = {{"seed", required_argument, NULL, 's'},
		{"deliveries", required_argument, NULL, 'd'},
		{"steps", required_argument, NULL, 'n'}, {"total", required_argument, NULL, 't'},
		{"each", required_argument, NULL, 'e'}, {"state", required_argument, NULL, 'f'},
		{"allocations", required_argument, NULL, 'm'}, {"trace", no_argument, NULL, 'v'},
		{"sum", no_argument, NULL, '+'}, {0}};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		switch (c) {
		case 's':
			w->seed = number(optarg);
			break;
		case 'd':
			w->deliveries = number(optarg);
			break;
		case 'n':
			w->steps = number(optarg);
			break;
		case 't':
			w->total = number(optarg);
			break;
		case 'e':
			w->each = number(optarg);
			break;
		case 'f':
			w->state = optarg;
			break;
		case 'm':
			world.allocations_every = (unsigned int)number(optarg);
			break;
		case '+':
			w->sum = true;
			break;
		case 'v':
			world.trace = true;
			break;
		default:
			exit(2);
		}
	}
}

int main(int argc, char **argv)
{
	struct wish w = {.seed = 1, .deliveries = EACH, .steps = UINT64_MAX, .each = EACH};
	struct sums sums = {0};

	parse(argc, argv, &w);
	if (w.sum) {
		print_sum(argv + optind, argc - optind);
		return 0;
	}
	if (CRYPTO_secure_malloc_init(1 << 20, 16) == 0) {
		fprintf(stderr, "simulate: no secure heap\n");
		return 2;
	}
	if (w.total > 0) {
		run_many(&w);
	} else {
		world_run(w.seed, w.deliveries, w.steps);
		add(&sums);
		print(&sums);
	}
	/* What gcov allocates at the end of a program is not the product's. */
	world.allocations_every = 0;
	return 0;
}
