#!/bin/bash
# udev's own program reads the rules for devices that umockdev pretends. The rules run the real
# 'camgate probe', which asks fake cameras; udevadm of later versions runs no programs, so there it is
# run before and the rules import what it said. In a mount namespace with a /run of its own.
# shellcheck disable=SC2317 # the tests are called by name
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/tap.sh
. "$here/../tap.sh"
rules=$here/../../udev/70-camgate.rules
camgate=${CAMGATE:-$here/../../build/camgate}
udevadm=${UDEVADM:-udevadm}
bus=/sys/devices/pci0000:00/0000:00:14.0/usb1/1-1

for program in "$udevadm" umockdev-run unshare; do
	command -v "$program" >/dev/null || { echo "# $program is not installed"; exit 77; }
done
if [ -z "${CAMGATE_RULES_TEST:-}" ]; then
	user=
	[ "$(id -u)" -eq 0 ] || user=--map-root-user
	# shellcheck disable=SC2086 # no argument if empty
	if ! unshare --mount $user mount -t tmpfs none /run 2>/dev/null; then
		echo "# no mount namespaces here"
		exit 77
	fi
	# shellcheck disable=SC2086
	CAMGATE_RULES_TEST=1 exec unshare --mount $user "$0"
fi

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
tap_begin "$tmp/log"
mount -t tmpfs none /run || exit 1
mkdir -p /run/udev/rules.d /run/udev/data "$tmp/data"

# udev gives its programs no environment but the device's properties.
cat >"$tmp/camgate" <<END
#!/bin/sh
echo "\$@" >>"$tmp/asked"
export FAKECAM="$tmp/cameras" LD_PRELOAD="$(dirname "$(realpath "$camgate")")/tests/fakecam/libfakecam.so"
export ASAN_OPTIONS=verify_asan_link_order=0:detect_leaks=0
exec "$(realpath "$camgate")" "\$@"
END
chmod +x "$tmp/camgate"
sed "s|/usr/bin/camgate|$tmp/camgate|" "$rules" >/run/udev/rules.d/70-camgate.rules

cameras() {
	cat >"$tmp/cameras" <<END
video4 card="C270 HD WEBCAM" usb=046d:0825 serial=A1B2C3D4 path=pci-0000:00:14.0-usb-0:1.3:1.0 $1
video5 card="C270 HD WEBCAM" usb=046d:0825 serial=A1B2C3D4 path=pci-0000:00:14.0-usb-0:1.3:1.0 kind=meta
video12 card="Left out" usb=1bcf:2b8a
END
}

# event ACTION DEVICE: what udev would do.
event() {
	local node=/dev/${2##*/}
	: >"$tmp/asked"
	rm -f "$tmp/answer"
	if [ -n "$answers" ]; then
		DEVNAME=$node "$tmp/camgate" probe --udev "$node" >"$tmp/said" && mv "$tmp/said" "$tmp/answer"
	fi
	# shellcheck disable=SC2016 # for the inner shell
	SYSTEMD_DEVICE_VERIFY_SYSFS=0 umockdev-run -d "$here/webcams.umockdev" -- sh -c '
		mkdir -p "$UMOCKDEV_DIR/run/udev"; cp -a "$1" "$UMOCKDEV_DIR/run/udev/"
		exec "$2" test --action="$3" "$4"' sh "$tmp/data" "$udevadm" "$1" "$2" >"$tmp/log" 2>&1
	says "ACTION=$1\$"
}

asked() {
	if [ -n "$answers" ]; then
		grep -q "from '$tmp/answer'" "$tmp/log"
	else
		grep -qx "probe --udev $1" "$tmp/asked"
	fi
}

# Some versions of udevadm read it where umockdev has it, some in the real place.
stored() {
	printf 'I:1\nE:CAMGATE_CAMERA=1\nV:1\n' | tee "$tmp/data/c81:4" >/run/udev/data/c81:4
}

says() {
	grep -qE "^ *$1" "$tmp/log"
}

video4=$bus/1-1.3/1-1.3:1.0/video4linux/video4
video5=$bus/1-1.3/1-1.3:1.0/video4linux/video5
video12=$bus/1-1.5/1-1.5:1.0/video4linux/video12
vbi0=$bus/1-1.3/1-1.3:1.0/video4linux/vbi0

wants_its_unit() {
	says 'SYSTEMD_WANTS=camgate-camera@video4.service$' && says 'CURRENT_TAGS=.*:systemd:'
}

wants_nothing() {
	! says SYSTEMD_WANTS && ! says 'CURRENT_TAGS=.*:systemd:'
}

udev_finds_no_fault_in_the_rules() {
	if "$udevadm" verify --help >/dev/null 2>&1; then
		"$udevadm" verify --resolve-names=never "$rules" >"$tmp/log" 2>&1 || return 1
	fi
	event add "$video4" && ! grep -E '70-camgate.rules:[0-9]+ .*(Invalid|Unknown|unknown|ignor)' "$tmp/log"
}

a_camera_wants_its_unit() {
	event add "$video4" && wants_its_unit && says 'CAMGATE_CAMERA=1$' &&
		says 'CAMGATE_ID=usb:046d:0825:A1B2C3D4$' && says 'CAMGATE_STRENGTH=serial$' &&
		asked /dev/video4
}

a_camera_wants_its_unit_at_every_event() {
	event change "$video4" && wants_its_unit && event online "$video4" && wants_its_unit
}

the_metadata_node_of_a_camera_wants_nothing_and_says_why() {
	event add "$video5" && wants_nothing && says 'CAMGATE_CAMERA=0$' &&
		says 'CAMGATE_REASON=.*metadata node$'
}

what_is_marked_is_not_asked() {
	event add "$video12" && wants_nothing && ! asked /dev/video12
}

other_devices_are_not_asked() {
	event add "$vbi0" && wants_nothing && ! asked /dev/vbi0
}

a_removed_device_is_not_asked() {
	event remove "$video4"
	! asked /dev/video4
}

a_camera_that_cannot_be_opened_now_stays_one() {
	cameras faults=permission
	stored
	event change "$video4" && wants_its_unit
}

what_cannot_be_opened_at_first_is_none() {
	cameras faults=permission
	event add "$video4" && wants_nothing
}

what_is_a_camera_no_more_wants_nothing() {
	cameras kind=m2m
	stored
	event change "$video4" && wants_nothing && says 'CAMGATE_CAMERA=0$'
}

answers=
cameras ''
event add "$video4"
if grep -q 'skipping execution' "$tmp/log"; then
	answers=yes
	sed -i "s|IMPORT{program}=\"[^\"]*\"|IMPORT{file}=\"$tmp/answer\"|" /run/udev/rules.d/70-camgate.rules
fi

for test in udev_finds_no_fault_in_the_rules a_camera_wants_its_unit a_camera_wants_its_unit_at_every_event \
	the_metadata_node_of_a_camera_wants_nothing_and_says_why what_is_marked_is_not_asked \
	other_devices_are_not_asked a_removed_device_is_not_asked \
	a_camera_that_cannot_be_opened_now_stays_one what_cannot_be_opened_at_first_is_none \
	what_is_a_camera_no_more_wants_nothing; do
	: >"$tmp/log"
	cameras ''
	rm -f /run/udev/data/* "$tmp"/data/*
	"$test"
	check $? "$test"
done
tap_end
