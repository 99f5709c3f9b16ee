/*
 * The mode that the owner configured for a camera, [camera NAME] in gateway/config.h.
 *
 * The camera role does not know yet what the keeper calls its camera, so a camera is named here by
 * what `camgate probe` says of it: CAMGATE_NAME, CAMGATE_ID, CAMGATE_VID_PID, or its device's path.
 */
#ifndef CAMGATE_WISH_H
#define CAMGATE_WISH_H

#include "config.h"
#include "device.h"

/* For this device. Reads /sys; opens nothing. NULL: there is none. */
const struct config_mode *wish_find(const struct config *config, const char *path);

/* Leaves in the list only modes of the wished size and the nearest rate to the wished one. Where
 * there are none, all stay; then, or where the rate is another, problem says so and is left alone
 * otherwise. Pure. */
void wish_apply(const struct config_mode *wish, struct mode_list *list,
	char problem[static DEVICE_PROBLEM_BYTES]);

#endif
