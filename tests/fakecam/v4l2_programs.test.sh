#!/bin/bash
# v4l2-ctl, which knows nothing of us, streams from fake cameras, and what it gets is right.
# shellcheck disable=SC2317 # the tests are called by name
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/tap.sh
. "$here/../tap.sh"
build=$(dirname "${CAMGATE:-$here/../../build/camgate}")
command -v v4l2-ctl >/dev/null || { echo "# v4l2-ctl (v4l-utils) is not installed"; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
tap_begin "$tmp/log"
export FAKECAM=$tmp/cameras

cat >"$FAKECAM" <<'END'
video0 card="HD Webcam" usb=046d:0825 modes=MJPG:1280x720@30/15,MJPG:640x480@60,YUYV:640x480@30
video1 card=Raw modes=GREY:640x480@60 tag=12345678
video2 card=Multi kind=mplane modes=NM12:640x480@60,YM12:640x480@60
video3 card=Poor modes=MJPG:640x480@60 faults=error/5,unplug/30
video4 card=Locked faults=permission
video5 card=Codec kind=m2m
video6 card=Large modes=MJPG:1280x720@30 set=4 bytes=150000
END

# A program under the library; the rest of this script must not be.
with() {
	LD_PRELOAD=$build/tests/fakecam/libfakecam.so timeout 20 "$@"
}

stream() {
	with v4l2-ctl -d "/dev/video$1" --stream-mmap --stream-count="$2" --stream-to="$tmp/$1" \
		"${@:3}" >"$tmp/log" 2>&1
}

mjpeg_carries_the_code() {
	stream 0 20 && "$build/tests/hub/picture" "$tmp/0" >"$tmp/log" &&
		grep -q '1280x720 camera fa000000 number' "$tmp/log"
}

formats_can_be_chosen() {
	stream 0 5 --set-fmt-video=width=640,height=480,pixelformat=YUYV &&
		[ "$(stat -c %s "$tmp/0")" = $((5 * 640 * 480 * 2)) ]
}

frames_come_at_their_pace() {
	local start end
	start=$(date +%s%N)
	stream 1 60
	end=$(date +%s%N)
	echo "60 frames took $(((end - start) / 1000000)) ms" >>"$tmp/log"
	[ $(((end - start) / 1000000)) -ge 950 ] && [ $(((end - start) / 1000000)) -le 2500 ]
}

planes_come_apart() {
	stream 2 5 && [ "$(stat -c %s "$tmp/2")" = $((5 * 640 * 480 * 3 / 2)) ]
}

an_unplugged_device_ends_the_stream_and_is_gone() {
	stream 3 1000
	grep -q 'VIDIOC_DQBUF: failed: No such device' "$tmp/log" &&
		! with v4l2-ctl -d /dev/video3 -D >>"$tmp/log" 2>&1
}

a_locked_device_cannot_be_opened() {
	! with v4l2-ctl -d /dev/video4 -D >"$tmp/log" 2>&1 && grep -q 'Permission denied' "$tmp/log"
}

a_codec_is_no_camera() {
	with v4l2-ctl -d /dev/video5 -D >"$tmp/log" 2>&1 &&
		grep -q 'Video Memory-to-Memory' "$tmp/log" && ! grep -q 'Video Capture$' "$tmp/log"
}

pictures_encoded_before_are_as_large_as_wanted() {
	stream 6 8 && [ "$(stat -c %s "$tmp/6")" -ge $((8 * 150000)) ] &&
		[ "$(grep -aoc 'fakecam tag=fa000006' "$tmp/6")" -ge 1 ]
}

drivers_end_with_the_last_descriptor() {
	sleep 0.2
	for driver in /proc/[0-9]*; do
		if tr '\0' '\n' 2>/dev/null <"$driver/environ" | grep -qx "FAKECAM=$FAKECAM" &&
			[ "$(cat "$driver/comm")" = driver ]; then
			echo "$driver is still there" >"$tmp/log"
			return 1
		fi
	done
}

for test in mjpeg_carries_the_code formats_can_be_chosen frames_come_at_their_pace planes_come_apart \
	an_unplugged_device_ends_the_stream_and_is_gone a_locked_device_cannot_be_opened \
	a_codec_is_no_camera pictures_encoded_before_are_as_large_as_wanted \
	drivers_end_with_the_last_descriptor; do
	: >"$tmp/log"
	"$test"
	check $? "$test"
done
tap_end
