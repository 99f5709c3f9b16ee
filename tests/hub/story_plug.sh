# shellcheck shell=bash
# Chapter: cameras come and go while two displays watch. Sourced by installed_hub.sh, after story.sh.
# shellcheck disable=SC2317 # the tests are called by name
# shellcheck disable=SC2154 # $run, $work: story.sh

two_displays_watch_two_cameras() {
	watch wall --uncoded "$(cat "$work/hub")" && live_within 20 wall 0 && loop_attach || return 1
	camgate confirm "$(camera_id video20)" || return 1
	watch loop '' "$(link_for --cameras "$(camera_id video20)" --name loop)" && live_within 20 loop 0
}

# Its tile ends: it does not keep the last picture, nor get another one.
pulling_a_camera_ends_its_unit_and_its_tile_and_no_other() {
	local before
	unplug
	unit_ends && within 10 no_camera && within 5 told wall offline || return 1
	before=$(pictures wall)
	draws loop && [ "$(pictures wall)" = "$before" ] && nothing_foreign wall loop
}

# told NAME STATE: the last it was told of a camera.
told() {
	grep '^camera ' "$run/$1.log" | tail -n 1 | grep "state \"$2\""
}

plugging_it_in_again_brings_both_back() {
	local before since
	before=$(lives wall)
	since=$(now_ms)
	plug
	live_within 30 wall "$before" "re-plug to picture, watched" "$since" && plugged &&
		nothing_foreign wall loop
}

plugging_again_and_again_is_not_too_often() {
	local _ before
	before=$(lives wall)
	for _ in 1 2 3 4 5 6; do
		unplug
		sleep 0.3
		plug
		sleep 0.3
	done
	plugged && live_within 30 wall "$before" && draws loop && nothing_foreign wall loop
}

a_driver_that_is_removed_and_loaded_again_brings_its_camera_back() {
	local before since
	before=$(lives wall)
	unplug && unit_ends && modprobe -r vivid && [ ! -e /dev/video0 ] || return 1
	since=$(now_ms)
	modprobe vivid
	live_within 30 wall "$before" "driver loaded to picture, watched" "$since" && draws loop &&
		nothing_foreign wall loop
}

# Two with the same path and no serial number, one of them the wall's: nobody can say which.
two_cameras_of_the_same_path_are_in_quarantine() {
	unplug && unit_ends && modprobe -r vivid || return 1
	modprobe vivid n_devs=2 node_types=0x1,0x1 num_inputs=1,1 input_types=0,0
	within 30 camera_is standing quarantined && within 30 camera_is standing quarantined video1
}

neither_of_them_is_granted_or_guessed() {
	local before
	before=$(pictures wall)
	draws loop || return 1
	[ "$(pictures wall)" = "$before" ] && told wall offline && nothing_foreign wall loop &&
		camera_list source shared_with | grep -x '/dev/video0|\[\]' &&
		camera_list source shared_with | grep -x '/dev/video1|\[\]'
}

the_one_that_is_left_after_them_is_known_again() {
	local before
	before=$(lives wall)
	unplug && unit_ends && modprobe -r vivid && modprobe vivid || return 1
	plugged && camera_is standing known && live_within 30 wall "$before" && nothing_foreign wall loop
}

both_displays_saw_their_own_camera_and_nothing_else() {
	watch_end loop && watch_end wall
}

# shellcheck disable=SC2034 # for those that source it
plug_chapter=(
	two_displays_watch_two_cameras
	pulling_a_camera_ends_its_unit_and_its_tile_and_no_other
	plugging_it_in_again_brings_both_back
	plugging_again_and_again_is_not_too_often
	a_driver_that_is_removed_and_loaded_again_brings_its_camera_back
	two_cameras_of_the_same_path_are_in_quarantine
	neither_of_them_is_granted_or_guessed
	the_one_that_is_left_after_them_is_known_again
	both_displays_saw_their_own_camera_and_nothing_else
)
