#!/bin/sh
# The scenarios in a loop, in their long forms, with all oracles, for so many minutes.
#
#   tests/soak.sh MINUTES PROGRAM...
#
# The programs are integration tests; each begins again as soon as it ended, two at a time, in the
# order given. A line a minute says how it stands. Ends with 0 when nothing failed; the logs of what
# failed, and a summary, are in build/soak. A program that was begun in time may end after it.
set -u

minutes=$1
shift
out=${SOAK_DIR:-build/soak}
rm -rf "$out"
mkdir -p "$out"
end=$(($(date +%s) + minutes * 60))
: >"$out/rounds"

# Runs every second of the programs, from this one on, until time is up.
lane() {
	turn=$1
	shift
	while [ "$(date +%s)" -lt "$end" ]; do
		for program in "$@"; do
			turn=$((turn + 1))
			[ $((turn % 2)) -eq 0 ] || continue
			[ "$(date +%s)" -lt "$end" ] || break
			name=${program##*/}
			log=$out/$name.$turn.log
			SOAK=1 VERBOSE=1 CMOCKA_MESSAGE_OUTPUT=TAP timeout -k 5 900 "$program" >"$log" 2>&1 </dev/null
			code=$?
			passed=$(grep -c '^ok ' "$log")
			echo "$name $code $passed" >>"$out/rounds"
			if [ "$code" -eq 0 ] || [ "$code" -eq 77 ]; then
				rm -f "$log"
			fi
		done
		# So that the lanes change places when the number of programs is even.
		turn=$((turn + 1 - $# % 2))
	done
}

say() {
	awk -v when="$1" '{ rounds++; passed += $3; failed += $2 != 0 && $2 != 77; skipped += $2 == 77 }
		END { printf "%s: %d programs ended, %d tests passed, %d programs failed, %d skipped\n",
			when, rounds, passed, failed, skipped }' "$out/rounds"
}

lane 0 "$@" &
first=$!
lane 1 "$@" &
second=$!
minute=0
while [ "$minute" -lt "$minutes" ]; do
	sleep 60
	minute=$((minute + 1))
	say "minute $minute"
done
wait "$first" "$second"
say "all" | tee "$out/summary"
if awk '$2 != 0 && $2 != 77 { bad = 1 } END { exit NR > 0 && !bad }' "$out/rounds"; then
	echo "soak: something failed; see $out"
	exit 1
fi
