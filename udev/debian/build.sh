#!/bin/bash
# Builds the Debian package in a clean chroot of its suite, and asks lintian about it.
#
#     build.sh SUITE HOST DIRECTORY [PROGRAM]...
#
#     SUITE: bookworm or trixie; HOST: amd64, arm64, … as dpkg says
#
# leaves DIRECTORY/camgate_VERSION_HOST.deb. The PROGRAMs, which are no part of it (tests/hub/picture), are
# built there too and lie in DIRECTORY/SUITE-HOST/programs, with the package as camgate.deb and its camgate.
# What was made from the same files is not made again, nor is the chroot, kept in DIRECTORY/SUITE-HOST,
# while what is built with stays the same. Needs mmdebstrap, and root or uidmap. The mirror is
# $DEB_MIRROR, or that of this machine.
set -euo pipefail

suite=$1
host=$2
programs=${*:4}
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
mkdir -p "$3/$suite-$host"
out=$(cd "$3" && pwd)
cache=$out/$suite-$host
mirror=${DEB_MIRROR:-$("$root/tests/install/mirror.sh")}
build=$(dpkg --print-architecture)

case $suite in
bookworm) suite_version=+deb12 ;;
trixie) suite_version=+deb13 ;;
*)
	echo "deb: there is no suite '$suite' here: SUITE=bookworm or SUITE=trixie" >&2
	exit 2
	;;
esac
if ! command -v mmdebstrap >/dev/null; then
	echo "deb: mmdebstrap is missing: tests/install/packages.sh deb installs it" >&2
	exit 1
fi
# Root in a namespace is enough to make a chroot, and the build has no network.
as_root=(unshare --mount --pid --fork --kill-child --net)
if [ "$(id -u)" != 0 ]; then
	as_root+=(--user --map-auto --map-root-user)
fi

exec 9>"$cache/lock"
flock 9 # one at a time

# Runs something that has much to say, which is of interest only if it fails.
quietly() {
	"$@" >"$cache/log" 2>&1 || {
		tail -n 60 "$cache/log" >&2
		echo "deb: failed; all of it is in $cache/log" >&2
		return 1
	}
}

chroot_make() {
	local depends cross=()
	echo "deb: making a clean $suite for $host (a minute or two)"
	rm -rf "$cache/depends"
	depends=$cache/depends
	mkdir -p "$depends/debian"
	cp "$here/control" "$here/changelog" "$depends/debian/"
	if [ "$host" != "$build" ]; then
		cross=(--architectures="$build,$host"
			--include="crossbuild-essential-$host,libc6-dev:$host")
	fi
	quietly mmdebstrap --variant=buildd --include=lintian,fakeroot "${cross[@]}" \
		--customize-hook="copy-in \"$depends\" /" \
		--customize-hook="chroot \"\$1\" sh -c 'cd /depends && DEBIAN_FRONTEND=noninteractive apt-get build-dep -q -y --no-install-recommends -a$host -Pnocheck ./'" \
		--customize-hook="rm -rf \"\$1/depends\"" \
		"$suite" "$cache/new.tar" "$mirror"
	rm -rf "$depends"
	mv "$cache/new.tar" "$cache/root.tar"
}

# Only what decides about the chroot.
stamp="$suite $host $mirror $({ sed "/^Standards-Version/q" "$here/control"; declare -f chroot_make; } | sha256sum)"
if [ "$(cat "$cache/stamp" 2>/dev/null)" != "$stamp" ]; then
	rm -f "$cache/stamp"
	chroot_make
	echo "$stamp" >"$cache/stamp"
fi

# What git knows of, and what is new and not ignored.
files() {
	git -C "$root" ls-files -z --cached --others --exclude-standard | sort -zu |
		(cd "$root" && xargs -0 sh -c 'for f; do [ -e "$f" ] && printf "%s\0" "$f"; done' sh)
}

version=$(sed -n "1s/.*(\(.*\)).*/\1$suite_version/p" "$here/changelog")
upstream=$(sed -n 's/^VERSION := //p' "$root/Makefile")
if [ "$version" != "$upstream$suite_version" ]; then
	echo "deb: Makefile says version $upstream, udev/debian/changelog $version: make them agree" >&2
	exit 1
fi
deb=$out/camgate_${version}_$host.deb
# What the tests have beside programs makes no difference.
made="$programs $(cat "$cache/stamp") $(files | grep -zE '^(gateway|v4l2|web|udev)/|^Makefile|^tests/.*[.][ch]$' |
	(cd "$root" && xargs -0 sha256sum) | sha256sum)"
if [ "$(cat "$cache/made-of" 2>/dev/null)" = "$made" ] && [ -e "$deb" ]; then
	echo "deb: $deb is there already, of the same files"
	exit 0
fi
rm -f "$cache/made-of"
tree=$cache/tree
rm -rf "$tree"
mkdir -p "$tree/camgate"
files | tar -C "$root" -c --null -T - | tar -x -C "$tree/camgate"
cp -a "$tree/camgate/udev/debian" "$tree/camgate/debian"
sed -i "1s/)/$suite_version)/" "$tree/camgate/debian/changelog"
echo "deb: building camgate $version for $host"
export cache host programs
# shellcheck disable=SC2016 # expanded by the inner shell
quietly "${as_root[@]}" bash -euc '
	trap "umount -R \"$cache/root\" 2>/dev/null || true; rm -rf --one-file-system \"$cache/root\"" EXIT
	rm -rf --one-file-system "$cache/root"
	mkdir -p "$cache/root"
	mount --bind "$cache/root" "$cache/root"
	tar -xf "$cache/root.tar" -C "$cache/root" --exclude="./dev/*"
	mount -t proc proc "$cache/root/proc"
	for node in null zero full random urandom; do
		touch "$cache/root/dev/$node"
		mount --bind "/dev/$node" "$cache/root/dev/$node"
	done
	mkdir -p "$cache/root/build"
	cp -r "$cache/tree/camgate" "$cache/root/build/"
	env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/nonexistent LC_ALL=C.UTF-8 host="$host" \
		programs="$programs" \
		DEB_BUILD_OPTIONS="nocheck parallel=$(nproc)" DEB_BUILD_PROFILES=nocheck \
		chroot "$cache/root" sh -euc "
			cd /build/camgate
			dpkg-buildpackage -us -uc -b -a\"\$host\"
			gnu_type=\$(dpkg-architecture -a\"\$host\" -qDEB_HOST_GNU_TYPE)
			for program in \$programs; do
				make -s BUILD=debian/build CC=\"\$gnu_type-gcc\" AR=\"\$gnu_type-ar\" \
					PKG_CONFIG=\"\$gnu_type-pkg-config\" \"debian/build/\$program\"
				install -D -m 755 \"debian/build/\$program\" \"../programs/\$program\"
			done
			install -D -m 755 debian/camgate/usr/bin/camgate ../programs/camgate
			echo \"lintian:\"
			lintian --allow-root --fail-on error,warning --tag-display-limit 0 ../camgate_*.changes"
	rm -rf "$cache/made" "$cache/programs"
	mkdir "$cache/made"
	cp -r "$cache/root/build/programs" "$cache/"
	cp "$cache"/root/build/camgate_*.deb "$cache"/root/build/camgate-dbgsym_*.*deb "$cache/made/"
'
sed -n '/^lintian:$/,$s/^/deb: /p' "$cache/log"
rm -f "$out"/camgate_*"${suite_version}_$host.deb" "$out"/camgate-dbgsym_*"${suite_version}_$host.deb"
mv "$cache"/made/* "$out/"
cp "$deb" "$cache/programs/camgate.deb"
rm -rf "$tree" "$cache/made"
echo "$made" >"$cache/made-of"
echo "deb: $deb"
