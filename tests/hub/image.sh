#!/bin/bash
# Makes the virtual hub's disk: Debian 12 with systemd and udev, Debian's kernel (unpacked, not
# installed), and v4l2loopback built for it.
#
#     image.sh DIRECTORY        leaves DIRECTORY/{vmlinuz,initrd,root.ext4}
#
# All of it is kept and made again only when this script or the kernel's version changes: about two
# minutes the first time, nothing afterwards. Needs root, or fakeroot.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
cache=$(cd "$1" && pwd)
exec 9>"$cache/lock"
flock 9 # one at a time
mirror=${HUB_MIRROR:-$("$here/../install/mirror.sh")}

# What the tests need inside: a bootable system, and camgate's libraries.
packages=(systemd systemd-sysv udev dbus kmod iproute2 v4l-utils
	libwebsockets17 libssl3 libv4l-0 libturbojpeg0 libudev1 libsqlite3-0 libinih1 libseccomp2
	libjansson4 libqrcodegen1)
# The kernel's parts, each with what it depends on.
modules=(vivid v4l2loopback uvcvideo sch_netem sch_tbf sch_htb virtio_net 9p 9pnet_virtio veth tun)
boot_modules=(virtio_pci virtio_blk crc32c_generic ext4)

say() {
	echo "hub: $*"
}

# Runs something that has much to say, which is of interest only if it fails.
quietly() {
	"$@" >"$cache/log" 2>&1 || { cat "$cache/log" >&2; return 1; }
}

kernel_name() {
	{ apt-cache depends linux-image-amd64 2>/dev/null || true; } |
		sed -n 's/^ *Depends: linux-image-\([^ ]*\)$/\1/p' | head -n 1
}

kernel=$(kernel_name)
if [ -z "$kernel" ] && [ "$(id -u)" = 0 ]; then
	quietly apt-get update
	kernel=$(kernel_name)
fi
if [ -z "$kernel" ]; then
	echo "hub: apt knows no linux-image-amd64: is this Debian 12 with its package lists (apt-get update)?" >&2
	exit 1
fi
mapfile -t headers_parts < <(apt-cache depends "linux-headers-$kernel" |
	sed -n 's/^ *Depends: \(linux-[^ ]*\)$/\1/p')
stamp="$kernel $(cat "$here/image.sh" "$here/init" "$here/hub-test.service" "$here/hub.network" | sha256sum)"
if [ "$(cat "$cache/stamp" 2>/dev/null)" = "$stamp" ]; then
	exit 0
fi
rm -f "$cache/stamp"
work=$cache/work
rm -rf "$work"
debs=$cache/debs/$kernel
mkdir -p "$work/root" "$debs"

# The base system depends on nothing here that changes often, so it is kept apart.
base=$cache/base-$(echo "${packages[*]} $mirror" | sha256sum | cut -c 1-16).tar
if [ ! -e "$base" ]; then
	say "making a Debian 12 system (half a minute)"
	rm -f "$cache"/base-*.tar
	mmdebstrap --quiet --variant=minbase --include="$(IFS=,; echo "${packages[*]}")" \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' bookworm "$cache/new.tar" "$mirror"
	mv "$cache/new.tar" "$base"
fi

say "fetching Debian's kernel $kernel"
(cd "$debs" && quietly apt-get -q download "linux-image-$kernel" "linux-headers-$kernel" \
	"${headers_parts[@]}" v4l2loopback-dkms busybox-static)
for deb in "$debs"/*.deb; do
	dpkg -x "$deb" "$work/kit"
done

say "building v4l2loopback"
headers=$work/kit/usr/src/linux-headers-$kernel
sed -i "s|^include /usr/src|include $work/kit/usr/src|" "$headers/Makefile"
loopback=$(echo "$work"/kit/usr/src/v4l2loopback-*)
compiler=$(sed -n 's/^CC = .*\(gcc-[0-9]*\)$/\1/p' "$headers/.kernelvariables")
command -v "$compiler" >/dev/null || compiler=gcc
quietly make -s -C "$headers" M="$loopback" CC="$compiler" modules
install -D -m 644 "$loopback/v4l2loopback.ko" \
	"$work/kit/lib/modules/$kernel/extra/v4l2loopback.ko"
depmod -b "$work/kit" "$kernel"
cp "$work/kit/boot/vmlinuz-$kernel" "$cache/vmlinuz"

# Paths of a module and of all it needs, in the order of loading.
with_dependencies() {
	modprobe -d "$work/kit" -S "$kernel" --show-depends "$1" | sed -n 's/^insmod \([^ ]*\).*/\1/p'
}

say "making the initramfs"
mkdir -p "$work/initramfs"/{bin,dev,proc,sys,root,modules}
install -m 755 "$work/kit/bin/busybox" "$work/initramfs/bin/busybox"
install -m 755 "$here/init" "$work/initramfs/init"
for module in "${boot_modules[@]}"; do
	with_dependencies "$module"
done | awk '!seen[$0]++' | while read -r path; do
	module=$(basename "$path")
	cp "$path" "$work/initramfs/modules/$module"
	case $module in
	*.xz) xz -d "$work/initramfs/modules/$module" ;;
	esac
	echo "${module%.xz}" >>"$work/initramfs/modules/order"
done
(cd "$work/initramfs" && find . | "$work/kit/bin/busybox" cpio -o -H newc 2>/dev/null | gzip -1) \
	>"$cache/initrd"

say "making the disk"
as_root=()
if [ "$(id -u)" != 0 ]; then
	as_root=(fakeroot)
fi
for module in "${modules[@]}" "${boot_modules[@]}"; do
	with_dependencies "$module"
done | sort -u | while read -r path; do
	install -D -m 644 "$path" "$work/modules/lib/modules/$kernel/${path#*/lib/modules/"$kernel"/}"
done
cp "$work/kit/lib/modules/$kernel"/modules.{order,builtin,builtin.modinfo} \
	"$work/modules/lib/modules/$kernel/"
depmod -b "$work/modules" "$kernel"
export here work cache base
# shellcheck disable=SC2016 # expanded by the inner shell
quietly "${as_root[@]}" bash -euc '
	tar -xf "$base" -C "$work/root"
	mkdir -p "$work/root/test"
	cp -a "$work/modules/lib/modules" "$work/root/lib/"
	install -m 644 "$here/hub-test.service" "$work/root/etc/systemd/system/"
	wants=$work/root/etc/systemd/system/multi-user.target.wants
	mkdir -p "$wants"
	ln -s ../hub-test.service "$wants/"
	# Not by "enable": nothing is to wait for a network that may not be there.
	ln -s /lib/systemd/system/systemd-networkd.service "$wants/"
	install -m 644 "$here/hub.network" "$work/root/etc/systemd/network/"
	echo hub >"$work/root/etc/hostname"
	printf "127.0.0.1 localhost\n::1 localhost\n127.0.1.1 hub\n" >"$work/root/etc/hosts"
	rm -f "$work/root/etc/machine-id"
	echo 00000000000000000000000000000001 >"$work/root/etc/machine-id"
	rm -f "$cache/root.ext4"
	mke2fs -q -t ext4 -O ^has_journal -d "$work/root" "$cache/root.ext4" 900M
'
rm -rf "$work"
rm -f "$cache/log"
echo "$stamp" >"$cache/stamp"
