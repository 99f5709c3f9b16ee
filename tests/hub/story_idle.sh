# shellcheck shell=bash
# Chapter: two cameras, nobody watches, nothing happens. Figures are those of the emulated machine.
# Sourced by troubled_hub.sh, after story.sh.
# shellcheck disable=SC2317 # the tests are called by name
# shellcheck disable=SC2154 # $run: story.sh

idle_s=40
memory_max_kb=40960
cpu_max_permyriad=50

# Ticks of all roles so far.
role_ticks() {
	role_pids | while read -r pid; do
		sed 's/.*) //' "/proc/$pid/stat"
	done | awk '{ sum += $12 + $13 } END { print sum }'
}

# What would change if anything were written.
role_writes() {
	role_pids | while read -r pid; do
		echo "$pid $(grep -E '^(write_bytes|syscw|wchar)' "/proc/$pid/io" | xargs)"
	done
}

state_now() {
	find /var/lib/camgate -printf '%p %s %T@ %C@\n' | sort
}

role_memory() {
	local pid
	for pid in $(role_pids); do
		echo "$(awk '/^Pss:/ { print $2 }' "/proc/$pid/smaps_rollup")" \
			"$(tr '\0' ' ' <"/proc/$pid/cmdline")"
	done
}

two_cameras_and_no_viewer_come_to_rest() {
	plugged && camera_id video20 && [ "$(role_pids | wc -l)" = 4 ] &&
		within 20 camera_is activity idle && within 20 camera_is activity idle video20
}

# One stretch of time is observed; the tests below ask about it.
nothing_ends_or_starts_while_nothing_happens() {
	role_pids >"$run/pids.before"
	state_now >"$run/state.before"
	role_writes >"$run/writes.before"
	date +%s.%N >"$run/idle.since"
	role_ticks >"$run/ticks.before"
	sleep "$idle_s"
	role_ticks >"$run/ticks.after"
	role_writes >"$run/writes.after"
	state_now >"$run/state.after"
	role_pids >"$run/pids.after"
	journal_since "$(cat "$run/idle.since")" >"$run/idle.journal"
	cmp "$run/pids.before" "$run/pids.after"
}

an_idle_hub_needs_less_than_half_a_percent_of_a_core() {
	local ticks permyriad
	ticks=$(($(cat "$run/ticks.after") - $(cat "$run/ticks.before")))
	permyriad=$((ticks * 10000 / (idle_s * $(getconf CLK_TCK))))
	echo "figure idle, two cameras, no viewer: $ticks ticks of CPU in $idle_s s" \
		"($((permyriad / 100)).$(printf %02d $((permyriad % 100))) % of an emulated core)"
	[ "$permyriad" -lt "$cpu_max_permyriad" ]
}

all_roles_together_need_less_than_40_mb() {
	local sum
	role_memory | sed 's/^\([0-9]*\) /figure memory (PSS) \1 kB: /'
	sum=$(role_memory | awk '{ sum += $1 } END { print sum }')
	echo "figure memory (PSS) of all roles: $sum kB"
	[ "$sum" -gt 0 ] && [ "$sum" -lt "$memory_max_kb" ]
}

nothing_is_written_while_nothing_happens() {
	diff "$run/state.before" "$run/state.after" &&
		diff <(grep -o '^[0-9]*\|write_bytes: [0-9]*' "$run/writes.before") \
			<(grep -o '^[0-9]*\|write_bytes: [0-9]*' "$run/writes.after")
}

the_journal_is_silent_while_nothing_happens() {
	cat "$run/idle.journal"
	[ ! -s "$run/idle.journal" ]
}

# shellcheck disable=SC2034 # for those that source it
idle_chapter=(
	two_cameras_and_no_viewer_come_to_rest
	nothing_ends_or_starts_while_nothing_happens
	an_idle_hub_needs_less_than_half_a_percent_of_a_core
	all_roles_together_need_less_than_40_mb
	nothing_is_written_while_nothing_happens
	the_journal_is_silent_while_nothing_happens
)
