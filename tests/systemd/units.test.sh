#!/bin/bash
# The units as systemd reads them: no mistakes in them, and how much each could do if it were taken
# over. Prints TAP.
set -u

root=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/tap.sh
. "$root/tests/tap.sh"
services="camgate-keeper.service camgate-web.service camgate-camera@.service"
others="camgate-web.socket camgate.target"
exposure_max=1.0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tap_begin "$work/log"

# The first that can judge a unit which is not installed.
version=$(systemd-analyze --version 2>/dev/null | sed -n 's/^systemd \([0-9]*\).*/\1/p')
if [ "${version:-0}" -lt 252 ]; then
	skip_all "the_units_are_sound_and_closed" "no systemd-analyze of systemd 252 or later"
fi

# With a program that is there, so that this is not what they are judged by.
for unit in $services $others; do
	sed 's|^\(ExecStart=\)/usr/bin/camgate|\1/bin/true|' "$root/udev/$unit" >"$work/$unit"
done

for unit in $services $others; do
	instance=${unit/@./@video0.}
	SYSTEMD_UNIT_PATH="$work:" systemd-analyze verify --man=no "$work/$instance" >"$work/log" 2>&1 &&
		! grep -q camgate "$work/log"
	check $? "${unit}_has_no_mistake"
done

for unit in $services; do
	systemd-analyze security --offline=true --no-pager --threshold=10 "$work/$unit" >"$work/log" 2>&1 &&
		awk -v max="$exposure_max" '/Overall exposure level/ { found = 1
			for (i = 1; i <= NF; i++) if ($i ~ /^[0-9.]+$/ && $i + 0 > max + 0) exit 1 }
			END { if (!found) exit 1 }' "$work/log"
	check $? "${unit}_is_exposed_at_most_$exposure_max"
done

# What a unit may do is closed by default; these have to be there whatever the sum says.
for unit in $services; do
	for line in NoNewPrivileges=yes ProtectSystem=strict MemoryDenyWriteExecute=yes CapabilityBoundingSet= \
		LimitCORE=0 StartLimitIntervalSec=0 Type=notify; do
		grep -qx -- "$line" "$work/$unit" || echo "$unit lacks $line"
	done
	grep -q '^WatchdogSec=[1-9]' "$work/$unit" && grep -q '^MemoryMax=[1-9]' "$work/$unit" ||
		echo "$unit lacks WatchdogSec= or MemoryMax="
done >"$work/log"
[ ! -s "$work/log" ]
check $? "every_role_is_watched_bounded_and_without_privileges"

# As the program that will read it understands it.
systemd-sysusers --dry-run "$root/udev/camgate.sysusers" >"$work/log" 2>&1
check $? "the_users_can_be_made"

tap_end
