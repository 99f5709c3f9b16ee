/*
 * One accident of another product, replayed here: what is broken on purpose, what is taken away so
 * that it can be seen, and who must notice.
 *
 * Each replay is a process of its own (`incidents --play NAME RUN`), because the fault is chosen by
 * the environment before main, in the displays and in the hub alike.
 */
#ifndef CAMGATE_TESTS_REPLAY_H
#define CAMGATE_TESTS_REPLAY_H

#include <stdbool.h>
#include <stddef.h>

enum replay_run {
	RUN_SEEN, /* protections lifted: the oracle must see the accident */
	RUN_HALF, /* the hub's own protections lifted: the display's must do */
	RUN_SHIPPED, /* the fault alone */
	RUNS,
};

/* Who raises I13's alarm. */
enum replay_alarm {
	ALARM_NONE, /* it is refused or dark, and that is no mix-up */
	ALARM_HUB, /* the web role holds the frame back */
	ALARM_DISPLAY, /* the display refuses and reports it, the camera's key changes */
};

enum replay_oracle { ORACLE_PIX, ORACLE_FRESH, ORACLE_WIRE, ORACLE_MEM, ORACLE_AUDIT, ORACLES };

/* What the oracles counted in one run. */
struct findings {
	unsigned int seen[ORACLES]; /* by enum replay_oracle */
	unsigned int drawn; /* pictures, right or wrong */
	unsigned int alarms[ALARM_DISPLAY + 1]; /* by enum replay_alarm */
	bool blind; /* the oracle may not look: nothing is shown */
	bool happened; /* the fault took place: the alarm, or what shows it */
};

struct stage; /* stage.h */

struct replay {
	const char *name;
	const char *incident; /* what it was in the world */
	const char *place; /* of the fault */
	const char *faults; /* names in tests/incidents/fault.c */
	const char *lifted[RUNS]; /* NULL: this run is left out */
	const char *stopped_by; /* for people */
	enum replay_oracle oracle; /* must see it when the protections are lifted */
	enum replay_alarm alarm[RUNS];
	void (*play)(struct stage *s); /* sets the scene */
	/* Where no alarm tells that the fault took place. */
	bool (*happened)(struct stage *s);
};

extern const struct replay replays[];
extern const size_t replays_count;

const char *oracle_name(enum replay_oracle o);
const char *alarm_name(enum replay_alarm a);
const struct replay *replay_find(const char *name);

#endif
