#!/bin/sh
# The manual names every command, option and key that there is, and the example can be used.
set -u
cd "$(dirname "$0")/../.." || exit 1
camgate=${CAMGATE:-build/camgate}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck source=tests/tap.sh
. tests/tap.sh
tap_begin

text() {
	sed 's/\\&//g' "udev/$1"
}

missing=
for command in $("$camgate" help | sed -n 's/^  \([a-z-]*\) .*/\1/p'); do
	text camgate.8 | grep -qE "^\.(It )?Cm .*\b$command\b" || missing="$missing $command"
	for option in $("$camgate" "$command" --help 2>/dev/null | sed -n 's/^  --\([a-z-]*\).*/\1/p'); do
		text camgate.8 | grep -qE "^\.It Fl -$option( |\$)" || missing="$missing --$option"
	done
done
[ -z "$missing" ]
check $? "the manual names every command and option${missing:+, but for$missing}"

# What begins with # and a letter or a bracket is a setting, switched off.
sed -n 's/^#\([a-z[]\)/\1/p; t; /^\[/p' udev/camgate.conf | grep -v '^tls_' >"$work/camgate.conf"
said=$("$camgate" check-config "$work/camgate.conf")
[ "$said" = ok ]
check $? "the example can be used with everything in it switched on${said:+: $said}"
said=$("$camgate" check-config udev/camgate.conf)
[ "$said" = ok ]
check $? "the example can be used as it is${said:+: $said}"

missing=
for key in name hosts listen tls_cert tls_key linger rotate record_size record_days connections mode; do
	text camgate.conf.5 | grep -qE "^\.It Ic $key = " || missing="$missing $key(manual)"
	grep -qE "^#$key = " udev/camgate.conf || missing="$missing $key(example)"
done
[ -z "$missing" ]
check $? "manual and example name every key${missing:+, but for$missing}"

if command -v mandoc >/dev/null 2>&1; then
	said=$(mandoc -Tlint -Wwarning udev/camgate.8 udev/camgate.conf.5 2>&1 | grep -v 'mandoc\.db')
	[ -z "$said" ]
	check $? "mandoc finds nothing wrong with the manual${said:+: $said}"
else
	skip "mandoc finds nothing wrong with the manual" "there is no mandoc"
fi
tap_end
