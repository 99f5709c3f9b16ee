# shellcheck shell=bash
# What the chapters of the story share (story_*.sh); sourced inside the virtual hub by installed_hub.sh
# and troubled_hub.sh.
#
# Two cameras, known apart by what is on their pictures: vivid's first at /dev/video0, a raw one without a
# code, known by the place where it is; and v4l2loopback's at /dev/video20, MJPEG with the code of test
# camera c0ffee20, which cannot be told apart and has to be confirmed each time. The display "wall" is
# given the first, "loop" the second; a picture of the other's camera is foreign to either.
# shellcheck disable=SC2034 # for those that source it

# Survives a restart of the machine; $run does not.
work=/var/lib/hub-test
run=/run/hub-test
unit=camgate-camera@video0.service
roles=(camgate-keeper.service camgate-web.service "$unit")
mkdir -p "$work" "$run"
ip link set lo up

log() {
	echo "# $*"
}

# within SECONDS COMMAND...: it succeeds before that, or before four times that: the machine is emulated, and the one
# that emulates it may be busy. What does not come at all is found out either way.
within() {
	local end=$((SECONDS + 4 * $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || { echo "not within time: $*"; return 1; }
		sleep 0.1
	done
}

# Milliseconds since the machine started; suspend does not happen here.
now_ms() {
	awk '{ printf "%d\n", $1 * 1000 }' /proc/uptime
}

# figure WHAT MS: a measured time of this emulated machine, for people to read.
figure() {
	echo "figure $1: $2 ms"
}

apt_run() {
	DEBIAN_FRONTEND=noninteractive apt-get -q -y "$@" 2>&1 | tee -a "$work/apt.log"
	return "${PIPESTATUS[0]}"
}

# ---- what the hub says ----

# camera_list FIELD...: these fields of each camera, separated by |. Of a list, whether it is empty: [] or [
camera_list() {
	camgate cameras --json | awk -v wanted="$*" '
		BEGIN { count = split(wanted, names, " ") }
		match($0, /^ *"[a-z_]+": /) {
			split($0, part, "\"")
			value = substr($0, RLENGTH + 1)
			gsub(/^"|"?,?$/, "", value)
			field[part[2]] = value
		}
		/^ *"shared_with": / {
			line = field[names[1]]
			for (i = 2; i <= count; i++) { line = line "|" field[names[i]] }
			print line
		}'
}

# camera_id [NODE]: of the ready camera there.
camera_id() {
	camera_list source state id | sed -n "s,^/dev/${1:-video0}|ready|,,p" | grep .
}

# camera_says FIELD [NODE]
camera_says() {
	camera_list source "$1" | sed -n "s,^/dev/${2:-video0}|,,p"
}

# camera_is FIELD PATTERN [NODE]
camera_is() {
	camera_says "$1" "${3:-video0}" | grep -- "$2"
}

no_camera() {
	camera_list state >"$run/cameras" && ! camera_id "$@"
}

# Nothing of it runs, and it does not count as failed. Debian 13's systemd may keep a restart queued meanwhile,
# which waits for the device.
no_unit() {
	[ "$(systemctl show -P MainPID "$unit")" = 0 ] &&
		systemctl show -P SubState "$unit" | grep -x -e dead -e auto-restart-queued
}

# unit_ends: within time; or how it is instead.
unit_ends() {
	within 10 no_unit || { systemctl --no-pager status "$unit"; return 1; }
}

plugged() {
	within 30 systemctl is-active "$unit" && within 30 camera_id
}

unplug() {
	echo vivid.0 >/sys/bus/platform/drivers/vivid/unbind
}

plug() {
	echo vivid.0 >/sys/bus/platform/drivers/vivid/bind
}

displays() {
	camgate displays --json | grep -E '"(id|name|owner)"' >"$1"
}

journal_since() {
	journalctl -q --no-pager -o cat --since "@$1" -u 'camgate*'
}

role_pids() {
	grep -lx camgate /proc/[0-9]*/comm 2>/dev/null | cut -d / -f 3
}

# ---- cameras ----

# Not given, it is 1920x1080 with Debian 13's kernel: the emulated processor takes longer over one picture than a
# camera may take over a revoke, and then it is ended.
camera_section=("" "[camera /dev/video0]" "mode = 640x480")

the_owner_bounds_the_pictures_of_a_camera() {
	printf '%s\n' "${camera_section[@]}" >>/etc/camgate/camgate.conf
	camgate check-config && systemctl restart "$unit" && plugged && camera_is mode ' 640x480 '
}

# The camera is there when the machine starts, too.
vivid_attach() {
	echo vivid >/etc/modules-load.d/vivid.conf
	echo "options vivid n_devs=1 node_types=0x1 num_inputs=1 input_types=0" >/etc/modprobe.d/vivid.conf
	modprobe vivid && udevadm settle
}

loop_attach() {
	loop_plug || return 1
	within 30 camera_id video20 && return 0
	journalctl -q --no-pager -o short-monotonic -u 'camgate*video20*'
	return 1
}

# With exclusive_caps the node is a camera from the first picture on; udev has to look again.
loop_plug() {
	modprobe v4l2loopback video_nr=20 card_label="Loop camera" exclusive_caps=1 || return 1
	udevadm settle
	/test/loopfeed /dev/video20 320x240@5 c0ffee20 >"$run/loopfeed.log" 2>&1 &
	echo $! >"$run/loopfeed.pid"
	within 10 loop_has_begun
}

loop_has_begun() {
	now_ms >"$run/loop.since"
	udevadm trigger --action=change /dev/video20 && udevadm settle &&
		udevadm info /dev/video20 | grep CAMGATE_CAMERA=1
}

# ---- displays that watch while something happens ----

link_for() {
	camgate pair "$@" --json | sed -n 's/.*"links":\["\([^"]*\)".*/\1/p'
}

# watch NAME --uncoded|'' LINK|HUB: in the background, until watch_end.
watch() {
	local how=--hub
	[ "${3#*#pair=}" = "$3" ] || how=--link
	# shellcheck disable=SC2086 # no option, or one
	/test/display $how "$3" --keys "$work/$1.keys" --name "$1" --reconnect --seconds 3600 $2 \
		>"$run/$1.log" 2>&1 &
	echo $! >"$run/$1.pid"
}

# How often it went live so far: each time anew after a connection or a tile ended.
lives() {
	grep -c '^live ' "$run/$1.log"
}

lives_more() {
	[ "$(lives "$1")" -gt "$2" ]
}

# How often a connection or a tile of it ended.
ends() {
	grep -c -E '^(ended|closed) ' "$run/$1.log"
}

# undisturbed NAME ENDS: no more of it ended than ENDS; or what did.
undisturbed() {
	[ "$(ends "$1")" = "$2" ] || { grep -n -E '^(ended|closed|gone|live) ' "$run/$1.log"; return 1; }
}

# live_within SECONDS NAME BEFORE [FIGURE SINCE_MS]: it is live once more than BEFORE.
live_within() {
	within "$1" lives_more "$2" "$3" || { tail -n 5 "$run/$2.log"; return 1; }
	[ $# -lt 4 ] || figure "$4" "$(($(now_ms) - $5))"
}

pictures() {
	grep '^frame ' "$run/$1.log" | tail -n 1
}

# It draws at this moment.
draws() {
	local before
	before=$(grep -c '^frame ' "$run/$1.log")
	within 10 draws_more "$1" "$before"
}

draws_more() {
	[ "$(grep -c '^frame ' "$run/$1.log")" -gt "$2" ]
}

nothing_foreign() {
	local name
	for name in "$@"; do
		kill -0 "$(cat "$run/$name.pid")" || { tail "$run/$name.log"; return 1; }
		grep -E '^(foreign|refused) ' "$run/$name.log" && return 1
	done
	return 0
}

# Ends it; all that it saw was its own.
watch_end() {
	kill -INT "$(cat "$run/$1.pid")" || return 1
	within 10 grep -q '^summary ' "$run/$1.log"
	tail -n 1 "$run/$1.log"
	tail -n 1 "$run/$1.log" | grep '^summary  pictures [1-9].* foreign 0  anomalies 0 '
}

# Some pictures, in the foreground; keys that are paired already do without a link.
sees() {
	timeout 150 /test/display "$@" --keys "$work/wall.keys" --name wall --uncoded --frames 5 --seconds 120 \
		>"$run/sees.log" 2>&1 || { cat "$run/sees.log"; return 1; }
	tail -n 1 "$run/sees.log"
	tail -n 1 "$run/sees.log" | grep '^summary  pictures [1-9].* foreign 0  anomalies 0 '
}

sees_again() {
	sees --hub "$(cat "$work/hub")"
}

# ---- running ----

# skip REASON: what is being tested cannot be tried on this machine; the test then returns 0.
skip() {
	echo "$*" >"$run/skipped"
}

# run_tests TEST...: numbered on from $number; what a test has to say is shown if it failed, its figures
# always.
run_tests() {
	local test started
	for test in "$@"; do
		number=$((number + 1))
		started=$SECONDS
		rm -f "$run/skipped"
		if "$test" >"$run/out" 2>&1; then
			sed -n 's/^figure /# /p' "$run/out"
			echo "ok $number - $test # $(sed 's/^/SKIP /' "$run/skipped" 2>/dev/null || echo "$((SECONDS - started)) s")"
		else
			sed 's/^/# /' "$run/out"
			echo "not ok $number - $test"
			touch "$work/failed"
		fi
	done
}

# run_chapters ARRAY...: of tests, until one of them has a failure: those that follow would wait long for what
# it left behind.
run_chapters() {
	local chapter
	for chapter in "$@"; do
		if [ -e "$work/failed" ]; then
			log "not tried after that: $chapter"
			continue
		fi
		local -n tests=$chapter
		run_tests "${tests[@]}"
		unset -n tests
	done
}

# The plan, and what helps to understand when something failed.
conclude() {
	local file
	echo "1..$number"
	[ -e "$work/failed" ] || return 0
	for file in "$run"/*.log; do
		echo "# ---- $file"
		tail -n 25 "$file" | sed 's/^/# /'
	done
	{
		journalctl --no-pager -o short-monotonic -u 'camgate*' | tail -n 150
		systemctl --no-pager status 'camgate*'
		udevadm info /dev/video0
		camgate cameras
		ls -la /run/camgate
	} 2>&1 | sed 's/^/# /'
	return 1
}
