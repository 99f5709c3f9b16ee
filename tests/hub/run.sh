#!/bin/bash
# The virtual hub: boots a machine with real kernel cameras (vivid, v4l2loopback) and runs inside.sh,
# or another test, in it. QEMU emulates the whole machine: no KVM, no cameras, no root needed.
#
#     run.sh [-s SUITE] [-a ARCH] [-b BUILD] [-k] [-r] [-n PORT] [-o OUTPUT] [-f FILE]... [TEST]
#
#     -s SUITE   bookworm or trixie (default: $HUB_SUITE, or bookworm)
#     -a ARCH    amd64 or arm64 (default: $HUB_ARCH, or amd64)
#     -b BUILD   where camgate and the test tools were built (default: build)
#     -k         keep the machine's console and the test's output in BUILD/hub/run in any case
#     -r         a machine that restarts itself comes back, its disk as it was; otherwise it is over
#     -n PORT    a network card: the hub is 10.0.2.15, and 127.0.0.1:PORT here leads to its port 8443.
#                It reaches nothing else
#     -o OUTPUT  what the test says, while it says it (lines end with CR LF): for a client outside that
#                waits for a link
#     -f FILE    a file to be found beside the test, in /test
#     TEST       script to run inside, beside this one (default: inside.sh)
#
# Environment: HUB_TIMEOUT, seconds until the machine is stopped (default 300; an emulated arm64 has
# twice that); HUB_CACHE, where the disk images are kept (default: build/hub).
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
suite=${HUB_SUITE:-bookworm}
arch=${HUB_ARCH:-amd64}
build=$root/build
keep=no
reboot=(-no-reboot)
files=()
network=()
output=
while getopts a:b:kf:n:o:rs: option; do
	case $option in
	a) arch=$OPTARG ;;
	b) build=$OPTARG ;;
	k) keep=yes ;;
	f) files+=("$OPTARG") ;;
	n) network=(-device "virtio-net-pci,netdev=lan,romfile="
		-netdev "user,id=lan,ipv6=off,restrict=on,hostfwd=tcp:127.0.0.1:$OPTARG-10.0.2.15:8443") ;;
	o) output=$OPTARG ;;
	r) reboot=() ;;
	s) suite=$OPTARG ;;
	*) sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
	esac
done
shift $((OPTIND - 1))
test=${1:-inside.sh}
# shellcheck source=tests/hub/machine.sh
. "$here/machine.sh"
cache=${HUB_CACHE:-$root/build/hub}/$suite-$arch

for tool in "${qemu[0]}" cpio mmdebstrap mke2fs depmod; do
	PATH=$PATH:/usr/sbin:/sbin command -v "$tool" >/dev/null ||
		{ echo "hub: $tool is missing: tests/install/packages.sh hub installs it" >&2; exit 1; }
done
export PATH=$PATH:/usr/sbin:/sbin
"$here/image.sh" "$suite" "$arch" "$cache"

mkdir -p "$build/hub"
run=$(mktemp -d "$build/hub/run.XXXXXX")
machine=
# shellcheck disable=SC2317 # called by the trap
finish() {
	if [ -n "$machine" ]; then
		kill "$machine" 2>/dev/null || true
	fi
	rm -rf "$build/hub/run"
	rm -rf "$run/payload" "$run/test.ext4"
	if [ "$keep" = yes ]; then
		mv "$run" "$build/hub/run"
	else
		rm -rf "$run"
	fi
}
trap finish EXIT

mkdir "$run/payload"
cp "$here"/*.sh "$run/payload/"
cp "$here/$test" "$run/payload/inside.sh"
chmod +x "$run/payload"/*.sh
for program in camgate tests/integration/display tests/hub/{loopfeed,picture,memory}; do
	cp "$build/$program" "$run/payload/"
done
for file in "${files[@]}"; do
	cp "$file" "$run/payload/"
done
mke2fs -q -t ext4 -O ^has_journal -d "$run/payload" "$run/test.ext4" 64M >/dev/null 2>&1

limit=$((${HUB_TIMEOUT:-300} * patience))
output=${output:-$run/test.log}
timeout -k 5 "$limit" "${qemu[@]}" -accel tcg,thread=multi -smp 2 \
	-m 1024 -nodefaults -no-user-config -display none "${reboot[@]}" "${network[@]}" \
	-kernel "$cache/vmlinuz" -initrd "$cache/initrd" \
	-append "console=$console root=/dev/vda rw quiet panic=-1 mitigations=off systemd.show_status=no" \
	-drive file="$cache/root.ext4",if=virtio,format=raw,snapshot=on \
	-drive file="$run/test.ext4",if=virtio,format=raw,readonly=on \
	-serial file:"$run/console.log" -chardev file,id=test,path="$output" "${test_serial[@]}" &
machine=$!
status=0
wait "$machine" || status=$?
machine=

tr -d '\r' <"$output" >"$run/output.log"
rm -f "$run/test.log"
if grep -q '^HUB: passed$' "$run/output.log"; then
	sed '$d' "$run/output.log"
	exit 0
fi
keep=yes
cat "$run/output.log"
if [ "$status" = 124 ] || [ "$status" = 137 ]; then
	echo "hub: stopped after $limit s"
fi
if ! grep -q '^HUB: failed$' "$run/output.log"; then
	echo "hub: the machine gave no verdict; the end of its console:"
	tail -n 30 "$run/console.log"
fi
echo "hub: failed; its console and output are in $build/hub/run"
exit 1
