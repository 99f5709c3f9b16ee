# shellcheck shell=bash
# Chapter: the disk that holds the state is full. Sourced by troubled_hub.sh, after story.sh.
# shellcheck disable=SC2317 # the tests are called by name
# shellcheck disable=SC2154 # $run, $work: story.sh

state=/var/lib/camgate

viewings() {
	camgate status --json | sed -n 's/^ *"viewings": \([0-9]*\).*/\1/p'
}

# Not a byte is left. The keeper's own files are not touched.
fill() {
	cat /dev/zero >"$state/filler" 2>/dev/null
	! head -c 1 /dev/zero >"$state/filler.last" 2>/dev/null || ! head -c 4096 /dev/zero >>"$state/filler.last"
}

# Its files are those of before, on a disk of 2 MB.
the_state_lies_on_a_small_disk() {
	local before
	watch wall --uncoded "$(cat "$work/hub")" && live_within 20 wall 0 || return 1
	before=$(lives wall)
	systemctl stop camgate.target camgate-web.socket camgate-keeper.service
	rm -rf "$run/state"
	cp -a "$state" "$run/state" && mount -t tmpfs -o size=2M,mode=0700 state "$state" &&
		chown camgate-keeper:camgate-keeper "$state" && cp -a "$run/state/." "$state/" || return 1
	systemctl start camgate.target
	live_within 60 wall "$before"
}

# For the record of the viewing could not be kept.
a_full_disk_gives_no_key_to_who_comes_now() {
	viewings >"$run/viewings"
	fill || return 1
	/test/display --hub "$(cat "$work/hub")" --keys "$work/wall.keys" --name wall --uncoded \
		--seconds 150 >"$run/late.log" 2>&1 &
	within 30 grep '^ended ' "$run/late.log"
	sleep 2 # for a picture to come that must not
	kill -INT "$!"
	within 10 grep '^summary ' "$run/late.log"
	grep '^ended ' "$run/late.log" && grep '^summary  pictures 0 ' "$run/late.log"
}

who_watches_already_goes_on_watching() {
	draws wall && nothing_foreign wall && within 1 systemctl is-active camgate-web.socket "${roles[@]}"
}

the_journal_status_and_doctor_say_that_the_disk_is_full() {
	journalctl -q -o cat -u camgate-keeper | grep 'state directory is full: viewings cannot be put on record' ||
		return 1
	camgate status >"$run/status" && grep '^record .*is full' "$run/status" || return 1
	! camgate doctor >"$run/doctor"
	grep '^space *WRONG' "$run/doctor"
}

nothing_else_is_changed_that_could_not_be_kept() {
	! camgate name "$(camera_says name)" Door >"$run/said" 2>&1
	cat "$run/said"
	grep -q -i -E 'full|space' "$run/said" && ! camera_is name Door
}

once_there_is_space_a_display_sees_again_without_a_restart() {
	local pid
	pid=$(systemctl show -P MainPID camgate-keeper.service)
	rm "$state/filler" "$state/filler.last"
	sees_again && draws wall && [ "$(systemctl show -P MainPID camgate-keeper.service)" = "$pid" ]
}

the_record_has_all_that_it_had_and_goes_on() {
	watch_end wall && [ "$(viewings)" -gt "$(cat "$run/viewings")" ]
}

back_on_the_large_disk_all_is_as_before() {
	systemctl stop camgate.target camgate-web.socket camgate-keeper.service
	cp -a "$state/." "$run/state/" && umount "$state" && cp -a "$run/state/." "$state/" || return 1
	systemctl start camgate.target
	plugged && sees_again
}

# shellcheck disable=SC2034 # for those that source it
disk_chapter=(
	the_state_lies_on_a_small_disk
	a_full_disk_gives_no_key_to_who_comes_now
	who_watches_already_goes_on_watching
	the_journal_status_and_doctor_say_that_the_disk_is_full
	nothing_else_is_changed_that_could_not_be_kept
	once_there_is_space_a_display_sees_again_without_a_restart
	the_record_has_all_that_it_had_and_goes_on
	back_on_the_large_disk_all_is_as_before
)
