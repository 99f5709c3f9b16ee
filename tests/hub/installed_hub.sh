#!/bin/bash
# Runs inside the virtual hub (installed_hub.test.sh): the installed package, udev and systemd do what
# `camgate run` does elsewhere; cameras come and go, roles, packages, addresses and the machine itself, while
# displays watch. Each chapter is a story_*.sh.
#
# The machine restarts twice, and with it this script: what has to be known afterwards lies in $work. A display
# outside of the machine watches all the time; it reads its link in the output. Prints TAP.
# shellcheck source=/dev/null
# shellcheck disable=SC2317 # the tests are called by name
# shellcheck disable=SC2034,SC2154 # of the chapters
set -uo pipefail

for part in story story_plug story_roles story_address story_far story_forget story_upgrade story_oracles; do
	. "/test/$part.sh"
done

# ---- installation ----

apt_installs_the_package() {
	apt_run install /test/camgate.deb
}

its_users_have_no_shell_and_no_groups_but_their_own() {
	local user
	for user in camgate-keeper camgate-web camgate-camera; do
		getent passwd "$user" | grep '/nologin$' || return 1
	done
	getent group camgate >/dev/null && id -nG camgate-camera | grep -w video &&
		! id -nG camgate-web | grep -w -e video -e camgate-keeper -e camgate-camera
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
	link=$(link_for --cameras "$(camera_id)" --name wall)
	echo "${link%%/#*}" >"$work/hub"
	sees --link "$link"
}

# ---- a display outside ----

# It calls the hub by name; its address is that of the network card.
a_display_outside_the_machine_is_paired_and_watches() {
	local link
	link=$(link_for --cameras "$(camera_id)" --name outside)
	log "outside https://hub.local:8443/#${link#*#}" >&3
	within 60 outside_watches
}

# The hub says so itself.
outside_watches() {
	camgate displays --json | awk '
		/"name": / { here = /"outside"/ }
		here && /"watching": \[$/ { found = 1 }
		END { exit !found }'
}

it_watches_still() {
	within 60 outside_watches
}

# ---- restarts of the machine ----

all_is_back_by_itself() {
	within 90 systemctl is-active camgate-keeper.service camgate-web.socket && plugged
}

pairings_are_kept() {
	displays "$work/displays.after" && cmp "$work/displays.before" "$work/displays.after" && sees_again
}

after_a_clean_restart_all_is_back_by_itself() {
	all_is_back_by_itself
}

after_a_clean_restart_pairings_are_kept() {
	pairings_are_kept
}

after_a_clean_restart_the_display_outside_sees_again() {
	it_watches_still
}

# Something was just changed: it is kept as well, for it was on disk before it was said to be done.
after_a_power_cut_all_is_back_by_itself() {
	all_is_back_by_itself
}

after_a_power_cut_pairings_are_kept() {
	pairings_are_kept
}

after_a_power_cut_what_was_said_to_be_done_is_done() {
	camera_is name "Front door"
}

after_a_power_cut_the_display_outside_sees_again() {
	it_watches_still
}

# ---- removal ----

# What there is of it, kind by kind. Its users stay known, as Debian wants it, and systemd remembers how a unit
# ended that is there no more.
left_behind() {
	role_pids | sed 's/^/process /'
	ss -Hnlt 'sport = :8443' | sed 's/^/socket /'
	systemctl list-units --plain --no-legend --state=active,activating 'camgate*' | sed 's/^/unit /'
	find /sys/fs/cgroup -name 'camgate*' | sed 's/^/cgroup /'
	find / /run /dev/shm /tmp -xdev \( -user camgate-keeper -o -user camgate-web -o -user camgate-camera \) |
		sed 's/^/file /'
}

all_that_there_is_of_it_is_seen() {
	left_behind >"$work/there"
	cut -d ' ' -f 1 "$work/there" | sort -u | xargs | grep -x 'cgroup file process socket unit'
}

removal_stops_everything_and_keeps_the_state() {
	apt_run remove camgate && [ -z "$(role_pids)" ] && ! systemctl is-active "$unit" &&
		[ -d /var/lib/camgate ] && [ ! -e /run/camgate/admin ]
}

purging_deletes_the_identity_and_says_so() {
	apt_run purge camgate >"$work/purge.log" && [ ! -e /var/lib/camgate ] && [ ! -e /etc/camgate ] &&
		grep -q "deleting this hub's identity" "$work/purge.log"
}

nothing_of_it_is_left_behind() {
	left_behind >"$work/left"
	cat "$work/left"
	[ ! -s "$work/left" ]
}

# ---- the order ----

installation=(
	apt_installs_the_package
	its_users_have_no_shell_and_no_groups_but_their_own
	its_units_run_and_are_enabled
	a_camera_present_at_installation_has_its_unit
	the_owner_bounds_the_pictures_of_a_camera
	a_display_that_is_paired_sees_the_camera
	a_display_outside_the_machine_is_paired_and_watches
)
clean_restart=(
	after_a_clean_restart_all_is_back_by_itself
	after_a_clean_restart_pairings_are_kept
	after_a_clean_restart_the_display_outside_sees_again
)
power_cut=(
	after_a_power_cut_all_is_back_by_itself
	after_a_power_cut_pairings_are_kept
	after_a_power_cut_what_was_said_to_be_done_is_done
	after_a_power_cut_the_display_outside_sees_again
	after_a_power_cut_who_was_suspended_is_suspended
	after_a_power_cut_and_resumed_it_sees_again
)
removal=(
	all_that_there_is_of_it_is_seen
	removal_stops_everything_and_keeps_the_state
	purging_deletes_the_identity_and_says_so
	nothing_of_it_is_left_behind
)

# next PART: what comes after the machine's restart.
next() {
	echo "number=$number part=$1" >"$work/next"
	sync -f "$work/next"
}

# The end of the test's own service, which a clean restart stops too, is not the end of the machine.
outlive_the_test() {
	mkdir -p /run/systemd/system/hub-test.service.d
	printf '[Unit]\nSuccessAction=none\nFailureAction=none\n' >/run/systemd/system/hub-test.service.d/go-on.conf
	systemctl daemon-reload
}

exec 3>&1
number=0
part=first
# shellcheck disable=SC1091 # written above
[ ! -e "$work/next" ] || . "$work/next"
log "$part: kernel $(uname -r), $(cut -d. -f1 /proc/uptime) s after its start"
case $part in
first)
	vivid_attach
	run_chapters installation plug_chapter roles_chapter address_chapter far_chapter upgrade_chapter
	if [ ! -e "$work/failed" ]; then
		next clean
		log "restarting the machine"
		outlive_the_test
		systemctl reboot
		sleep 60
	fi
	;;
clean)
	run_chapters clean_restart
	if [ ! -e "$work/failed" ]; then
		next cut
		log "cutting the machine off, in the middle of a viewing"
		camgate name "$(camera_says name)" "Front door"
		camgate suspend guest --reason "before the power cut"
		echo b >/proc/sysrq-trigger
		sleep 60
	fi
	;;
cut)
	run_chapters power_cut oracles_chapter forget_chapter removal
	;;
esac
conclude
