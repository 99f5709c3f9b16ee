# shellcheck shell=bash
# Chapter: everything that vivid can do wrong on request (v4l2-ctl -d /dev/video0 -l), one by one, while a
# display watches, or before it begins to. The camera recovers by itself, and nothing foreign is seen.
# Sourced by troubled_hub.sh, after story.sh.
# shellcheck disable=SC2317 # the tests are called by name
# shellcheck disable=SC2154 # $run: story.sh

vivid_set() {
	v4l2-ctl -d /dev/video0 -c "$1"
}

a_wall_watches_before_the_errors() {
	watch wall --uncoded "$(cat "$work/hub")" && live_within 20 wall 0
}

# recovers_from CONTROL=VALUE: with the tile or without, pictures come again.
recovers_from() {
	vivid_set "$1" || return 1
	sleep 1
	within 30 draws wall && within 30 camera_is activity streaming && nothing_foreign wall
}

# is_not_disturbed_by CONTROL=VALUE SECONDS
is_not_disturbed_by() {
	local before
	before=$(ends wall)
	vivid_set "$1" || return 1
	sleep "$2"
	draws wall && undisturbed wall "$before" && camera_is activity streaming && nothing_foreign wall
}

# begins_in_spite_of CONTROL: nobody watches, the error waits for whoever begins to.
begins_in_spite_of() {
	watch_end wall && within 20 camera_is activity idle && vivid_set "$1=1" || return 1
	watch wall --uncoded "$(cat "$work/hub")"
	live_within 30 wall 0 && nothing_foreign wall
}

a_camera_that_is_disconnected_and_there_again_is_live_again() {
	recovers_from disconnect=1
}

a_camera_whose_streaming_dies_is_live_again() {
	recovers_from inject_fatal_streaming_error=1
}

a_camera_that_refuses_a_buffer_while_streaming_is_live_again() {
	recovers_from inject_vidioc_qbuf_error=1
}

a_camera_that_refuses_its_first_buffer_is_live_nevertheless() {
	begins_in_spite_of inject_vidioc_qbuf_error
}

a_camera_that_refuses_buffers_at_all_is_live_nevertheless() {
	begins_in_spite_of inject_vidioc_reqbufs_error
}

a_camera_that_refuses_to_start_is_live_nevertheless() {
	begins_in_spite_of inject_vidioc_streamon_error
}

a_picture_flagged_as_bad_is_dropped_and_counted() {
	local before
	before=$(camgate cameras --json | sed -n 's/^ *"error_flag": \([0-9]*\).*/\1/p' | sort -n | tail -n 1)
	is_not_disturbed_by inject_v4l2_buf_flag_error=1 1 || return 1
	within 10 flagged_more_than "$before"
}

flagged_more_than() {
	[ "$(camgate cameras --json | sed -n 's/^ *"error_flag": \([0-9]*\).*/\1/p' | sort -n |
		tail -n 1)" -gt "$1" ]
}

a_request_that_fails_is_none_of_ours() {
	is_not_disturbed_by inject_req_validate_error=1 1
}

half_of_the_pictures_lost_is_a_slower_camera() {
	is_not_disturbed_by percentage_of_dropped_buffers=50 3 && vivid_set percentage_of_dropped_buffers=0
}

sequence_numbers_that_wrap_are_no_fault() {
	is_not_disturbed_by wrap_sequence_number=1 3 && vivid_set wrap_sequence_number=0
}

# The driver's stamps are then of no use: the time of the dequeue is taken, or nothing would be drawn.
timestamps_that_wrap_make_no_picture_old() {
	local way
	for way in 1 2; do
		is_not_disturbed_by "wrap_timestamp=$way" 3 || return 1
	done
	is_not_disturbed_by wrap_timestamp=0 2
}

# Nothing comes, and no error either: said within 10 s, and seen no longer than a picture is fresh.
a_camera_that_delivers_nothing_says_so_and_comes_back() {
	local before
	vivid_set percentage_of_dropped_buffers=100 || return 1
	within 10 camera_is activity failing || return 1
	camera_is detail delivers && camera_is advice . || { camgate cameras; return 1; }
	before=$(grep -c '^frame ' "$run/wall.log")
	sleep 3
	[ "$(grep -c '^frame ' "$run/wall.log")" = "$before" ] || return 1
	vivid_set percentage_of_dropped_buffers=0
	within 60 draws_more wall "$before" && within 30 camera_is activity streaming && nothing_foreign wall
}

the_wall_saw_nothing_wrong_of_all_the_errors() {
	watch_end wall
}

# shellcheck disable=SC2034 # for those that source it
errors_chapter=(
	a_wall_watches_before_the_errors
	a_camera_that_is_disconnected_and_there_again_is_live_again
	a_camera_whose_streaming_dies_is_live_again
	a_camera_that_refuses_a_buffer_while_streaming_is_live_again
	a_camera_that_refuses_its_first_buffer_is_live_nevertheless
	a_camera_that_refuses_buffers_at_all_is_live_nevertheless
	a_camera_that_refuses_to_start_is_live_nevertheless
	a_picture_flagged_as_bad_is_dropped_and_counted
	a_request_that_fails_is_none_of_ours
	half_of_the_pictures_lost_is_a_slower_camera
	sequence_numbers_that_wrap_are_no_fault
	timestamps_that_wrap_make_no_picture_old
	a_camera_that_delivers_nothing_says_so_and_comes_back
	the_wall_saw_nothing_wrong_of_all_the_errors
)
