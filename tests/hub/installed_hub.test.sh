#!/bin/bash
# The package, built in a clean chroot and installed with apt in the virtual hub: see run.sh and
# installed_hub.sh. A display out here watches the whole story, through restarts and a power cut.
set -euo pipefail

# shellcheck source=tests/hub/package.sh
. "$(dirname "$0")/package.sh"
work=$(mktemp -d)
port=$((20000 + $$ % 10000))
display=
# shellcheck disable=SC2317 # called by the trap
finish() {
	[ -z "$display" ] || kill "$display" 2>/dev/null || true
	rm -rf "$work"
}
trap finish EXIT

# A later version, with a configuration file that is not the same, so that there is something to upgrade to.
later_make() {
	dpkg-deb -R "$deb" "$work/later"
	sed -i 's/^Version: .*/&.1/' "$work/later/DEBIAN/control"
	echo "# of the later package" >>"$work/later/etc/camgate/camgate.conf"
	dpkg-deb -Zgzip -z1 --root-owner-group -b "$work/later" "$work/later.deb" >/dev/null
}

# As soon as the hub has said the link.
outside_watch() {
	local link=
	while [ -z "$link" ]; do
		sleep 0.5
		link=$(tr -d '\r' <"$work/output" | sed -n 's/^# outside //p')
	done
	exec "$build/tests/integration/display" --link "$link" --forwarded "$port" --keys "$work/outside.keys" \
		--name outside --uncoded --reconnect --seconds 7200 >"$work/outside.log" 2>&1
}

number=0
check() {
	number=$((number + 1))
	if "$@"; then
		echo "ok $number - $1"
	else
		sed 's/^/# /' "$work/outside.log"
		echo "not ok $number - $1"
		status=1
	fi
}

a_display_outside_saw_only_its_own_camera_all_the_time() {
	kill -INT "$display" && wait "$display"
	tail -n 1 "$work/outside.log" | grep '^summary  pictures [1-9].* foreign 0  anomalies 0 ' &&
		! grep -E '^(foreign|refused) ' "$work/outside.log"
}

# Roles, upgrades and the machine itself: after the last restart too.
it_was_live_again_after_each_end() {
	awk '$1 == "closed" || $1 == "ended" { ends++; live = 0 } $1 == "live" { lives++; live = 1 }
		END { exit !(ends >= 5 && lives >= 5) }' "$work/outside.log"
}

# How long it saw nothing each time, for people to read.
outside_figures() {
	awk '{ t = $NF }
		($1 == "closed" || $1 == "ended") && dark == "" { dark = t }
		$1 == "live" { if (dark != "") printf " %.1f", (t - dark) / 1000; dark = "" }' "$work/outside.log"
}

later_make
: >"$work/output"
outside_watch &
display=$!
status=0
HUB_TIMEOUT=${HUB_TIMEOUT:-2100} "$here/run.sh" -b "$programs" -r -n "$port" -o "$work/output" \
	-f "$deb" -f "$work/later.deb" -f "$here/store_v1.sql" installed_hub.sh >"$work/tap" ||
	status=$?
grep -v '^1\.\.' "$work/tap" || true
number=$(grep -c -E '^(not )?ok ' "$work/tap" || true)
check a_display_outside_saw_only_its_own_camera_all_the_time
check it_was_live_again_after_each_end
echo "# the display outside saw nothing for these seconds, each time:$(outside_figures)"
echo "1..$number"
exit "$status"
