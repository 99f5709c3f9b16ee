#!/bin/bash
# Runs inside the virtual hub (run.sh): `camgate run` captures from real kernel devices, and displays
# see the right pictures. Prints TAP.
#
#   /dev/video0..2   vivid, raw: single-planar red, multi-planar green, single-planar blue
#   /dev/video20     v4l2loopback: MJPEG of the test pattern, camera c0ffee20
#
# The machine is emulated and slow, and solid colours stand still (FROZEN, rightly): what is asked is which pictures come, not how many.
# shellcheck disable=SC2317 # the tests are called by name
set -uo pipefail

bin=/test
state=/var/lib/camgate
work=/run/hub-test
nodes=(0 1 2 20)
expected=(red green blue c0ffee20)
mkdir -p "$work"

log() {
	echo "# $*"
}

# within SECONDS COMMAND...: it succeeds before that. Long, for the machine may be slow: who asks for a thing that
# does not come waits so long, nobody else does.
within() {
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || { echo "not within time: $*"; return 1; }
		sleep 0.2
	done
}

# ---- devices ----

cameras_attach() {
	modprobe vivid n_devs=3 node_types=0x1,0x1,0x1 num_inputs=1,1,1 input_types=0,0,0 \
		multiplanar=1,2,1 || return 1
	modprobe v4l2loopback video_nr=20 card_label="Loop camera" exclusive_caps=1 || return 1
	udevadm settle
	# 7, 8, 9: all red, green, blue; no text on it.
	for n in 0 1 2; do
		v4l2-ctl -d "/dev/video$n" -c test_pattern=$((7 + n)) -c osd_text_mode=2 || return 1
	done
	"$bin/loopfeed" /dev/video20 640x480@10 c0ffee20 >"$work/loopfeed.log" 2>&1 &
	loopfeed=$!
	within 60 loop_has_begun
}

# With exclusive_caps the node is a camera from the first picture on; udev has to look again.
loop_has_begun() {
	udevadm trigger --action=change /dev/video20 && udevadm settle &&
		udevadm info /dev/video20 | grep 'ID_V4L_CAPABILITIES=.*:capture:'
}

# ---- camgate ----

hub_start() {
	"$bin/camgate" run --state "$state" --listen 127.0.0.1:8443 >"$work/camgate.log" 2>&1 &
	hub=$!
	within 120 grep '^listening on ' "$work/camgate.log"
}

camgate() {
	local command=$1
	shift
	"$bin/camgate" "$command" --state "$state" "$@"
}

# The id of the ready camera at a device: in the JSON, id comes before state, and that before source.
camera_id() {
	camgate cameras --json | awk -F'"' -v source="/dev/video$1" '
		$2 == "id" { id = $4 }
		$2 == "state" { state = $4 }
		$2 == "source" && $4 == source && state == "ready" { print id }'
}

cameras_are_all_ready() {
	local n
	ids=()
	for n in "${nodes[@]}"; do
		ids+=("$(camera_id "$n")")
		[ -n "${ids[-1]}" ] || return 1
	done
}

# display NAME CAMERAS: pairs a display, which watches from now on, and keeps what it shows.
display() {
	local link
	link=$(camgate pair --cameras "$2" --json | sed -n 's/.*"links":\["\([^"]*\)".*/\1/p')
	mkdir -p "$work/$1"
	"$bin/display" --link "$link" --keys "$work/$1.keys" --name "display $1" --unread --seconds 240 \
		--dump "$work/$1" >"$work/$1.log" 2>&1 &
	displaying=$!
}

# Of how many cameras it drew something so far, and how many pictures.
drew() {
	[ "$(grep -o '^frame  camera "[^"]*"' "$work/$1.log" | sort -u | wc -l)" -ge "$2" ] &&
		[ "$(find "$work/$1" -name '*.jpg' | wc -l)" -ge "$3" ]
}

# It ends, and says that nothing was foreign, mixed up or broken.
display_end() {
	kill -INT "$displaying"
	wait "$displaying" || return 1
	"$bin/picture" "$work/$1"/*.jpg >"$work/$1.pictures" 2>>"$work/$1.log" || return 1
	log "$1: $(sed 's/^[^ ]* //; s/ number.*//' "$work/$1.pictures" | sort | uniq -c | xargs)"
	tail -n 1 "$work/$1.log" | grep -q ' foreign 0  anomalies 0 '
}

# watch NAME CAMERAS: until it drew some of each.
watch() {
	local camera count=0
	# None of these can be told apart: they stay in quarantine until somebody says which is which.
	for camera in ${2//,/ }; do
		camgate confirm "$camera" >/dev/null 2>&1
		count=$((count + 1))
	done
	display "$1" "$2"
	within 180 drew "$1" "$count" $((3 * count)) && return 0
	display_end "$1"
	return 1
}

# Only pictures of one camera, and some.
shows_only() {
	watch "$1" "$2" && display_end "$1" && [ "$(wc -l <"$work/$1.pictures")" -ge 3 ] &&
		! grep -v -E "(colour|camera) $3( |\$)" "$work/$1.pictures"
}

# ---- tests ----

kernel_cameras_are_found_and_usable() {
	within 120 cameras_are_all_ready
}

devices_are_different_cameras() {
	[ "$(printf '%s\n' "${ids[@]}" | sort -u | wc -l)" = 4 ]
}

a_display_of_a_raw_single_planar_camera_sees_it_alone() {
	shows_only red "${ids[0]}" red
}

a_display_of_a_raw_multi_planar_camera_sees_it_alone() {
	shows_only green "${ids[1]}" green
}

a_display_of_its_twin_sees_that_one_alone() {
	shows_only blue "${ids[2]}" blue
}

a_display_of_an_mjpeg_camera_sees_it_alone() {
	shows_only loop "${ids[3]}" c0ffee20
}

a_display_of_all_four_sees_all_of_them() {
	watch all "$(IFS=,; echo "${ids[*]}")" && display_end all || return 1
	for what in "${expected[@]}"; do
		grep -q -E "(colour|camera) $what( |\$)" "$work/all.pictures" || return 1
	done
}

# O-MEM: pieces of what it saw last; the newest is being written.
pieces() {
	local files
	mapfile -t files < <(find "$work/memory" -name '*.jpg' | sort | tail -n 5 | head -n 4)
	"$bin/memory" 24 "$1" "${files[@]}"
}

no_process_but_the_cameras_and_the_displays_holds_a_picture() {
	local pid wrong=0 searched=0
	watch memory "${ids[3]}" || return 1
	[ "$(pieces "$displaying")" -gt 0 ] || { echo "the display's own are not found"; wrong=1; }
	for pid in $(pgrep -f '^(/test/)?camgate (run|keeper|web) '); do
		searched=$((searched + 1))
		[ "$(pieces "$pid")" = 0 ] || { tr '\0' ' ' <"/proc/$pid/cmdline"; wrong=1; }
	done
	display_end memory && [ "$wrong" = 0 ] && [ "$searched" = 3 ]
}

# These devices have neither serial numbers nor ports of their own: the owner has to confirm each, and
# nobody has yet.
all_does_not_mean_cameras_that_cannot_be_told_apart() {
	display none all
	within 120 grep '^welcome ' "$work/none.log"
	sleep 2 # for something to come that must not
	kill -INT "$displaying"
	wait "$displaying"
	# The test camera is there where no other was found soon enough.
	grep '^welcome ' "$work/none.log" && ! grep '^camera .* test false' "$work/none.log" &&
		! grep '^frame ' "$work/none.log" | grep -v '^frame  camera "Test camera" '
}

a_buffer_that_the_driver_flags_is_dropped_and_counted() {
	watch flagged "${ids[0]}" && within 60 flagged_is_counted && display_end flagged &&
		! grep -v 'colour red$' "$work/flagged.pictures"
}

flagged_is_counted() {
	v4l2-ctl -d /dev/video0 -c inject_v4l2_buf_flag_error=1 || return 1
	camgate cameras --json | awk -F'[:,]' '/"error_flag"/ { sum += $2 } END { exit sum < 1 }'
}

unplugged_cameras_go_offline() {
	echo vivid.0 >/sys/bus/platform/drivers/vivid/unbind
	within 60 only_the_loop_is_left
}

only_the_loop_is_left() {
	[ -z "$(camera_id 0)$(camera_id 1)$(camera_id 2)" ] && [ -n "$(camera_id 20)" ]
}

roles_are_sandboxed() {
	[ "$(grep -c 'no core dumps' "$work/camgate.log")" -ge 6 ] && grep -q seccomp "$work/camgate.log"
}

hub_is_gone() {
	! kill -0 "$hub"
}

it_ends_cleanly() {
	kill -TERM "$hub"
	within 30 hub_is_gone && wait "$hub" && ! pgrep -x camgate >/dev/null
}

tests=(
	kernel_cameras_are_found_and_usable
	devices_are_different_cameras
	all_does_not_mean_cameras_that_cannot_be_told_apart
	a_display_of_a_raw_single_planar_camera_sees_it_alone
	a_display_of_a_raw_multi_planar_camera_sees_it_alone
	a_display_of_its_twin_sees_that_one_alone
	a_display_of_an_mjpeg_camera_sees_it_alone
	a_display_of_all_four_sees_all_of_them
	a_buffer_that_the_driver_flags_is_dropped_and_counted
	no_process_but_the_cameras_and_the_displays_holds_a_picture
	roles_are_sandboxed
	unplugged_cameras_go_offline
	it_ends_cleanly
)

log "kernel $(uname -r), $(cut -d. -f1 /proc/uptime) s after its start"
if ! cameras_attach >"$work/attach.log" 2>&1; then
	cat "$work/attach.log"
	exit 1
fi
if ! hub_start; then
	cat "$work/camgate.log"
	exit 1
fi
failed=0
number=0
for test in "${tests[@]}"; do
	number=$((number + 1))
	if "$test" >"$work/out" 2>&1; then
		grep '^#' "$work/out"
		echo "ok $number - $test"
	else
		sed 's/^/# /' "$work/out"
		echo "not ok $number - $test"
		failed=1
	fi
done
kill "$loopfeed" 2>/dev/null
echo "1..$number"
if [ "$failed" = 1 ]; then
	for file in attach loopfeed camgate red green blue loop all none flagged memory; do
		echo "# ---- $file.log"
		tail -n 40 "$work/$file.log" 2>/dev/null | sed 's/^/# /'
	done
	v4l2-ctl --list-devices 2>&1 | sed 's/^/# /'
	camgate cameras 2>&1 | sed 's/^/# /'
fi
log "$(cut -d. -f1 /proc/uptime) s after the machine's start"
exit "$failed"
