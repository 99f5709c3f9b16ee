/*
 * What must hold, checked at the moment at which it could first be broken. The oracle believes
 * nobody: it knows what was captured, what was granted when, what a display asked for and what
 * passed before, and compares bytes.
 *
 * One thread. A property that does not hold ends the process with exit code 1, after one line that
 * names the invariant, the seed and the step.
 */
#ifndef CAMGATE_SIMULATION_ORACLE_H
#define CAMGATE_SIMULATION_ORACLE_H

#include "world.h"

enum { FLIGHTS_MAX = 8, TOLD_MAX = 8 };

/* One stream of one connection, as it should be. */
struct process_truth;

struct flow {
	uint16_t stream; /* 0: none */
	unsigned int body; /* that the display asked for, */
	uint64_t asked; /* and when */
	bool ended; /* taken back: nothing more may come */
	uint32_t told[TOLD_MAX]; /* epochs whose KEY was sent, oldest first */
	unsigned int told_count;
	uint32_t broken; /* epochs below this one may not be sent any more */
	uint32_t epoch; /* of the last frame that began, and its counter */
	uint64_t counter;
	bool began;
	uint32_t frame; /* its number */
	size_t offset; /* of it was sent */
	struct frame_truth truth; /* what it must be, bytes copied */
	uint64_t process; /* the one that it was given, */
	struct process_truth *given; /* if it is still known */
	uint32_t flights[FLIGHTS_MAX]; /* frames sent whole and not answered */
	unsigned int flights_count;
	unsigned int window; /* how many may be, at most */
};

/* One connection. */
struct view {
	uint64_t line; /* 0: none */
	unsigned int display, web;
	uint64_t connection; /* as the web process numbers it */
	struct flow flows[FLOWS];
};

_Noreturn void oracle_fail(const char *invariant, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void oracle_reset(void);

/* ---- who may see what, as committed ---- */
void oracle_granted(const uint8_t *display, const uint8_t *camera);
void oracle_revoked(const uint8_t *display, const uint8_t *camera); /* camera NULL: all */
void oracle_suspended(enum suspended what, const uint8_t *id, bool is);
bool oracle_is_suspended(unsigned int display); /* itself, or all of its kind */
/* It has the grant, and neither of them is suspended. */
bool oracle_may_see(unsigned int display, unsigned int body);

/* ---- cameras ---- */
void oracle_adopted(unsigned int body, const uint8_t camera[static CAMERA_ID_BYTES]);
/* BODIES: none that is known. */
unsigned int oracle_body_of(const uint8_t camera[static CAMERA_ID_BYTES]);
const uint8_t *oracle_camera_of(unsigned int body); /* NULL: not adopted yet */
/* A process that begins; its key pair's public part is how it is known. */
void oracle_process(
	unsigned int node, unsigned int body, const uint8_t *generation, const uint8_t *kem_public);
void oracle_process_ended(unsigned int node);
/* Writes the picture's text, which is what no one outside may read. */
size_t oracle_picture(unsigned int node, uint8_t *out, uint64_t capture_us);
void oracle_published(unsigned int node, uint64_t number, const uint8_t *bytes, size_t size);
/* Any bytes on their way from a camera process to the keeper. */
void oracle_camera_said(
	const uint8_t *bytes, size_t size, const uint8_t *key_now, const uint8_t *key_next);
void oracle_wrapped(const uint8_t *sender, const uint8_t *recipient, uint32_t epoch);

/* ---- the keeper's messages ---- */
void oracle_keeper_said(enum role role, unsigned int index, const uint8_t *bytes, size_t size);

/* ---- the web role ---- */
void oracle_connected(const struct line *l, uint64_t connection);
void oracle_disconnected(const struct line *l);
void oracle_wrote(const struct line *l, const uint8_t *bytes, size_t size);
void oracle_web_heard(const struct line *l, const uint8_t *bytes, size_t size);
/* What the web process did to a stream. epoch: earlier ones are void; UINT32_MAX: it has ended. */
void oracle_void(unsigned int web, uint64_t connection, uint16_t stream, uint32_t epoch);
struct buffer;
void oracle_buffer(const struct line *l, uint64_t connection, const struct buffer *b);

/* ---- displays ---- */
void oracle_asked(const struct line *l, uint16_t stream, const uint8_t *camera);
/* A message is there: counts what is delivered. */
void oracle_arrived(const uint8_t *bytes, size_t size);
struct display_picture;
void oracle_drawn(unsigned int display, const struct display_picture *p);

/* ---- memory (memory.c) ---- */
/* As malloc, and never refused. */
void *spared_malloc(size_t size);
/* The memory of a connection's buffer belongs to it from its first sight. */
void memory_claim(const uint8_t *memory, uint64_t line, uint16_t stream);
bool memory_is_zero(const uint8_t *memory, size_t size);
void memory_reset(void);
/* Buffers alive now. */
unsigned int memory_buffers(void);

#endif
