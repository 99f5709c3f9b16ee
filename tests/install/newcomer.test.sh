#!/bin/bash
# What a newcomer does: `make run` in a fresh checkout, the link opened once, Ctrl-C, a second start.
# The checkout is a copy without build/, the home an empty directory, and the display that opens the
# link the one in C. Prints TAP. $CAMGATE names the camgate beside which the built test tools lie.
set -u

root=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/tap.sh
. "$root/tests/tap.sh"
tools=$(dirname "${CAMGATE:-$root/build/camgate}")
display=$tools/tests/integration/display
work=$(mktemp -d)
tap_begin "$work/*.log"
pid=

# shellcheck disable=SC2317 # called by the trap
finish() {
	[ -n "$pid" ] && kill -TERM -- "-$pid" 2>/dev/null
	wait 2>/dev/null
	rm -rf "$work"
}
trap finish EXIT

# wait_for SECONDS TEXT FILE
wait_for() {
	local end=$((SECONDS + $1))
	while ! grep -q -- "$2" "$3" 2>/dev/null; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.1
	done
}

# In a process group of its own, as a terminal starts it, so that Ctrl-C can be sent to all of it.
start() {
	env -u MAKEFLAGS -u MAKELEVEL -u MAKEOVERRIDES -u BUILD -u SANITIZE -u RESULTS \
		-u XDG_STATE_HOME HOME="$work/home" \
		setsid make -C "$work/camgate" run ARGS="--listen 127.0.0.1:0" >"$1" 2>&1 </dev/null &
	pid=$!
}

# The roles of this test's gateway; its state directory is in their command lines.
roles() {
	pgrep -f -- "--state $work/home"
}

stop() {
	kill -INT -- "-$pid"
	wait "$pid"
	pid=
	! roles >/dev/null
}

mkdir -p "$work/home" "$work/camgate"
tar -c -C "$root" --exclude=./build --exclude=./.git --exclude=node_modules . | tar -x -C "$work/camgate"
: >"$work/first.log"

start "$work/first.log"
wait_for 300 '^listening on 127\.0\.0\.1:[0-9]*$' "$work/first.log"
check $? "make_run_builds_and_listens"
wait_for 10 'https://.*#pair=' "$work/first.log"
check $? "a_link_is_printed"
grep -q 'no camera found: showing a built-in test picture' "$work/first.log" || ls /dev/video* >/dev/null 2>&1
check $? "without_cameras_a_test_picture_is_announced"
link=$(grep -o 'https://[^ ]*#pair=[A-Za-z0-9_-]*' "$work/first.log" | head -n 1)
"$display" --link "$link" --keys "$work/keys" --name Tablet --frames 5 --seconds 20 >"$work/pair.log" 2>&1
check $? "the_link_shows_the_test_picture"
wait_for 10 'Paired displays: Tablet (owner)' "$work/first.log"
check $? "the_owner_is_named"
HOME=$work/home "$work/camgate/build/camgate" displays >"$work/displays.log" 2>&1 &&
	grep -q 'Tablet' "$work/displays.log"
check $? "a_command_without_state_finds_the_gateway"
stop
check $? "ctrl_c_leaves_no_process"

start "$work/second.log"
wait_for 60 'Paired displays: Tablet (owner)' "$work/second.log"
check $? "a_second_start_remembers_the_display"
! grep -q '#pair=' "$work/second.log"
check $? "and_prints_no_link"
hub=$(sed -n 's|^listening on 127\.0\.0\.1:|https://localhost:|p' "$work/second.log")
"$display" --hub "$hub" --keys "$work/keys" --frames 5 --seconds 20 >"$work/again.log" 2>&1
check $? "the_display_logs_in_again"
stop
check $? "and_ctrl_c_ends_it_again"

tap_end
