#!/bin/bash
# The hub's host gets another name while a display watches: within seconds the certificate has it, and
# browsers may open the hub by it. As address_change.test.sh, and with a host name of its own. Prints TAP.
# Needs root for the namespaces.
set -u

# shellcheck source=tests/integration/hosts.sh
. "$(dirname "$0")/hosts.sh"
url=https://192.168.77.1:8443/

unshare -u true 2>"$work/reason" || skip_all hostname_change "no host name of its own here: $(cat "$work/reason")"
join_hosts hostname_change 192.168.77.1/24 192.168.77.2/24 || exit 1
# shellcheck disable=SC2016 # expanded by the inner shell
start_hub ip netns exec "$hub_host" unshare -u sh -c 'hostname before && exec "$@"' sh

# called NAME: it is in the certificate, and pages are given by it.
called() {
	ip netns exec "$display_host" openssl s_client -connect 192.168.77.1:8443 </dev/null 2>/dev/null |
		openssl x509 -noout -checkhost "$1" 2>/dev/null | grep -q 'does match' &&
		[ "$(page "$1")" = 200 ]
}

page() {
	ip netns exec "$display_host" curl -s -k -o /dev/null -w '%{http_code}' -H "Host: $1:8443" "$url"
}

watched() {
	"$camgate" status --state "$work/state" --json 2>/dev/null | grep -q '"watchers": 1'
}

called before && called before.local
check $? "a_hub_is_called_as_its_host"
! called after && [ "$(page after.local)" != 200 ]
check $? "and_not_otherwise"

ip netns exec "$display_host" "$display" --link "$link" --keys "$work/keys" --name Tablet --seconds 3600 \
	>"$work/display.log" 2>&1 &
watcher=$!
await 20 watched
check $? "a_display_watches"

nsenter --uts="/proc/$hub_pid/ns/uts" hostname after
await 60 called after && called after.local
check $? "another_name_of_the_host_is_the_hubs_too"
logged 'this host is called after now$' && [ "$(grep -c 'is called' "$work/hub.log")" = 1 ]
check $? "the_journal_says_so_once"
called before && called before.local
check $? "the_name_before_is_still_accepted"

pictures() {
	grep -c '^frame ' "$work/display.log"
}

draws_on() {
	[ "$(pictures)" -gt "$1" ]
}

await 20 draws_on "$(pictures)" && kill -INT "$watcher" && wait "$watcher" &&
	! grep -E '^(closed|ended|foreign|refused) ' "$work/display.log" && ! logged 'role is gone'
check $? "the_display_that_watched_meanwhile_lost_nothing"

tap_end
