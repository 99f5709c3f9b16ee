# shellcheck shell=bash
# Chapter: what the oracles of tests/README.md find in a hub that went through all the chapters before. Each
# has to find a planted one here, too. Sourced by installed_hub.sh and troubled_hub.sh, after story.sh.
#
# The display "wall" sees the camera without a code, "looker" the one with a code, both with the counts of
# O-PIX, O-MAC and O-WIRE (tests/integration/display_tool.c).
# shellcheck disable=SC2317 # the tests are called by name
# shellcheck disable=SC2154 # $run, $work: story.sh

oracle_units=(camgate-keeper.service camgate-web.service camgate-camera@video0.service camgate-camera@video20.service)

pid_of() {
	systemctl show -P MainPID "$1"
}

# ---- O-LEAK ----

# One line for each thing that the hub holds, and how often.
holdings() {
	local one pid
	for one in "${oracle_units[@]}"; do
		pid=$(pid_of "$one")
		echo "$one descriptors $(find "/proc/$pid/fd" -mindepth 1 | wc -l)"
		echo "$one threads $(find "/proc/$pid/task" -mindepth 1 -maxdepth 1 | wc -l)"
	done
	echo "processes $(role_pids | wc -l)"
	echo "connections $(ss -Hnt state established '( sport = :8443 )' | wc -l)"
	find /run/camgate /var/lib/camgate /dev/shm /tmp /var/tmp -xdev -not -name 'camgate.db-*' -printf '%p 1\n'
}

# Says what is more now than it was in the file.
holds_no_more_than() {
	holdings >"$run/held.now"
	awk '{ n = $NF; sub(/ [0-9]+$/, "") }
		FNR == NR { before[$0] = n; next }
		n + 0 > before[$0] + 0 { print $0 ": " n " now, " before[$0] + 0 " before"; more = 1 }
		END { exit more }' "$1" "$run/held.now"
}

# Who just left may not be gone everywhere.
holds_the_same_again() {
	holdings >"$run/held" && sleep 1 && holds_no_more_than "$run/held"
}

looker_link() {
	camgate confirm "$(camera_id video20)" >/dev/null 2>&1
	link_for --cameras "$(camera_id video20)" --name "$1"
}

a_hub_with_two_cameras_holds_what_it_holds() {
	within 30 camera_id video20 || loop_attach || return 1
	sees_again && planted_picture && within 30 holds_the_same_again
}

# ---- O-PIX ----

# The wall's rule is that a picture with a code is not its own. So one with a code is planted.
planted_picture() {
	timeout 150 /test/display --link "$(looker_link planted)" --keys "$run/planted.keys" --uncoded \
		--frames 3 --seconds 120 >"$run/planted.log" 2>&1
	return 0
}

a_planted_picture_of_another_camera_is_seen_as_foreign() {
	tail -n 1 "$run/planted.log"
	tail -n 1 "$run/planted.log" | grep '^summary  pictures [1-9][0-9]*  foreign [1-9]'
}

# ---- O-MEM ----

two_displays_watch_for_the_oracles() {
	camgate audit --verify | sed -n 's/.*entries [0-9]* to \([0-9]*\),.*/\1/p' >"$run/recorded"
	rm -rf "$run/seen"
	mkdir -p "$run/seen/wall" "$run/seen/looker"
	watch wall "--uncoded --dump $run/seen/wall" "$(cat "$work/hub")"
	watch looker "--dump $run/seen/looker" "$(looker_link looker)"
	live_within 30 wall 0 && live_within 30 looker 0 && draws wall && draws looker
}

# pieces BYTES PID DISPLAY: of what it saw last. The newest is being written.
pieces() {
	local files
	mapfile -t files < <(find "$run/seen/$3" -name '*.jpg' | sort | tail -n 5 | head -n 4)
	/test/memory "$1" "$2" "${files[@]}"
}

a_picture_is_found_in_the_memory_of_the_display_that_opened_it() {
	[ "$(pieces 24 "$(cat "$run/looker.pid")" looker)" -gt 0 ] &&
		[ "$(pieces 24 "$(cat "$run/wall.pid")" wall)" -gt 0 ]
}

no_picture_is_in_the_memory_of_the_keeper_or_the_web_role() {
	local one display
	for one in camgate-keeper.service camgate-web.service; do
		for display in wall looker; do
			[ "$(pieces 24 "$(pid_of $one)" $display)" = 0 ] || { echo "$one holds one of $display"; return 1; }
		done
	done
}

# Long pieces: what is dark or of one colour looks the same in any camera's JPEG.
no_picture_is_in_the_memory_of_the_other_camera() {
	[ "$(pieces 768 "$(pid_of camgate-camera@video20.service)" wall)" = 0 ] &&
		[ "$(pieces 768 "$(pid_of camgate-camera@video0.service)" looker)" = 0 ]
}

# The number itself, both ways round: libcrypto has it lowest byte first.
identity_key() {
	openssl ec -in /var/lib/camgate/identity.pem -outform DER 2>/dev/null | tail -c +8 | head -c 32 >"$1"
	perl -0777 -pe '$_ = reverse' "$1" >"$1.reversed"
	[ "$(stat -c %s "$1.reversed")" = 32 ]
}

the_hubs_own_key_is_in_the_keepers_memory_and_in_no_other() {
	local one key=$run/identity wrong=0
	identity_key "$key" || return 1
	[ "$(/test/memory 32 "$(pid_of camgate-keeper.service)" "$key" "$key.reversed")" -gt 0 ] || wrong=1
	for one in "${oracle_units[@]:1}"; do
		[ "$(/test/memory 32 "$(pid_of "$one")" "$key" "$key.reversed")" = 0 ] ||
			{ echo "$one holds the hub's key"; wrong=1; }
	done
	shred -u "$key" "$key.reversed"
	[ "$wrong" = 0 ]
}

what_watching_displays_cost_is_seen() {
	! holds_no_more_than "$run/held" >"$run/more" && cat "$run/more" &&
		grep '^camgate-web.service descriptors' "$run/more" && grep '^connections' "$run/more"
}

both_displays_saw_their_own_camera_and_no_mix_up() {
	watch_end looker && watch_end wall
}

nothing_is_left_of_them() {
	within 30 holds_no_more_than "$run/held" || { holds_no_more_than "$run/held"; return 1; }
}

# ---- O-AUDIT ----

drawn_by() {
	sed -n 's/^summary  pictures \([0-9]*\) .*/\1/p' "$run/$1.log"
}

# is_on_record DISPLAY PICTURES: one viewing, ended, in which at least so many were sent.
is_on_record() {
	camgate audit --display "$1" --json | awk -v after="$(cat "$run/recorded")" -v drawn="$2" '
		{ gsub(/[",]/, "") }
		$1 == "entry:" { mine = $2 > after }
		mine && $1 == "ended:" { viewings++; ended += $2 == "true" }
		mine && $1 == "sent:" { sent = $2 }
		END { exit !(viewings == 1 && ended == 1 && sent >= drawn) }'
}

each_picture_they_drew_is_on_record() {
	within 10 is_on_record wall "$(drawn_by wall)" && within 10 is_on_record looker "$(drawn_by looker)"
}

pictures_that_are_not_on_record_are_seen() {
	! is_on_record looker 1000000 && ! is_on_record planted 0
}

# By somebody who may do all: the store's own guard goes first. The store of before is put back.
the_record_holds_until_an_entry_is_changed() {
	local state=/var/lib/camgate
	camgate audit --verify || return 1
	systemctl stop camgate.target camgate-web.socket camgate-keeper.service
	rm -rf "$run/state" && cp -a "$state" "$run/state" && sqlite3 -bail "$state/camgate.db" \
		"DROP TRIGGER audit_append_only; UPDATE audit SET sent = sent + 1
			WHERE sequence = (SELECT max(sequence) FROM audit WHERE sent > 0)" &&
		systemctl start camgate.target && within 30 all_run_again || return 1
	! camgate audit --verify || return 1
	systemctl stop camgate.target camgate-web.socket camgate-keeper.service
	rm "$state"/camgate.db* && cp -a "$run/state"/camgate.db* "$state/" && rm -r "$run/state" &&
		systemctl start camgate.target && within 30 all_run_again && camgate audit --verify
}

all_run_again() {
	systemctl is-active camgate-web.socket "${roles[@]}" && camgate status
}

# shellcheck disable=SC2034 # for those that source it
oracles_chapter=(
	a_hub_with_two_cameras_holds_what_it_holds
	a_planted_picture_of_another_camera_is_seen_as_foreign
	two_displays_watch_for_the_oracles
	a_picture_is_found_in_the_memory_of_the_display_that_opened_it
	no_picture_is_in_the_memory_of_the_keeper_or_the_web_role
	no_picture_is_in_the_memory_of_the_other_camera
	the_hubs_own_key_is_in_the_keepers_memory_and_in_no_other
	what_watching_displays_cost_is_seen
	both_displays_saw_their_own_camera_and_no_mix_up
	nothing_is_left_of_them
	each_picture_they_drew_is_on_record
	pictures_that_are_not_on_record_are_seen
	the_record_holds_until_an_entry_is_changed
)
