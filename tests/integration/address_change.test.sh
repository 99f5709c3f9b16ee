#!/bin/bash
# The hub's address changes while a display watches: the certificate names the new one within seconds,
# nobody restarts anything, and a display that comes by the new address is served. In two network
# namespaces joined by a cable, as second_host.test.sh. Prints TAP. Needs root for the namespaces.
set -u

# shellcheck source=tests/integration/hosts.sh
. "$(dirname "$0")/hosts.sh"

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

join_hosts address_change 192.168.77.1/24 192.168.77.2/24 192.168.78.2/24 198.51.100.2/24 || exit 1
start_hub ip netns exec "$hub_host"
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

tap_end
