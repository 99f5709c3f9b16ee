# shellcheck shell=bash
# Chapter: displays watch over a bad link: one of another host, which is a network namespace, so that the
# clock of its camera is its own; and the one outside of the machine, over the machine's network card.
# Sourced by installed_hub.sh, after story.sh.
# shellcheck disable=SC2317 # the tests are called by name
# shellcheck disable=SC2154 # $run, $work: story.sh

# A round trip of 300 ms, 2 Mbit/s, 5 % loss.
bad_link=(loss 5% rate 2mbit limit 100)

bad_link_is_possible() {
	modprobe sch_netem 2>/dev/null && command -v tc >/dev/null && return 0
	skip "this kernel has no sch_netem, or there is no tc"
	return 1
}

network_card() {
	ip -o -4 addr show to 10.0.2.15 | awk '{ print $2 }'
}

# Paired over it, too.
a_display_far_away_is_live_over_a_bad_link() {
	local link
	bad_link_is_possible || return 0
	within 30 camera_id video20 || return 1
	camgate confirm "$(camera_id video20)" >/dev/null 2>&1
	mkdir -p /etc/netns/far
	printf '127.0.0.1 localhost\n10.8.0.1 hub.local\n' >/etc/netns/far/hosts
	ip netns add far && ip link add far0 type veth peer name far1 netns far &&
		ip addr add 10.8.0.1/24 dev far0 && ip link set far0 up &&
		ip -n far addr add 10.8.0.9/24 dev far1 && ip -n far link set far1 up &&
		tc qdisc add dev far0 root netem delay 150ms "${bad_link[@]}" &&
		tc -n far qdisc add dev far1 root netem delay 150ms "${bad_link[@]}" || return 1
	link=$(link_for --cameras "$(camera_id video20)" --name far)
	ip netns exec far /test/display --link "https://hub.local:8443/#${link#*#}" --keys "$work/far.keys" \
		--name far --reconnect --fresh 1000 --seconds 1200 >"$run/far.log" 2>&1 &
	echo $! >"$run/far.pid"
	live_within 40 far 0
}

the_display_outside_watches_over_a_bad_link() {
	bad_link_is_possible || return 0
	tc qdisc add dev "$(network_card)" root netem delay 300ms "${bad_link[@]}" &&
		within 60 link_lost "$(network_card)" && within 60 outside_watches
}

link_lost() {
	tc -s qdisc show dev "$1" | grep -E 'dropped [1-9]'
}

# O-FRESH: by the time that is drawn in the picture.
live_means_fresh_over_the_bad_link() {
	bad_link_is_possible || return 0
	within 60 link_lost far0 && draws far && nothing_foreign far || return 1
	sed -n 's/^frame .*age_ms \([0-9-]*\).*/\1/p' "$run/far.log" | sort -n |
		awk '{ age[NR] = $1 } END { print "figure age over the bad link, median of one picture a second: " age[int((NR + 1) / 2)] " ms" }'
}

# A second display of it asks for pictures that would have to be younger than they can be.
a_live_picture_that_is_too_old_is_seen() {
	bad_link_is_possible || return 0
	timeout 150 /test/display --link "$(link_for --cameras "$(camera_id video20)" --name impatient)" \
		--keys "$run/impatient.keys" --fresh -5000 --frames 3 --seconds 120 >"$run/impatient.log" 2>&1
	grep '^foreign .*"an old picture, shown as live"' "$run/impatient.log"
}

a_revoke_is_dark_over_the_bad_link() {
	local before since
	bad_link_is_possible || return 0
	draws far || return 1
	since=$(now_ms)
	camgate revoke far "$(camera_id video20)" && within 10 grep '^gone ' "$run/far.log" || return 1
	figure "revoke to dark over the bad link" "$(($(now_ms) - since))"
	before=$(pictures far)
	sleep 3 # for a picture to come that must not
	[ "$(pictures far)" = "$before" ] && sed '1,/^gone /d' "$run/far.log" >"$run/far.after" &&
		! grep '^frame ' "$run/far.after"
}

the_bad_link_showed_nothing_wrong() {
	bad_link_is_possible || return 0
	tc qdisc del dev "$(network_card)" root
	watch_end far
	ip netns del far && ip link del far0 2>/dev/null
	tail -n 1 "$run/far.log" | grep '^summary  pictures [1-9].* foreign 0  anomalies 0 ' &&
		within 60 outside_watches
}

# shellcheck disable=SC2034 # for those that source it
far_chapter=(
	a_display_far_away_is_live_over_a_bad_link
	the_display_outside_watches_over_a_bad_link
	live_means_fresh_over_the_bad_link
	a_live_picture_that_is_too_old_is_seen
	a_revoke_is_dark_over_the_bad_link
	the_bad_link_showed_nothing_wrong
)
