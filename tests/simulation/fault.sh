#!/bin/sh
# fault.sh --file NAME                the file that this fault is planted in
# fault.sh --plant NAME OUT.c         a copy of it with the fault
# fault.sh --names                    all of them
# fault.sh --run NAME PROGRAM         runs the simulator with the fault in it until it says so: TAP's words
set -eu

list=$(dirname "$0")/faults.list
deliveries=20000
seeds=6

field() {
	awk -F ' [|] ' -v name="$1" -v n="$2" '$1 == name { print $n }' "$list"
}
# What comes after the third bar may hold bars itself.
script() {
	sed -n "s/^$1 | [^ ]* | [^ ]* | //p" "$list"
}

case $1 in
--names)
	sed -n 's/^\([a-z_]*\) |.*/\1/p' "$list"
	;;
--file)
	field "$2" 2
	;;
--plant)
	file=$(field "$2" 2)
	{
		echo "#line 1 \"$file\""
		sed "$(script "$2")" "$file"
	} >"$3"
	if sed 1d "$3" | cmp -s - "$file"; then
		rm -f "$3"
		echo "$list: the fault $2 no longer fits $file: write it anew" >&2
		exit 1
	fi
	;;
--run)
	seed=1
	while [ $seed -le $seeds ]; do
		if "$3" --seed $seed --deliveries $deliveries >"$3.log" 2>&1; then
			seed=$((seed + 1))
			continue
		fi
		if grep -Eq "^simulate: ($(field "$2" 3)) does not hold" "$3.log"; then
			sed -n '1s/^/# /p' "$3.log"
			exit 0
		fi
		sed 's/^/# /' "$3.log"
		echo "# not what was expected: $(field "$2" 3)"
		exit 1
	done
	echo "# $seeds seeds of $deliveries deliveries, and nothing was seen"
	exit 1
	;;
esac
