# shellcheck shell=bash
# Chapter: a fresh hub is installed by the lines of README.md, "Install on a hub", as they stand there, and
# shows its first owner a camera, and then a new one. Sourced by troubled_hub.sh, after story.sh.
#
# One line is not run as it stands: "make deb" takes a clean chroot and many minutes here. The package that
# it made on the machine of the tests lies where it would leave it.
# shellcheck disable=SC2317 # the tests are called by name
# shellcheck disable=SC2154 # $run, $work: story.sh

checkout=/root/camgate
apt_for_tests=/etc/apt/apt.conf.d/90hub-test

# The first block of code in that section, without empty lines.
readme_lines() {
	awk '/^## / { here = $0 == "## Install on a hub" } here && /^```/ { n++; next } here && n == 1' \
		/test/README.md | grep .
}

installing_takes_five_lines_at_most() {
	readme_lines
	[ "$(readme_lines | wc -l)" -ge 3 ] && [ "$(readme_lines | wc -l)" -le 5 ] &&
		readme_lines | tail -n 1 | grep -x 'sudo camgate pair --owner'
}

# Each line in turn. Nobody is at the keyboard, so apt is told not to ask.
the_lines_of_the_readme_install_a_hub() {
	local line
	mkdir -p "$checkout/build/deb"
	cp /test/camgate.deb "$checkout/build/deb/camgate_0_amd64.deb"
	echo 'APT::Get::Assume-Yes "true";' >"$apt_for_tests"
	readme_lines >"$run/readme"
	while read -r line <&3; do
		echo "\$ $line"
		case $line in
		"git clone "* | "cd "*) continue ;; # here it is, and nowhere else
		"make deb") continue ;;
		esac
		(cd "$checkout" && DEBIAN_FRONTEND=noninteractive bash -c "$line") >"$run/line" 2>&1 </dev/null ||
			{ cat "$run/line"; return 1; }
	done 3<"$run/readme"
	rm "$apt_for_tests"
	cp "$run/line" "$run/pair" && cat "$run/pair"
	grep -q -o 'https://[^ ]*#pair=[^ ]*' "$run/pair"
}

# doctor ends with an error where something is wrong, and so it is until there is an owner.
ask_who_owns() {
	camgate status >"$run/status" || return 1
	camgate doctor >"$run/doctor"
	grep -h -A 1 '^owner ' "$run/status" "$run/doctor"
}

until_there_is_an_owner_status_and_doctor_say_how_to_become_one() {
	ask_who_owns && grep '^owner .*camgate pair --owner' "$run/status" &&
		grep -A 1 '^owner *WRONG' "$run/doctor" | grep 'sudo camgate pair --owner'
}

the_journal_says_it_once() {
	[ "$(journalctl -q -o cat -u camgate-keeper | grep -c 'sudo camgate pair --owner')" = 1 ]
}

the_link_makes_its_display_the_owner_who_sees_the_camera() {
	local link
	link=$(grep -o -m 1 'https://[^ ]*#pair=[^ ]*' "$run/pair")
	echo "${link%%/#*}" >"$work/hub"
	plugged && sees --link "$link" && camgate displays --json | grep '"owner": true'
}

with_an_owner_nobody_is_told_to_become_one() {
	ask_who_owns && ! grep 'pair --owner' "$run/status" "$run/doctor"
}

# ---- a camera that was never seen here ----

# The owner's display does not look for codes here: it is shown both cameras.
an_unknown_camera_is_a_card_on_its_owners_display() {
	watch wall --unread "$(cat "$work/hub")" && live_within 20 wall 0 || return 1
	loop_plug && within 30 grep '^new-camera ' "$run/wall.log" || return 1
	figure "first plug of an unknown camera to card" "$(($(now_ms) - $(cat "$run/loop.since")))"
	within 30 camera_id video20 && camera_list source shared_with | grep -x '/dev/video20|\[\]'
}

# By two commands, which take their time on this machine.
once_its_owner_decides_it_is_live() {
	local before since
	before=$(lives wall)
	since=$(now_ms)
	camgate confirm "$(camera_id video20)" && camgate grant wall "$(camera_id video20)" || return 1
	live_within 30 wall "$before" "decision about a new camera to picture" "$since" || return 1
	camgate revoke wall "$(camera_id video20)" && watch_end wall
}

# shellcheck disable=SC2034 # for those that source it
readme_chapter=(
	installing_takes_five_lines_at_most
	the_lines_of_the_readme_install_a_hub
	until_there_is_an_owner_status_and_doctor_say_how_to_become_one
	the_journal_says_it_once
	the_link_makes_its_display_the_owner_who_sees_the_camera
	with_an_owner_nobody_is_told_to_become_one
	the_owner_bounds_the_pictures_of_a_camera
	an_unknown_camera_is_a_card_on_its_owners_display
	once_its_owner_decides_it_is_live
)
