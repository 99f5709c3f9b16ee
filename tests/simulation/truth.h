/* What the oracle's two halves (oracle.c: cameras and keeper, rights.c: grants, views.c: web role
 * and displays) tell each other. */
#ifndef CAMGATE_SIMULATION_TRUTH_H
#define CAMGATE_SIMULATION_TRUTH_H

#include "oracle.h"

enum { PROCESSES = 32, KEYS_KEPT = 16, PICTURE_TRUTH_AT = 21 };

/* A camera process, also for a while after its end. */
struct process_truth {
	uint64_t number; /* 0: none */
	unsigned int body;
	uint8_t generation[GENERATION_BYTES];
	uint8_t kem_public[POINT_BYTES];
	uint64_t pictures, published;
	uint32_t epoch; /* of the newest frame */
	uint64_t counter;
	struct frame_truth past[PAST];
	uint32_t keys[DISPLAYS][KEYS_KEPT]; /* epochs whose key was wrapped for whom */
	unsigned int keys_made[DISPLAYS];
};

/* Stands in every picture, in the clear. */
struct picture_truth {
	char canary[24];
	uint32_t body, granted; /* who may see it, bit by bit */
	uint64_t process, number, capture_us, step;
};

struct process_truth *truth_process(const uint8_t generation[static GENERATION_BYTES]);
/* It was captured without a right to it, and there was none since: a new grant, or the end of a
 * suspension, is good for the epoch in force, and so for the newest frame. */
bool truth_is_withheld(unsigned int display, unsigned int body, uint32_t granted, uint64_t step);
uint64_t truth_revoked_us(unsigned int display, unsigned int body);

struct view *view_find(unsigned int web, uint64_t connection);
struct flow *view_flow(struct view *v, uint16_t stream);
void views_reset(void);
void rights_reset(void);
void drawn_reset(void);

#endif
