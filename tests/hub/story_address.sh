# shellcheck shell=bash
# Chapter: the hub's address changes while a display of another host watches, which knows the hub by name.
# That host is a network namespace, and its own hosts file is the name server. Sourced by installed_hub.sh,
# after story.sh.
# shellcheck disable=SC2317 # the tests are called by name
# shellcheck disable=SC2154 # $run, $work: story.sh

name_leads_to() {
	printf '127.0.0.1 localhost\n%s hub.local\n' "$1" >/etc/netns/outside/hosts
}

# The same display, once its watching in here is over.
a_display_of_another_host_finds_the_hub_by_name() {
	mkdir -p /etc/netns/outside
	name_leads_to 10.9.0.1
	ip netns add outside && ip link add lan0 type veth peer name lan1 netns outside &&
		ip addr add 10.9.0.1/24 dev lan0 && ip link set lan0 up &&
		ip -n outside addr add 10.9.0.9/24 dev lan1 && ip -n outside link set lan1 up || return 1
	ip netns exec outside /test/display --hub https://hub.local:8443 --keys "$work/wall.keys" --name wall \
		--uncoded --reconnect --seconds 1200 >"$run/wall.log" 2>&1 &
	echo $! >"$run/wall.pid"
	live_within 30 wall 0
}

# What was connected is not told: the old address is just not there any more.
after_a_change_of_address_it_is_back_by_name() {
	local before since pids
	before=$(lives wall)
	pids=$(role_pids)
	since=$(now_ms)
	ip addr del 10.9.0.1/24 dev lan0 && ip addr add 10.9.0.77/24 dev lan0 || return 1
	name_leads_to 10.9.0.77
	live_within 60 wall "$before" "change of address to picture" "$since" && nothing_foreign wall &&
		[ "$(role_pids)" = "$pids" ]
}

the_display_of_the_other_host_saw_nothing_wrong() {
	watch_end wall
	ip netns del outside && ip link del lan0 2>/dev/null
	grep -q '^summary  pictures [1-9].* foreign 0  anomalies 0 ' "$run/wall.log"
}

# shellcheck disable=SC2034 # for those that source it
address_chapter=(
	a_display_of_another_host_finds_the_hub_by_name
	after_a_change_of_address_it_is_back_by_name
	the_display_of_the_other_host_saw_nothing_wrong
)
