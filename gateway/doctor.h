/*
 * `camgate doctor`: looks at everything that a hub needs, and says of each ok, or what to do.
 *
 * Asks the gateway when one runs, and looks for itself at the rest; changes nothing. Functions
 * named doctor_judge_x are pure: they are told what was found, and write a line. One thread.
 */
#ifndef CAMGATE_DOCTOR_H
#define CAMGATE_DOCTOR_H

#include "address.h"
#include "config.h"
#include "options.h"

#include <jansson.h>
#include <openssl/x509.h>
#include <stdint.h>
#include <stdio.h>

enum {
	DOCTOR_LINES_MAX = 160,
	DOCTOR_SUBJECT_BYTES = 24,
	DOCTOR_TEXT_BYTES = 384,
	DOCTOR_TODO_BYTES = 256,
	DOCTOR_NODES_MAX = 64,
};

enum doctor_verdict {
	DOCTOR_OK,
	DOCTOR_NOTE, /* works, but not as well as it could, or could not be looked at */
	DOCTOR_WRONG, /* the exit code is 1 */
};

struct doctor_line {
	enum doctor_verdict verdict;
	char subject[DOCTOR_SUBJECT_BYTES];
	char text[DOCTOR_TEXT_BYTES];
	char todo[DOCTOR_TODO_BYTES]; /* empty if there is nothing to do */
};

struct doctor {
	const struct options *options; /* borrowed, as the next two */
	const json_t *status; /* what the gateway says; NULL when none could be asked */
	const json_t *cameras;
	bool denied; /* one runs, and we may not ask it */
	struct config config;
	bool wrong;
	unsigned int count;
	struct doctor_line lines[DOCTOR_LINES_MAX];
};

/* todo NULL: nothing. */
void doctor_say(struct doctor *d, const char *subject, enum doctor_verdict verdict,
	const char *todo, const char *format, ...) __attribute__((format(printf, 5, 6)));
void doctor_print(const struct doctor *d, FILE *out);
/* {"ok":BOOL,"lines":[{"subject","state":"ok"|"note"|"wrong","text","to_do"}]}; NULL: no memory. */
json_t *doctor_json(const struct doctor *d);

/* ---- the parts, in the order in which they are told ---- */

void doctor_gateway(struct doctor *d);
void doctor_config(struct doctor *d, const char *path);
void doctor_cameras(struct doctor *d);
void doctor_permissions(struct doctor *d);
void doctor_network(struct doctor *d);
void doctor_clock(struct doctor *d);
void doctor_memory(struct doctor *d);
void doctor_state(struct doctor *d);
/* Measures, at most 20 s, and prints. 0 or -errno. */
int doctor_bench(bool json, FILE *out);

/* ---- pure ---- */

/* One element of the gateway's answer to "cameras". */
void doctor_judge_camera(struct doctor *d, const json_t *camera);
/* What a role says of its sandbox. */
void doctor_judge_sandbox(struct doctor *d, const char *role, const char *report);
/* now_s: wall clock. synchronised: by the kernel's word. */
void doctor_judge_clock(struct doctor *d, int64_t now_s, bool synchronised);
/* Validity at now_s, and whether it names all hosts. */
void doctor_judge_certificate(
	struct doctor *d, X509 *certificate, const struct address_list *hosts, int64_t now_s);
void doctor_judge_space(struct doctor *d, const char *path, uint64_t free_bytes);
/* limit: RLIMIT_MEMLOCK. */
void doctor_judge_memory(struct doctor *d, uint64_t limit_bytes);
/* Whether the running hub listens where the file says; configured may be empty. */
void doctor_judge_listen(struct doctor *d, const char *configured, const char *listening);
/* hosts: what links would begin with. */
void doctor_judge_addresses(struct doctor *d, const struct address_list *hosts, unsigned int port);

#endif
