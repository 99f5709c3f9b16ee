# shellcheck shell=bash
# Chapter: a display is suspended, and stays so whatever comes; the hub forgets everything. Sourced by
# installed_hub.sh, which spreads it over its restarts, after story.sh.
# shellcheck disable=SC2317 # the tests are called by name
# shellcheck disable=SC2154 # $run, $work: story.sh

# ---- suspend ----

suspended() {
	camgate status >"$run/status" && grep "^suspended .*display guest since .*$1" "$run/status"
}

# No better off than a stranger.
guest_is_refused() {
	timeout 100 /test/display --hub "$(cat "$work/hub")" --keys "$work/guest.keys" --name guest --uncoded \
		--seconds 60 >"$run/refused.log" 2>&1
	cat "$run/refused.log"
	grep '^closed ' "$run/refused.log" && grep '^summary  pictures 0 ' "$run/refused.log"
}

# It goes on trying all the while.
a_display_that_is_suspended_is_dark_at_once_and_no_other() {
	local before
	watch wall --uncoded "$(cat "$work/hub")"
	watch guest --uncoded "$(link_for --cameras "$(camera_id)" --name guest)"
	live_within 20 wall 0 && live_within 20 guest 0 && draws guest || return 1
	before=$(ends wall)
	camgate suspend guest --reason "a test of it" || return 1
	within 5 grep '^closed ' "$run/guest.log" && guest_is_refused && suspended "a test of it" || return 1
	draws wall && undisturbed wall "$before" && watch_end wall
}

# Of the package, which restarts all of it.
it_stays_suspended_over_an_upgrade() {
	suspended "a test of it" && guest_is_refused
}

once_resumed_it_is_live_again_by_itself() {
	local before
	before=$(lives guest)
	camgate resume guest && ! suspended . && live_within 30 guest "$before" && watch_end guest
}

after_a_power_cut_who_was_suspended_is_suspended() {
	suspended "before the power cut" && guest_is_refused
}

after_a_power_cut_and_resumed_it_sees_again() {
	camgate resume guest && ! suspended . || return 1
	watch guest --uncoded "$(cat "$work/hub")" && live_within 30 guest 0 && watch_end guest
}

# ---- forget ----

fingerprint() {
	camgate status --json | sed -n 's/^ *"fingerprint": "\([0-9a-f]*\)".*/\1/p'
}

# To be here again it has to be another.
is_another_hub() {
	systemctl is-active camgate-web.socket "${roles[@]}" && fingerprint | grep . &&
		[ "$(fingerprint)" != "$1" ]
}

forgetting_everything_cuts_off_who_watches() {
	local before
	watch wall --uncoded "$(cat "$work/hub")" && live_within 20 wall 0 || return 1
	before=$(fingerprint)
	date +%s >"$run/since"
	camgate forget --yes >"$run/forgot" || { cat "$run/forgot"; return 1; }
	cat "$run/forgot"
	grep '^deleted /var/lib/camgate/identity.pem' "$run/forgot" && within 10 grep '^closed ' "$run/wall.log" &&
		within 60 is_another_hub "$before"
}

it_is_another_hub_that_knows_no_display_and_no_owner() {
	displays "$run/displays.after"
	[ ! -s "$run/displays.after" ] && camgate status >"$run/status" &&
		grep '^owner .*camgate pair --owner' "$run/status" &&
		journal_since "$(cat "$run/since")" | grep 'nobody owns this hub yet'
}

its_cameras_are_shared_with_nobody() {
	plugged && camera_list source shared_with | grep -x '/dev/video0|\[\]'
}

# It is the display that finds another hub than its own, and the hub that knows no such display.
a_display_of_before_gets_nothing() {
	within 30 grep '^closed .*"Key was rejected by service"' "$run/wall.log" || return 1
	sed '1,/^closed /d' "$run/wall.log" >"$run/wall.after"
	kill -INT "$(cat "$run/wall.pid")"
	! grep -E '^(welcome|frame) ' "$run/wall.after"
}

the_next_owner_is_its_first_and_sees_the_camera() {
	local link
	link=$(link_for --owner)
	sees --link "$link" && camgate displays --json | grep '"owner": true' &&
		[ "$(camgate displays --json | grep -c '"id"')" = 1 ]
}

# shellcheck disable=SC2034 # for those that source it
forget_chapter=(
	forgetting_everything_cuts_off_who_watches
	it_is_another_hub_that_knows_no_display_and_no_owner
	its_cameras_are_shared_with_nobody
	a_display_of_before_gets_nothing
	the_next_owner_is_its_first_and_sees_the_camera
)
