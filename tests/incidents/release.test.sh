#!/bin/bash
# No other build than that of `make incidents` holds anything of the faults: neither by name, nor as
# a single instruction. Prints TAP.
set -u

root=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/tap.sh
. "$root/tests/tap.sh"
camgate=${CAMGATE:-$root/build/camgate}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tap_begin "$work/log"

cd "$root" || exit 1
calls='fault_happens|fault_lifts|accident_[a-z_]+'
words="CAMGATE_FAULTS|CAMGATE_LIFTED|swapped-buffers|$calls"

# The names would show, if they were there.
names_of() {
	strings -a "$1"
	nm "$1" 2>/dev/null | awk '{ print $NF }'
}

names_of "$camgate" | grep -nE "$words" >"$work/log"
[ "${PIPESTATUS[1]}" -eq 1 ]
check $? the_ordinary_binary_knows_no_fault_by_name

test_build=$(dirname "$camgate")/incidents/camgate
if [ -x "$test_build" ]; then
	names_of "$test_build" >"$work/names"
	: >"$work/log"
	grep -q CAMGATE_FAULTS "$work/names" && grep -qx fault_lifts "$work/names"
	check $? the_names_are_found_where_they_are
else
	skip the_names_are_found_where_they_are "$test_build is not built"
fi

# The product without a trace of faults in its source; lines stay where they were.
strip_faults() {
	awk '
		/#include ".*fault\.h"/ { print ""; next }
		leaving { if ($0 == indent "}") leaving = 0; print ""; next }
		/^\t+if \((fault_happens|fault_lifts)\(/ {
			indent = $0; sub(/if.*/, "", indent); leaving = 1; print ""; next
		}
		{ gsub(/!(fault_happens|fault_lifts)\([A-Z_]+\)/, "true"); print }
	' "$1"
}

all_sources() {
	ls gateway/*.c web/*.c web/client/*.c v4l2/*.c udev/*.c
}

files=$(all_sources | xargs grep -lE '#include "(gateway/)?fault\.h"')
for copy in with without; do
	mkdir -p "$work/$copy"
	cp -r Makefile gateway web v4l2 udev tests "$work/$copy"
done
for file in $files; do
	strip_faults "$file" >"$work/without/$file"
done
(cd "$work/without" && all_sources | xargs grep -nE "($calls)\(") >"$work/log"
[ ! -s "$work/log" ] && [ -n "$files" ]
check $? every_fault_can_be_taken_out_of_the_source

objects=$(for file in $files; do echo "${file%.c}.o"; done)
compile() {
	out=$1
	shift
	# shellcheck disable=SC2046
	MAKEFLAGS='' make -s -j2 BUILD="$out" "$@" $(for object in $objects; do echo "$out/$object"; done)
}

{
	(cd "$work/with" && compile "$work/with.out") &&
		(cd "$work/without" && compile "$work/without.out") &&
		(cd "$work/with" && compile "$work/faults.out" INCIDENTS=1)
} >"$work/log" 2>&1
check $? they_all_compile

# What is loaded into memory, without the debugger's part.
loaded() {
	objdump -h "$1" | awk '$2 ~ /^\.(text|rodata|data|bss)/ { print $2, $3 }'
	objdump -dr --no-show-raw-insn "$1" | sed 1,3d
	objdump -h "$1" | awk '$2 ~ /^\.(rodata|data)/ { print $2 }' | while read -r section; do
		objdump -s -j "$section" "$1" 2>/dev/null | sed 1,3d
	done
}

status=0
: >"$work/log"
for object in $objects; do
	if ! cmp -s <(loaded "$work/with.out/$object") <(loaded "$work/without.out/$object"); then
		echo "$object differs" >>"$work/log"
		status=1
	fi
done
check $status code_with_faults_compiles_to_the_same_bytes_as_code_without

# That the comparison sees a difference is shown on the test build.
status=0
: >"$work/log"
for object in $objects; do
	if cmp -s <(loaded "$work/with.out/$object") <(loaded "$work/faults.out/$object"); then
		echo "$object is the same in the test build" >>"$work/log"
		status=1
	fi
done
check $status in_the_test_build_each_of_them_is_different

tap_end
