#!/bin/bash
# The hub on one host, the display on another: two network namespaces joined by a cable. The display
# knows nothing but the link that the hub printed. Prints TAP. Needs root for the namespaces.
# $CAMGATE names the camgate to try; the display lies beside it.
set -u

# shellcheck source=tests/integration/hosts.sh
. "$(dirname "$0")/hosts.sh"

# Addresses set aside for documentation (RFC 5737), visible in these two namespaces only.
join_hosts second_host 198.51.100.1/24 198.51.100.2/24
check $? "two_hosts_are_joined_by_a_cable"

start_hub ip netns exec "$hub_host"
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

tap_end
