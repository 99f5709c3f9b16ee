#!/bin/bash
# The hub on one host, the display on another: two network namespaces joined by a cable. The display
# knows nothing but the link that the hub printed. Prints TAP. Needs root for the namespaces.
# $CAMGATE names the camgate to try; the display lies beside it.
set -u

root=$(cd "$(dirname "$0")/../.." && pwd)
camgate=${CAMGATE:-$root/build/camgate}
display=$(dirname "$camgate")/tests/integration/display
hub_host=camgate-hub-$$
display_host=camgate-display-$$
work=$(mktemp -d)
number=0
failed=0
pid=

# shellcheck disable=SC2317 # called by the trap
finish() {
	[ -n "$pid" ] && kill "$pid" 2>/dev/null
	wait 2>/dev/null
	ip netns delete "$hub_host" 2>/dev/null
	ip netns delete "$display_host" 2>/dev/null
	rm -rf "$work"
}
trap finish EXIT

check() {
	number=$((number + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $number - $2"
	else
		echo "not ok $number - $2"
		sed 's/^/# /' "$work"/*.log
		failed=1
	fi
}

if ! ip netns add "$hub_host" 2>"$work/reason"; then
	echo "1..0 # SKIP second_host: no network namespaces here: $(cat "$work/reason")"
	echo "ok 1 - second_host # SKIP no network namespaces here"
	exit 77
fi
# Addresses set aside for documentation (RFC 5737), visible in these two namespaces only.
ip netns add "$display_host" &&
	ip link add cable0 netns "$hub_host" type veth peer name cable0 netns "$display_host" &&
	ip -n "$hub_host" address add 198.51.100.1/24 dev cable0 &&
	ip -n "$display_host" address add 198.51.100.2/24 dev cable0 &&
	for host in "$hub_host" "$display_host"; do
		ip -n "$host" link set lo up && ip -n "$host" link set cable0 up || exit 1
	done
check $? "two_hosts_are_joined_by_a_cable"

ip netns exec "$hub_host" "$camgate" run --state "$work/state" --camera pattern:640x480@15 \
	>"$work/hub.log" 2>&1 &
pid=$!
end=$((SECONDS + 20))
until grep -q '#pair=' "$work/hub.log" || [ "$SECONDS" -ge "$end" ]; do
	sleep 0.1
done
link=$(grep -o 'https://[^ ]*#pair=[A-Za-z0-9_-]*' "$work/hub.log" | head -n 1)
[ "${link%%#*}" = "https://198.51.100.1:8443/" ]
check $? "the_first_link_has_an_address_that_the_other_host_can_open"

ip netns exec "$display_host" "$display" --link "$link" --keys "$work/keys" --name Tablet --frames 20 \
	--seconds 20 >"$work/display.log" 2>&1
check $? "a_display_on_the_other_host_pairs_by_the_printed_link_and_sees_the_camera"

ip netns exec "$display_host" "$display" --link "$link" --keys "$work/others-keys" --name Thief \
	--frames 1 --seconds 5 >"$work/again.log" 2>&1
[ $? -eq 1 ]
check $? "the_link_works_once"

"$camgate" status --state "$work/state" >"$work/status.log" &&
	grep -q '^mix-up alarms  *0$' "$work/status.log"
check $? "nothing_was_mixed_up"

echo "1..$number"
exit $failed
