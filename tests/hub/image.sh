#!/bin/bash
# Makes a virtual hub's disk: Debian with systemd and udev, its kernel (unpacked, not installed), and
# v4l2loopback built for it.
#
#     image.sh SUITE ARCH DIRECTORY     leaves DIRECTORY/{vmlinuz,initrd,root.ext4}
#
# Its parts are kept, and each is made again when what makes it changes: three minutes the first time (more
# for another machine than this one), nothing afterwards. To get a newer kernel or system, delete DIRECTORY.
# Needs root, or fakeroot and uidmap.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
suite=$1
arch=$2
# shellcheck source=tests/hub/machine.sh
. "$here/machine.sh"
mkdir -p "$3"
cache=$(cd "$3" && pwd)
exec 9>"$cache/lock"
flock 9 # one at a time
mirror=${HUB_MIRROR:-$("$here/../install/mirror.sh")}

# What the tests need inside: a bootable system, and camgate's libraries.
packages=(systemd systemd-sysv udev dbus kmod iproute2 procps v4l-utils sudo openssl sqlite3
	"${libraries[@]}")
# The kernel's parts, each with what it depends on.
modules=(vivid v4l2loopback uvcvideo sch_netem sch_tbf sch_htb virtio_net 9p 9pnet_virtio veth tun)
boot_modules=(virtio_pci virtio_mmio virtio_blk crc32c_generic ext4)

say() {
	echo "hub: $*"
}

# Runs something that has much to say, which is of interest only if it fails.
quietly() {
	"$@" >"$cache/log" 2>&1 || { tail -n 60 "$cache/log" >&2; return 1; }
}

# part_name NAME WHAT...: the file of a part that is made of all this.
part_name() {
	echo "$cache/$1-$(echo "${@:2}" | sha256sum | cut -c 1-16).tar"
}

base=$(part_name base "${packages[*]}" "$mirror")
if [ ! -e "$base" ]; then
	say "making a $debian system for $arch (half a minute; three where its processor is emulated)"
	rm -f "$cache"/base-*.tar
	quietly mmdebstrap --variant=minbase --architectures="$arch" \
		--include="$(IFS=,; echo "${packages[*]}")" \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' "$suite" "$cache/new.tar" "$mirror"
	mv "$cache/new.tar" "$base"
fi
kernel_kit=$(part_name kernel "$(cat "$here/kernel.sh")" "$mirror")
if [ ! -e "$kernel_kit" ]; then
	say "fetching $debian's kernel for $arch, and building v4l2loopback for it (a minute or two)"
	rm -f "$cache"/kernel-*.tar
	quietly "$here/kernel.sh" "$suite" "$arch" "$mirror" "$kernel_kit"
fi
stamp=$(part_name image "$base" "$kernel_kit" \
	"$(cat "$here"/{image.sh,machine.sh,init,hub-test.service,hub.network})")
if [ "$(cat "$cache/stamp" 2>/dev/null)" = "$stamp" ]; then
	exit 0
fi
rm -f "$cache/stamp"
work=$cache/work
rm -rf "$work"
mkdir -p "$work/root"
tar -xf "$kernel_kit" -C "$work" --no-same-owner
kernel=$(cat "$work/kit/version")
cp "$work/kit/boot/vmlinuz-$kernel" "$cache/vmlinuz"

# Paths of a module and of all it needs, in the order of loading; nothing for one that is no module of
# this kernel.
with_dependencies() {
	modprobe -d "$work/kit" -S "$kernel" --show-depends "$1" 2>/dev/null |
		sed -n 's/^insmod \([^ ]*\).*/\1/p' || true
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
(cd "$work/initramfs" && find . | cpio --quiet -o -H newc | gzip -1) >"$cache/initrd"

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
export here work cache base test_port
# shellcheck disable=SC2016 # expanded by the inner shell
quietly "${as_root[@]}" bash -euc '
	tar -xf "$base" -C "$work/root"
	mkdir -p "$work/root/test"
	cp -a "$work/modules/lib/modules" "$work/root/lib/"
	units=$work/root/etc/systemd/system
	sed "s/@TEST_PORT@/$test_port/" "$here/hub-test.service" >"$units/hub-test.service"
	mkdir -p "$units/multi-user.target.wants"
	ln -s ../hub-test.service "$units/multi-user.target.wants/"
	# Not by "enable": nothing is to wait for a network that may not be there.
	ln -s /lib/systemd/system/systemd-networkd.service "$units/multi-user.target.wants/"
	install -m 644 "$here/hub.network" "$work/root/etc/systemd/network/"
	echo hub >"$work/root/etc/hostname"
	printf "127.0.0.1 localhost\n::1 localhost\n127.0.1.1 hub\n" >"$work/root/etc/hosts"
	rm -f "$work/root/etc/machine-id"
	echo 00000000000000000000000000000001 >"$work/root/etc/machine-id"
	rm -f "$cache/root.ext4"
	# With a journal: tests cut it off in the middle.
	mke2fs -q -t ext4 -J size=8 -d "$work/root" "$cache/root.ext4" 900M
'
rm -rf "$work"
rm -f "$cache/log"
echo "$stamp" >"$cache/stamp"
