#include "stage.h"

#include <string.h>

/* The accident of a mixed-up frame needs all of these gone before a display draws it. */
#define DISPLAY_LIFTED "camera,seal,counter"

const struct replay replays[] = {
	{
		.name = "swapped-buffers",
		.incident = "Two sessions' buffers swapped (Nest Hub 2020, GitHub 2021)",
		.place = "web/stream.c",
		.faults = "swapped-buffers",
		.lifted = {"buffer-tag,frame," DISPLAY_LIFTED, "buffer-tag,frame", ""},
		.stopped_by = "the buffer's tag; the tile's camera; the seal",
		.alarm = {ALARM_NONE, ALARM_DISPLAY, ALARM_HUB},
		.play = scene_two,
	},
	{
		.name = "unwiped-buffer",
		.incident = "A pooled buffer reused unwiped for a shorter copy (Nest Hub 2020)",
		.place = "web/buffer.c",
		.faults = "unwiped-buffer",
		.lifted = {"buffer-wipe,seal,picture", "buffer-wipe", ""},
		.stopped_by = "the wipe; the seal",
		.alarm = {ALARM_NONE, ALARM_DISPLAY, ALARM_DISPLAY},
		.play = scene_two,
	},
	{
		.name = "cache-by-index",
		.incident = "A cache keyed by a place in a list (Wyze 2024)",
		.place = "web/feed.c",
		.faults = "cache-by-index",
		.lifted = {"give,frame," DISPLAY_LIFTED, "give,frame", ""},
		.stopped_by = "the check of what was given; the frame's camera; the seal",
		.alarm = {ALARM_NONE, ALARM_DISPLAY, ALARM_HUB},
		.play = scene_two,
	},
	{
		.name = "cache-by-url",
		.incident = "A cache keyed by what the client calls it (Wyze 2023, go2rtc)",
		.place = "web/stream.c",
		.faults = "cache-by-url",
		.lifted = {"frame," DISPLAY_LIFTED, "frame", ""},
		.stopped_by = "the frame's camera; the tile's camera; the seal",
		.alarm = {ALARM_NONE, ALARM_DISPLAY, ALARM_HUB},
		.play = scene_two,
	},
	{
		.name = "cache-by-size",
		.incident = "A cache keyed by size",
		.place = "web/stream.c",
		.faults = "cache-by-size",
		.lifted = {"frame," DISPLAY_LIFTED, "frame", ""},
		.stopped_by = "the frame's camera; the tile's camera; the seal",
		.alarm = {ALARM_NONE, ALARM_DISPLAY, ALARM_HUB},
		.play = scene_two,
	},
	{
		.name = "grant-of-neighbour",
		.incident = "A cached look-up returns the neighbour's row (Wyze 2024)",
		.place = "gateway/store_camera.c, registry_stream.c",
		.faults = "grant-of-neighbour",
		.lifted = {"grant", NULL, ""},
		.stopped_by = "the grant, read again for each key",
		.alarm = {ALARM_NONE, ALARM_NONE, ALARM_NONE},
		.play = scene_two,
		.happened = happened_refused,
	},
	{
		.name = "sessions-swapped",
		.incident = "Sessions bound to each other's account on reconnect (Eufy 2021)",
		.place = "web/orders.c",
		.faults = "sessions-swapped",
		.lifted = {DISPLAY_LIFTED, NULL, ""},
		.stopped_by = "the tile's camera; the seal",
		.alarm = {ALARM_NONE, ALARM_NONE, ALARM_DISPLAY},
		.play = scene_reconnect,
	},
	{
		.name = "reply-to-next",
		.incident = "A reply delivered to the next request (ChatGPT 2023)",
		.place = "web/stream.c",
		.faults = "reply-to-next",
		.lifted = {"frame," DISPLAY_LIFTED, "frame", ""},
		.stopped_by = "the frame's camera; the tile's camera; the seal",
		.alarm = {ALARM_NONE, ALARM_DISPLAY, ALARM_HUB},
		.play = scene_next,
	},
	{
		.name = "key-to-next",
		.incident =
			"The same with keys, and the sessions swapped (ChatGPT 2023, Eufy 2021)",
		.place = "gateway/registry_key.c, web/orders.c",
		.faults = "key-to-next,sessions-swapped",
		.lifted = {"key,age," DISPLAY_LIFTED, NULL, ""},
		.stopped_by = "a key opens for one display, session and question",
		.alarm = {ALARM_NONE, ALARM_NONE, ALARM_DISPLAY},
		.play = scene_reconnect,
	},
	{
		.name = "length-plus-n",
		.incident = "A length field + n sends what lies behind (Cloudbleed 2017)",
		.place = "web/stream.c",
		.faults = "length-plus-n",
		.lifted = {"buffer-wipe,seal,picture", "buffer-wipe", ""},
		.stopped_by = "the wipe; the seal; no picture lies there to be read",
		.oracle = ORACLE_WIRE,
		.alarm = {ALARM_NONE, ALARM_DISPLAY, ALARM_DISPLAY},
		.play = scene_two,
	},
	{
		.name = "readable-memory",
		.incident = "Pictures readable in the network's process (Cloudbleed 2017)",
		.place = "-",
		.faults = "",
		.lifted = {"seal", NULL, ""},
		.stopped_by = "the web role holds sealed frames only",
		.oracle = ORACLE_MEM,
		.alarm = {ALARM_NONE, ALARM_NONE, ALARM_NONE},
		.play = scene_one,
		.happened = happened_drawn,
	},
	{
		.name = "old-on-timeout",
		.incident = "The old frame served on timeout, stamped anew (uStreamer)",
		.place = "web/stream.c",
		.faults = "old-on-timeout",
		.lifted = {"seal,counter", NULL, ""},
		.stopped_by = "the counter; the capture time is under the seal",
		.oracle = ORACLE_FRESH,
		.alarm = {ALARM_NONE, ALARM_NONE, ALARM_DISPLAY},
		.play = scene_one,
	},
	{
		.name = "queued",
		.incident = "A picture from before, with the label \"live\" (Nest 2022)",
		.place = "web/stream.c",
		.faults = "queued",
		.lifted = {"age", NULL, ""},
		.stopped_by = "the display measures the age: it is not shown as live",
		.oracle = ORACLE_FRESH,
		.alarm = {ALARM_NONE, ALARM_NONE, ALARM_NONE},
		.play = scene_one,
		.happened = happened_aged,
	},
	{
		.name = "short-buffer",
		.incident = "A short camera buffer, completed by an older frame (mjpg-streamer)",
		.place = "v4l2/capture.c",
		.faults = "short-buffer",
		.lifted = {"camera-wipe", NULL, ""},
		.stopped_by = "buffers go back to the driver wiped; a JPEG must end as one",
		.alarm = {ALARM_NONE, ALARM_NONE, ALARM_NONE},
		.play = scene_short,
		.happened = happened_dropped,
	},
	{
		.name = "name-prefix",
		.incident = "\"Door\" matched by prefix finds \"Door yard\" (the class in general)",
		.place = "gateway/registry.c",
		.faults = "name-prefix",
		.lifted = {"grant,give,frame,key,age," DISPLAY_LIFTED, NULL, ""},
		.stopped_by = "the grant of the camera that would wrap; what was given",
		.alarm = {ALARM_NONE, ALARM_NONE, ALARM_HUB},
		.play = scene_prefix,
	},
	{
		.name = "names-swapped",
		.incident = "Two names swapped in the camera list",
		.place = "web/session.c",
		.faults = "names-swapped",
		.lifted = {"signature", NULL, ""},
		.stopped_by = "names are signed by the hub; the display hangs up",
		.alarm = {ALARM_NONE, ALARM_NONE, ALARM_NONE},
		.play = scene_names,
		.happened = happened_closed,
	},
	{
		.name = "renditions-crossed",
		.incident =
			"Two renditions of a camera crossed (only one exists: its number changed)",
		.place = "v4l2/publish.c",
		.faults = "renditions-crossed",
		.lifted = {"frame,camera", "frame", ""},
		.stopped_by = "the frame's rendition, in the web role and in the tile",
		.alarm = {ALARM_NONE, ALARM_DISPLAY, ALARM_HUB},
		.play = scene_one,
	},
	{
		.name = "revoke-forgotten",
		.incident = "One path forgot the revoke (Nest/Wink 2019, Ring 2018)",
		.place = "gateway/registry_revoke.c",
		.faults = "revoke-forgotten",
		.lifted = {"rotation", NULL, ""},
		.stopped_by = "the camera's key changes; no grant, no key",
		.oracle = ORACLE_AUDIT,
		.alarm = {ALARM_NONE, ALARM_NONE, ALARM_NONE},
		.play = scene_revoke,
		.happened = happened_ended,
	},
};

const size_t replays_count = sizeof(replays) / sizeof(replays[0]);

const char *oracle_name(enum replay_oracle o)
{
	static const char *const names[ORACLES] = {
		"O-PIX", "O-FRESH", "O-WIRE", "O-MEM", "O-AUDIT"};
	return names[o];
}

const char *alarm_name(enum replay_alarm a)
{
	static const char *const names[] = {"-", "hub", "display"};
	return names[a];
}

const struct replay *replay_find(const char *name)
{
	for (size_t i = 0; i < replays_count; i++) {
		if (strcmp(replays[i].name, name) == 0) {
			return &replays[i];
		}
	}
	return NULL;
}
