# shellcheck shell=bash
# What the shell tests here share: a hub and displays that are ended with the test, on this host or on two
# that are joined by a cable (network namespaces, which need root). Sourced, with tests/tap.sh.
# shellcheck disable=SC2034 # for those that source it

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=tests/tap.sh
. "$root/tests/tap.sh"
camgate=${CAMGATE:-$root/build/camgate}
display=$(dirname "$camgate")/tests/integration/display
hub_host=camgate-hub-$$
display_host=camgate-display-$$
work=$(mktemp -d)
tap_begin "$work/*.log"

# shellcheck disable=SC2317 # called by the trap
finish() {
	jobs -p | xargs -r kill 2>/dev/null
	wait 2>/dev/null
	ip netns delete "$hub_host" 2>/dev/null
	ip netns delete "$display_host" 2>/dev/null
	rm -rf "$work"
}
trap finish EXIT

# await SECONDS COMMAND...
await() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ "$SECONDS" -ge "$end" ] && return 1
		sleep 0.1
	done
}

# What the hub said.
logged() {
	grep -qs "$1" "$work/hub.log"
}

# join_hosts TEST HUB_ADDRESS DISPLAY_ADDRESS...: both ends of the cable are called cable0.
join_hosts() {
	local host address
	if ! ip netns add "$hub_host" 2>"$work/reason"; then
		skip_all "$1" "no network namespaces here: $(cat "$work/reason")"
	fi
	ip netns add "$display_host" &&
		ip link add cable0 netns "$hub_host" type veth peer name cable0 netns "$display_host" &&
		ip -n "$hub_host" address add "$2" dev cable0 || return 1
	shift 2
	for address in "$@"; do
		ip -n "$display_host" address add "$address" dev cable0 || return 1
	done
	for host in "$hub_host" "$display_host"; do
		ip -n "$host" link set lo up && ip -n "$host" link set cable0 up || return 1
	done
}

# start_hub COMMAND...: a hub with a test picture, by `COMMAND... camgate run`; $link is its first.
start_hub() {
	"$@" "$camgate" run --state "$work/state" --camera pattern:640x480@15 >"$work/hub.log" 2>&1 &
	hub_pid=$!
	await 20 logged '#pair='
	link=$(grep -o 'https://[^ ]*#pair=[A-Za-z0-9_-]*' "$work/hub.log" | head -n 1)
}

