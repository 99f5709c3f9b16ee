#!/bin/bash
# What systemd is told of `listen` in the configuration: the generator, run as systemd runs it, and the
# socket unit with what it wrote. The virtual hub moves a real port by it (tests/hub/story_address.sh).
# Prints TAP.
set -u

root=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/tap.sh
. "$root/tests/tap.sh"
camgate=${CAMGATE:-$root/build/camgate}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
drop_in=$work/units/camgate-web.socket.d/10-listen.conf
tap_begin "$drop_in" "$work/log"

sed "s|/usr/bin/camgate generator .*|$camgate generator \"\$1\" $work/camgate.conf|" \
	"$root/udev/camgate-generator" >"$work/camgate-generator"
chmod +x "$work/camgate-generator"

# generate LINE...: with these lines in the section hub. What it says is in the log.
generate() {
	rm -rf "$work/units" "$work/early" "$work/late"
	mkdir "$work/units" "$work/early" "$work/late"
	printf '%s\n' "[hub]" "$@" >"$work/camgate.conf"
	"$work/camgate-generator" "$work/units" "$work/early" "$work/late" >"$work/log" 2>&1
}

# Nothing is written anywhere.
nothing() {
	[ -z "$(find "$work/units" "$work/early" "$work/late" -type f)" ]
}

# listens LISTEN SOCKET: the drop-in takes away what the unit has, and gives it this one.
listens() {
	generate "listen = $1" && [ ! -s "$work/log" ] &&
		[ "$(grep -v '^#' "$drop_in")" = "[Socket]
ListenStream=
ListenStream=$2" ]
}

generate "linger = 3" && nothing && [ ! -s "$work/log" ]
check $? "without_a_listen_nothing_is_written_or_said"
rm "$work/camgate.conf"
"$work/camgate-generator" "$work/units" "$work/early" "$work/late" >"$work/log" 2>&1 && nothing && [ ! -s "$work/log" ]
check $? "without_a_configuration_nothing_is_written_or_said"

listens "[::]:443" "[::]:443"
check $? "a_port_replaces_that_of_the_unit"
listens "192.0.2.1:8444" "192.0.2.1:8444" && listens "[2001:db8::1]:8444" "[2001:db8::1]:8444"
check $? "an_address_is_taken_as_it_is"
listens ":8444" "[::]:8444" && listens 8444 "[::]:8444"
check $? "a_port_alone_is_that_of_all_addresses"

for wrong in localhost:8444 "[::]:0" "%H:8444" "[fe80::1%lo]:8444"; do
	if generate "listen = $wrong" || ! nothing || ! grep -qF "listen = $wrong is nothing" "$work/log"; then
		false
		break
	fi
done
check $? "what_systemd_cannot_listen_on_is_told_and_left_out"

! generate "listen = [::]:8444" "linger = soon" && nothing && grep -q "camgate.conf:3: linger" "$work/log" &&
	grep -q "camgate-web.socket does not follow it" "$work/log"
check $? "an_error_in_the_configuration_is_told_and_the_port_stays"

printf '[hub]\nlisten = [::]:8444\n' >"$work/camgate.conf"
! "$work/camgate-generator" "$work/camgate.conf" >"$work/log" 2>&1 && grep -q "cannot write .*: Not a directory" "$work/log"
check $? "a_directory_that_cannot_be_written_to_is_told"

# systemd's own word. The second shows that it looks at what is written there at all.
verified() {
	SYSTEMD_UNIT_PATH="$work/units:$root/udev:" systemd-analyze verify --man=no "$root/udev/camgate-web.socket" \
		>"$work/log" 2>&1 && ! grep -q 10-listen.conf "$work/log"
}

if systemd-analyze --version >/dev/null 2>&1; then
	listens "[::]:443" "[::]:443" && verified
	check $? "systemd_finds_no_mistake_in_it"
	echo "ListenStream=there:8444" >>"$drop_in"
	! verified && grep -q "10-listen.conf:5" "$work/log"
	check $? "and_would_find_one"
else
	skip "systemd_finds_no_mistake_in_it" "there is no systemd-analyze"
fi

tap_end
