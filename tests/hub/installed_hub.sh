#!/bin/bash
# Runs inside the virtual hub (installed_hub.test.sh): the installed package, udev and systemd do what
# `camgate run` does elsewhere. The one camera is vivid's, at /dev/video0, known by the place where it is.
#
# In the middle the machine is cut off and starts again, and with it this script: what has to be known
# afterwards lies in $work. Prints TAP.
# shellcheck disable=SC2317 # the tests are called by name
set -uo pipefail

work=/var/lib/hub-test
unit=camgate-camera@video0.service
mkdir -p "$work"

log() {
	echo "# $*"
}

# within SECONDS COMMAND...: it succeeds before that.
within() {
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || { echo "not within time: $*"; return 1; }
		sleep 0.2
	done
}

apt_run() {
	DEBIAN_FRONTEND=noninteractive apt-get -q -y "$@" 2>&1 | tee -a "$work/apt.log"
	return "${PIPESTATUS[0]}"
}

# ---- what is asked of the hub ----

# The id of the ready camera at /dev/video0: in the JSON, id comes before state, and that before source.
camera_id() {
	camgate cameras --json | awk -F'"' '
		$2 == "id" { id = $4 }
		$2 == "state" { state = $4 }
		$2 == "source" && $4 == "/dev/video0" && state == "ready" { print id; found = 1 }
		END { exit !found }'
}

no_camera() {
	camgate cameras --json >"$work/cameras.json" && ! camera_id
}

unit_gone() {
	[ "$(systemctl show -P ActiveState "$unit")" = inactive ]
}

plugged() {
	within 30 systemctl is-active "$unit" && within 30 camera_id
}

# A display, paired or with the keys it has, that is granted the camera, shows pictures of it and
# nothing that is wrong.
sees() {
	timeout 90 /test/display "$@" --keys "$work/keys" --name Tablet --unread --seconds 10 \
		>"$work/display.log" 2>&1 || { cat "$work/display.log"; return 1; }
	tail -n 1 "$work/display.log"
	tail -n 1 "$work/display.log" | grep -q '^summary  pictures [1-9].* foreign 0  anomalies 0 '
}

sees_again() {
	sees --hub "$(cat "$work/hub")"
}

displays() {
	camgate displays --json | grep -E '"(id|name|owner)"' >"$1"
}

# ---- tests, before the machine is cut off ----

apt_installs_the_package() {
	apt_run install /test/camgate.deb
}

its_users_have_no_shell_and_no_groups_but_their_own() {
	local user
	for user in camgate-keeper camgate-web camgate-camera; do
		getent passwd "$user" | grep -q '/nologin$' || return 1
	done
	getent group camgate >/dev/null && id -nG camgate-camera | grep -qw video &&
		! id -nG camgate-web | grep -qw -e video -e camgate-keeper -e camgate-camera
}

its_units_run_and_are_enabled() {
	within 60 systemctl is-active camgate-keeper.service camgate-web.socket camgate.target &&
		systemctl is-enabled camgate-keeper.service camgate-web.socket camgate.target
}

a_camera_present_at_installation_has_its_unit() {
	plugged
}

a_display_that_is_paired_sees_the_camera() {
	local link
	link=$(camgate pair --cameras "$(camera_id)" --json |
		sed -n 's/.*"links":\["\([^"]*\)".*/\1/p')
	echo "${link%%/#*}" >"$work/hub"
	sees --link "$link"
}

unplugging_ends_the_unit_and_the_camera_is_offline() {
	echo vivid.0 >/sys/bus/platform/drivers/vivid/unbind
	within 10 unit_gone && within 10 no_camera
}

plugging_in_again_brings_both_back() {
	echo vivid.0 >/sys/bus/platform/drivers/vivid/bind
	plugged && sees_again
}

plugging_again_and_again_is_not_too_often() {
	local _
	for _ in 1 2 3 4 5 6; do
		echo vivid.0 >/sys/bus/platform/drivers/vivid/unbind
		sleep 0.3
		echo vivid.0 >/sys/bus/platform/drivers/vivid/bind
		sleep 0.3
	done
	plugged
}

an_upgrade_keeps_pairings_and_the_camera() {
	displays "$work/displays.before" && apt_run install /test/later.deb || return 1
	dpkg -s camgate | grep -q '^Version: .*\.1$' || return 1
	within 60 systemctl is-active camgate-keeper.service camgate-web.socket && plugged || return 1
	displays "$work/displays.after" && cmp "$work/displays.before" "$work/displays.after" && sees_again
}

# ---- tests, after it ----

after_a_power_cut_all_is_back_by_itself() {
	within 90 systemctl is-active camgate-keeper.service camgate-web.socket && plugged
}

after_a_power_cut_pairings_are_kept() {
	displays "$work/displays.after" && cmp "$work/displays.before" "$work/displays.after" && sees_again
}

removal_stops_everything_and_keeps_the_state() {
	apt_run remove camgate && ! pgrep -x camgate && ! systemctl is-active "$unit" &&
		[ -d /var/lib/camgate ] && [ ! -e /run/camgate/admin ]
}

purging_deletes_the_identity_and_says_so() {
	apt_run purge camgate >"$work/purge.log" && [ ! -e /var/lib/camgate ] && [ ! -e /etc/camgate ] &&
		grep -q "deleting this hub's identity" "$work/purge.log"
}

before=(
	apt_installs_the_package
	its_users_have_no_shell_and_no_groups_but_their_own
	its_units_run_and_are_enabled
	a_camera_present_at_installation_has_its_unit
	a_display_that_is_paired_sees_the_camera
	unplugging_ends_the_unit_and_the_camera_is_offline
	plugging_in_again_brings_both_back
	plugging_again_and_again_is_not_too_often
	an_upgrade_keeps_pairings_and_the_camera
)
after=(
	after_a_power_cut_all_is_back_by_itself
	after_a_power_cut_pairings_are_kept
	removal_stops_everything_and_keeps_the_state
	purging_deletes_the_identity_and_says_so
)

run_tests() {
	local test started
	for test in "$@"; do
		number=$((number + 1))
		started=$SECONDS
		if "$test" >"$work/out" 2>&1; then
			echo "ok $number - $test"
			log "$((SECONDS - started)) s"
		else
			sed 's/^/# /' "$work/out"
			echo "not ok $number - $test"
			touch "$work/failed"
		fi
	done
}

log "kernel $(uname -r), $(cut -d. -f1 /proc/uptime) s after its start"
if [ ! -e "$work/number" ]; then
	number=0
	# The camera is there when the machine starts, too.
	echo vivid >/etc/modules-load.d/vivid.conf
	echo "options vivid n_devs=1 node_types=0x1 num_inputs=1 input_types=0" >/etc/modprobe.d/vivid.conf
	modprobe vivid && udevadm settle
	run_tests "${before[@]}"
	if [ ! -e "$work/failed" ]; then
		echo "$number" >"$work/number"
		log "cutting the machine off"
		sync
		echo b >/proc/sysrq-trigger
		sleep 60
	fi
else
	number=$(cat "$work/number")
	run_tests "${after[@]}"
fi

echo "1..$number"
if [ -e "$work/failed" ]; then
	journalctl --no-pager -o short-monotonic -u 'camgate*' 2>&1 | tail -n 100 | sed 's/^/# /'
	systemctl --no-pager status 'camgate*' 2>&1 | sed 's/^/# /'
	udevadm info /dev/video0 2>&1 | sed 's/^/# /'
	camgate cameras 2>&1 | sed 's/^/# /'
	ls -la /run/camgate 2>&1 | sed 's/^/# /'
	exit 1
fi
