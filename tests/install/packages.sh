#!/bin/sh
# Installs the Debian packages that are missing for what is asked: build, check, scripts, browser, hub,
# hub-arm64, deb, fuzz, lint.
# Says what and why before it does anything; says nothing when nothing is missing.
set -eu

build="gcc make libc6-dev pkgconf libwebsockets-dev libssl-dev libv4l-dev libturbojpeg0-dev libudev-dev
	libsqlite3-dev libseccomp-dev libjansson-dev libqrcodegen-dev libinih-dev"
check="libcmocka-dev umockdev"
browser="chromium firefox-esr"
scripts="v4l-utils iproute2 procps udev mandoc curl openssl"
# fakeroot and uidmap stand in for root where the tests are not run by root.
hub="qemu-system-x86 mmdebstrap git e2fsprogs kmod cpio xz-utils fakeroot uidmap"
# For make test-hub ARCH=arm64 alone.
hub_arm64="qemu-system-arm qemu-user-static binfmt-support arch-test"
deb="mmdebstrap uidmap git"
# The runtime of the sanitizers and of libFuzzer.
fuzz="clang libclang-rt-dev"
lint="shellcheck clang clang-format"

is_installed() {
	[ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Takes one list of names.
missing() {
	for package in $1; do
		is_installed "$package" || printf '%s ' "$package"
	done
}

# A compiler or a node from elsewhere will do.
missing_programs() {
	for pair in "$@"; do
		command -v "${pair%%:*}" >/dev/null 2>&1 || printf '%s ' "${pair##*:}"
	done
}

wanted=
for what in "$@"; do
	case $what in
	build) wanted="$wanted $(missing "$build")" ;;
	check) wanted="$wanted $(missing "$check") $(missing_programs node:nodejs)" ;;
	scripts) wanted="$wanted $(missing "$scripts")" ;;
	browser) wanted="$wanted $(missing "$browser") $(missing_programs node:nodejs npm:npm)" ;;
	hub) tests/hub/possible.sh >/dev/null && wanted="$wanted $(missing "$hub")" ;;
	hub-arm64) wanted="$wanted $(missing "$hub_arm64")" ;;
	deb) wanted="$wanted $(missing "$deb")" ;;
	fuzz) wanted="$wanted $(missing "$fuzz")" ;;
	lint) wanted="$wanted $(missing "$lint") $(missing_programs node:nodejs)" ;;
	*)
		echo "packages.sh: what is '$what'? One of build check scripts browser hub hub-arm64 deb fuzz lint" >&2
		exit 2
		;;
	esac
done
if ! command -v dpkg-query >/dev/null 2>&1; then
	echo "camgate: this is not a Debian system; these packages are needed, by whatever name they have" >&2
	echo "here: $build" >&2
	exit 0
fi
wanted=$(printf '%s' "$wanted" | tr -s ' ')
wanted=${wanted# }
[ -z "$wanted" ] && exit 0

sudo=
if [ "$(id -u)" -ne 0 ]; then
	if ! command -v sudo >/dev/null 2>&1; then
		echo "camgate needs packages that are not installed ($*). Install them as root:" >&2
		echo "  apt-get install --no-install-recommends $wanted" >&2
		exit 1
	fi
	sudo=sudo
fi
echo "Installing what camgate needs ($*) with apt${sudo:+, as root through sudo}:"
echo "  $wanted"
apt_install() {
	# shellcheck disable=SC2086 # a list of names
	$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $wanted
}
# A fresh system has no package lists, an old one has lists of packages that are gone.
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! apt_install >"$log" 2>&1; then
	$sudo apt-get update -q >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
	apt_install >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
fi
