# shellcheck shell=bash
# Chapter: each role alone is restarted, and killed, while a display watches. The others go on, except that
# nobody shows anything without the keeper: all end with it, by design, and systemd starts them again. Sourced by installed_hub.sh, after
# story.sh.
# shellcheck disable=SC2317 # the tests are called by name
# shellcheck disable=SC2154 # $run, $work, $unit: story.sh

# Main processes of these units.
pids_of() {
	local name
	for name in "$@"; do
		systemctl show -P MainPID "$name"
	done
}

# survives HOW UNIT OTHER...: the others' processes stay, and the wall is live again.
survives() {
	local how=$1 name=$2 before since pids
	shift 2
	before=$(lives wall)
	pids=$(pids_of "$@")
	since=$(now_ms)
	if [ "$how" = restart ]; then
		systemctl restart "$name"
	else
		systemctl kill -s KILL "$name"
	fi || return 1
	live_within 30 wall "$before" "$how of ${name%.service} to picture" "$since" &&
		within 10 systemctl is-active "$name" && [ "$(pids_of "$@")" = "$pids" ] && nothing_foreign wall
}

a_wall_watches_while_roles_come_and_go() {
	watch wall --uncoded "$(cat "$work/hub")" && live_within 20 wall 0
}

a_restart_of_the_camera_alone_is_survived_by_the_others() {
	survives restart "$unit" camgate-keeper.service camgate-web.service
}

a_restart_of_the_web_role_alone_is_survived_by_the_others() {
	survives restart camgate-web.service camgate-keeper.service "$unit"
}

a_restart_of_the_keeper_ends_the_others_and_all_are_back() {
	survives restart camgate-keeper.service && all_run
}

all_run() {
	within 10 systemctl is-active camgate-web.socket "${roles[@]}"
}

a_camera_that_is_killed_comes_back() {
	survives kill "$unit" camgate-keeper.service camgate-web.service
}

a_web_role_that_is_killed_comes_back() {
	survives kill camgate-web.service camgate-keeper.service "$unit"
}

a_keeper_that_is_killed_comes_back() {
	survives kill camgate-keeper.service && all_run
}

a_restart_of_everything_brings_everything_back() {
	local before since
	before=$(lives wall)
	since=$(now_ms)
	systemctl restart camgate.target
	live_within 40 wall "$before" "restart of camgate.target to picture" "$since" && nothing_foreign wall
}

the_wall_saw_nothing_wrong_of_all_the_restarts() {
	watch_end wall
}

# shellcheck disable=SC2034 # for those that source it
roles_chapter=(
	a_wall_watches_while_roles_come_and_go
	a_restart_of_the_camera_alone_is_survived_by_the_others
	a_restart_of_the_web_role_alone_is_survived_by_the_others
	a_restart_of_the_keeper_ends_the_others_and_all_are_back
	a_camera_that_is_killed_comes_back
	a_web_role_that_is_killed_comes_back
	a_keeper_that_is_killed_comes_back
	a_restart_of_everything_brings_everything_back
	the_wall_saw_nothing_wrong_of_all_the_restarts
)
