#!/bin/bash
# The virtual hub: boots a machine with real kernel cameras (vivid, v4l2loopback) and runs inside.sh,
# or another test, in it. QEMU emulates the whole machine: no KVM, no cameras, no root needed.
#
#     run.sh [-b BUILD] [-k] [-r] [-n PORT] [-o OUTPUT] [-f FILE]... [TEST]
#
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
# Environment: HUB_TIMEOUT, seconds until the machine is stopped (default 300); HUB_CACHE, where the
# disk image is kept (default: build/hub).
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
build=$root/build
keep=no
reboot=(-no-reboot)
files=()
network=()
output=
while getopts b:kf:n:o:r option; do
	case $option in
	b) build=$OPTARG ;;
	k) keep=yes ;;
	f) files+=("$OPTARG") ;;
	n) network=(-device "virtio-net-pci,netdev=lan,romfile="
		-netdev "user,id=lan,ipv6=off,restrict=on,hostfwd=tcp:127.0.0.1:$OPTARG-10.0.2.15:8443") ;;
	o) output=$OPTARG ;;
	r) reboot=() ;;
	*) sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
	esac
done
shift $((OPTIND - 1))
test=${1:-inside.sh}
cache=${HUB_CACHE:-$root/build/hub}

for tool in qemu-system-x86_64 mmdebstrap mke2fs depmod; do
	PATH=$PATH:/usr/sbin:/sbin command -v "$tool" >/dev/null ||
		{ echo "hub: $tool is missing: tests/install/packages.sh hub installs it" >&2; exit 1; }
done
export PATH=$PATH:/usr/sbin:/sbin
"$here/image.sh" "$cache"

mkdir -p "$build/hub"
run=$(mktemp -d "$build/hub/run.XXXXXX")
qemu=
# shellcheck disable=SC2317 # called by the trap
finish() {
	if [ -n "$qemu" ]; then
		kill "$qemu" 2>/dev/null || true
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
for program in camgate tests/integration/display tests/hub/loopfeed tests/hub/picture; do
	cp "$build/$program" "$run/payload/"
done
for file in "${files[@]}"; do
	cp "$file" "$run/payload/"
done
mke2fs -q -t ext4 -O ^has_journal -d "$run/payload" "$run/test.ext4" 64M >/dev/null 2>&1

output=${output:-$run/test.log}
timeout -k 5 "${HUB_TIMEOUT:-300}" qemu-system-x86_64 -accel tcg,thread=multi -cpu Westmere -smp 2 \
	-m 1024 -nodefaults -no-user-config -display none "${reboot[@]}" "${network[@]}" \
	-kernel "$cache/vmlinuz" -initrd "$cache/initrd" \
	-append "console=ttyS0 root=/dev/vda rw quiet panic=-1 mitigations=off systemd.show_status=no" \
	-drive file="$cache/root.ext4",if=virtio,format=raw,snapshot=on \
	-drive file="$run/test.ext4",if=virtio,format=raw,readonly=on \
	-serial file:"$run/console.log" -serial file:"$output" &
qemu=$!
status=0
wait "$qemu" || status=$?
qemu=

tr -d '\r' <"$output" >"$run/output.log"
rm -f "$run/test.log"
if grep -q '^HUB: passed$' "$run/output.log"; then
	sed '$d' "$run/output.log"
	exit 0
fi
keep=yes
cat "$run/output.log"
if [ "$status" = 124 ] || [ "$status" = 137 ]; then
	echo "hub: stopped after ${HUB_TIMEOUT:-300} s"
fi
if ! grep -q '^HUB: failed$' "$run/output.log"; then
	echo "hub: the machine gave no verdict; the end of its console:"
	tail -n 30 "$run/console.log"
fi
echo "hub: failed; its console and output are in $build/hub/run"
exit 1
