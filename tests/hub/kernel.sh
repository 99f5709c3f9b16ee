#!/bin/bash
# Fetches the kernel of a suite, and builds v4l2loopback for it with that suite's compiler.
#
#     kernel.sh SUITE ARCH MIRROR OUT.tar
#
# leaves a tar with the kernel's package as it is installed (kit/boot, kit/lib/modules), v4l2loopback among
# the modules, and busybox for the initramfs. All of it happens in a system of that suite that is thrown
# away, so it is the same on every machine: a minute or two. Needs root, or uidmap.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
suite=$1
arch=$2
# shellcheck source=tests/hub/machine.sh
. "$here/machine.sh"
build=$(dpkg --print-architecture)
compiler=gcc
cross=
if [ "$arch" != "$build" ]; then
	cross=$gnu_type-
	compiler=gcc-${gnu_type//_/-}
fi

# Given to a shell inside; $kernel is the version, as uname says it.
# shellcheck disable=SC2016,SC2089,SC2090
inside='
	depends() {
		apt-cache depends "$1" | sed -n "s/^ *Depends: \(linux-[a-z]*-[0-9][^ :]*\).*/\1/p"
	}
	mkdir -p /kit /debs
	cd /debs
	kernel=$(depends "linux-image-$arch:$arch" | sed -n "s/^linux-image-//p" | head -n 1)
	# What runs while building comes without a colon: for this machine.
	kbuild=$(depends "linux-headers-$kernel:$arch" | grep "^linux-kbuild-")
	apt-get -q download "linux-image-$kernel:$arch" "linux-headers-$kernel:$arch" \
		"linux-headers-${kernel%-*}-common" "$kbuild" v4l2loopback-dkms "busybox-static:$arch"
	for deb in *.deb; do
		case $deb in
		linux-image-*|busybox-*) dpkg -x "$deb" /kit ;;
		*) dpkg-deb --fsys-tarfile "$deb" | tar -x -C / --keep-directory-symlink ;;
		esac
	done
	[ -e /kit/lib ] || ln -s usr/lib /kit/lib
	[ -e /kit/bin ] || ln -s usr/bin /kit/bin
	loopback=$(echo /usr/src/v4l2loopback-*)
	make -C "/usr/src/linux-headers-$kernel" M="$loopback" ARCH="$kernel_arch" CROSS_COMPILE="$cross" \
		CC="${cross}gcc" modules
	install -D -m 644 "$loopback/v4l2loopback.ko" "/kit/lib/modules/$kernel/extra/v4l2loopback.ko"
	depmod -b /kit "$kernel"
	echo "$kernel" >/kit/version
	rm -rf /kit/usr/share
'
# shellcheck disable=SC2090 # a script
export inside arch cross kernel_arch
architectures=$build
[ "$arch" = "$build" ] || architectures=$build,$arch
mmdebstrap --quiet --variant=apt --architectures="$architectures" --format=null \
	--include="make,kmod,pahole,$compiler,libc6-dev,libelf1,xz-utils" \
	--customize-hook="chroot \"\$1\" sh -euc \"\$inside\"" \
	--customize-hook="tar-out /kit \"$4.new\"" "$suite" - "$3"
mv "$4.new" "$4"
