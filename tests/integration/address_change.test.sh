#!/bin/bash
# The hub's address changes while a display watches: the certificate names the new one within seconds,
# nobody restarts anything, and a display that comes by the new address is served. In two network
# namespaces joined by a cable, as second_host.test.sh. Prints TAP. Needs root for the namespaces.
set -u

root=$(cd "$(dirname "$0")/../.." && pwd)
camgate=${CAMGATE:-$root/build/camgate}
display=$(dirname "$camgate")/tests/integration/display
hub_host=camgate-moving-$$
display_host=camgate-staying-$$
work=$(mktemp -d)
number=0
failed=0
pid=
watcher=

# shellcheck disable=SC2317 # called by the trap
finish() {
	[ -n "$watcher" ] && kill "$watcher" 2>/dev/null
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

# await SECONDS COMMAND...
await() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ "$SECONDS" -ge "$end" ] && return 1
		sleep 0.1
	done
}

# What the server shows at this address: certificate and its key, to files.
fetch() {
	ip netns exec "$display_host" openssl s_client -connect "$1:8443" </dev/null 2>/dev/null |
		openssl x509 >"$work/$2.pem" 2>/dev/null
	openssl x509 -in "$work/$2.pem" -noout -pubkey >"$work/$2.key" 2>/dev/null
}

names() {
	fetch "$1" now
	openssl x509 -in "$work/now.pem" -noout -checkip "$1" 2>/dev/null | grep -q 'does match'
}

logged() {
	grep -q "$1" "$work/hub.log"
}

if ! ip netns add "$hub_host" 2>"$work/reason"; then
	echo "1..0 # SKIP address_change: no network namespaces here: $(cat "$work/reason")"
	echo "ok 1 - address_change # SKIP no network namespaces here"
	exit 77
fi
ip netns add "$display_host" &&
	ip link add cable0 netns "$hub_host" type veth peer name cable0 netns "$display_host" &&
	ip -n "$hub_host" address add 192.168.77.1/24 dev cable0 &&
	ip -n "$display_host" address add 192.168.77.2/24 dev cable0 &&
	ip -n "$display_host" address add 192.168.78.2/24 dev cable0 &&
	ip -n "$display_host" address add 198.51.100.2/24 dev cable0 &&
	for host in "$hub_host" "$display_host"; do
		ip -n "$host" link set lo up && ip -n "$host" link set cable0 up || exit 1
	done

ip netns exec "$hub_host" "$camgate" run --state "$work/state" --camera pattern:640x480@15 \
	>"$work/hub.log" 2>&1 &
pid=$!
await 20 logged '#pair='
link=$(grep -o 'https://[^ ]*#pair=[A-Za-z0-9_-]*' "$work/hub.log" | head -n 1)
names 192.168.77.1
check $? "the_certificate_names_the_address_that_was_there_at_the_start"
fetch 192.168.77.1 first

ip netns exec "$display_host" "$display" --link "$link" --keys "$work/keys" --name Tablet --frames 100 \
	--seconds 30 >"$work/display.log" 2>&1 &
watcher=$!
watched() {
	"$camgate" status --state "$work/state" --json 2>/dev/null | grep -q '"watchers": 1'
}
await 10 watched
check $? "a_display_watches"

ip -n "$hub_host" address add 192.168.78.1/24 dev cable0
await 5 names 192.168.78.1
check $? "a_new_address_is_in_the_certificate_within_seconds"
fetch 192.168.78.1 second
! cmp -s "$work/first.pem" "$work/second.pem" && cmp -s "$work/first.key" "$work/second.key"
check $? "the_renewed_certificate_has_the_same_key"
logged 'a new address: 192.168.78.1$'
check $? "the_journal_says_so"

wait "$watcher"
code=$?
watcher=
"$camgate" status --state "$work/state" >"$work/status.log"
[ "$code" -eq 0 ] && ! logged 'role is gone' && ! logged 'ended with code'
check $? "the_display_that_watched_meanwhile_lost_nothing"

ip -n "$hub_host" address del 192.168.77.1/24 dev cable0
await 5 logged 'the address 192.168.77.1 is gone'
check $? "an_address_that_goes_is_told"
fetch 192.168.78.1 third
cmp -s "$work/second.pem" "$work/third.pem"
check $? "and_is_no_reason_for_another_certificate"

ip -n "$hub_host" address add 198.51.100.1/24 dev cable0
await 5 logged 'a new address: 198.51.100.1, which is public'
check $? "a_public_address_is_told_with_what_to_do"
"$camgate" pair --state "$work/state" >"$work/link.log" 2>&1
link=$(ip netns exec "$hub_host" "$camgate" pair --state "$work/state" --cameras all --json | grep -o 'https://[^" ]*#pair=[A-Za-z0-9_-]*' |
	head -n 1)
[ "${link%%#*}" = "https://192.168.78.1:8443/" ] &&
	ip netns exec "$display_host" "$display" --link "$link" --keys "$work/second-keys" --name Phone \
		--frames 5 --seconds 15 >"$work/phone.log" 2>&1
check $? "a_display_pairs_and_watches_by_the_new_address"

echo "1..$number"
exit $failed
