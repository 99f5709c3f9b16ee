#!/bin/sh
# Runs the fuzz harnesses, which lie in the directory PROGRAMS.
#
#   tests/fuzz/run.sh replay PROGRAMS           every file of the corpora, once; prints TAP
#   tests/fuzz/run.sh fuzz PROGRAMS SECONDS     each harness so long, JOBS (2) at a time
#   tests/fuzz/run.sh record PROGRAMS RUNS      all in turn, until the record tells of RUNS executions
#   tests/fuzz/run.sh merge PROGRAMS            the smallest corpora that cover what all found so far
#   tests/fuzz/run.sh totals                    what the record tells
#
# A corpus is tests/fuzz/corpus/NAME, checked in. What is found lies in FUZZ_DIR (build/fuzz): corpus/NAME,
# crashes, and `record`, which adds up the executions of each harness for ever. ONLY="wire ipc" runs these.
set -u

here=tests/fuzz
dir=${FUZZ_DIR:-build/fuzz}
record=$dir/record
slice=${SLICE:-20}
# Short memories of what was freed, and by whom: twice as fast.
export ASAN_OPTIONS="${ASAN_OPTIONS:-quarantine_size_mb=16:malloc_context_size=12}"

names() {
	if [ -n "${ONLY:-}" ]; then
		echo "$ONLY"
	else
		for file in "$here"/fuzz_*.c; do
			name=${file##*/fuzz_}
			echo "${name%.c}"
		done
	fi
}

executions() {
	awk '{ n[$1] += $2; all += $2 }
		END { printf "%.0f\n", all }' "$record" 2>/dev/null || echo 0
}

# One line for each harness; added to under a lock, as two run side by side.
note() {
	flock "$dir/lock" sh -c '
		awk -v name="$1" -v more="$2" "
			\$1 == name { \$2 += more; seen = 1 }
			{ printf \"%s %.0f\n\", \$1, \$2 }
			END { if (!seen) printf \"%s %.0f\n\", name, more }" "$0" >"$0.new" && mv "$0.new" "$0"
		' "$record" "$1" "$2"
}

totals() {
	[ -s "$record" ] || { echo "nothing was fuzzed yet"; return; }
	awk '{ printf "  %-12s %14.0f executions\n", $1, $2; all += $2 }
		END { printf "  %-12s %14.0f executions (%.3g)\n", "in total", all, all }' "$record"
}

# One harness for some seconds. What it found stays for the next time.
fuzz_one() {
	programs=$1
	seconds=$2
	name=$3
	log=$dir/logs/$name.log
	crash=$dir/crashes/$name-
	mkdir -p "$dir/corpus/$name" "$dir/logs" "$dir/crashes" "$here/corpus/$name"
	set -- -max_total_time="$seconds" -timeout=25 -max_len=4096 -verbosity=0 -print_final_stats=1 \
		-artifact_prefix="$crash"
	[ -e "$here/dictionary/$name" ] && set -- "$@" -dict="$here/dictionary/$name"
	"$programs/fuzz_$name" "$@" "$dir/corpus/$name" "$here/corpus/$name" >"$log" 2>&1
	status=$?
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | tail -1)
	note "$name" "${runs:-0}"
	if [ "$status" -ne 0 ]; then
		found=$(sed -n 's/.*Test unit written to //p' "$log" | tail -1)
		printf '  FAILED %s (exit code %s)\n%s\n  again with: %s %s\n' "$name" "$status" \
			"$(tail -60 "$log" | sed 's/^/         /')" "$programs/fuzz_$name" "$found"
		return 1
	fi
	printf '  ok     %-12s %12s executions\n' "$name" "${runs:-0}"
}

fuzz() {
	mkdir -p "$dir"
	touch "$record"
	names | tr ' ' '\n' | xargs -P "${JOBS:-2}" -I{} sh "$0" --one "$1" "$2" {}
}

# In slices, so that little is lost when it is stopped; it goes on where the record stands.
record() {
	goal=$(awk -v n="$2" 'BEGIN { printf "%.0f", n }')
	while [ "$(executions)" -lt "$goal" ]; do
		JOBS=${JOBS:-1} fuzz "$1" "$slice" || return 1
		echo "  $(executions) of $goal executions"
	done
	totals
}

replay() {
	number=0
	bad=0
	mkdir -p "$dir/crashes"
	for name in $(names); do
		number=$((number + 1))
		if log=$("$1/fuzz_$name" -runs=0 -timeout=25 -artifact_prefix="$dir/crashes/$name-" \
			"$here/corpus/$name" 2>&1); then
			echo "ok $number - every_input_that_was_kept_for_${name}_passes"
		else
			echo "not ok $number - every_input_that_was_kept_for_${name}_passes"
			echo "# $1/fuzz_$name -runs=0 $here/corpus/$name"
			echo "$log" | tail -60 | sed 's/^/# /'
			bad=1
		fi
	done
	echo "1..$number"
	return $bad
}

merge() {
	for name in $(names); do
		new=$dir/merged/$name
		rm -rf "$new"
		mkdir -p "$new" "$here/corpus/$name" "$dir/corpus/$name" "$dir/logs"
		# What somebody thought of stays: it reaches what has to hold, not only code.
		cp "$here/corpus/$name"/seed* "$new" 2>/dev/null
		"$1/fuzz_$name" -set_cover_merge=1 -use_counters=0 -max_len=4096 "$new" "$here/corpus/$name" "$dir/corpus/$name" \
			>"$dir/logs/$name.merge" 2>&1 || return 1
		rm -rf "${here:?}/corpus/$name"
		mv "$new" "$here/corpus/$name"
		echo "  $name: $(find "$here/corpus/$name" -type f | wc -l) files"
	done
}

case ${1:-} in
--one) fuzz_one "$2" "$3" "$4" ;;
fuzz) fuzz "$2" "$3" && totals ;;
record) record "$2" "$3" ;;
replay) replay "$2" ;;
merge) merge "$2" ;;
totals) totals ;;
*)
	echo "run.sh: fuzz, record, replay, merge or totals?" >&2
	exit 2
	;;
esac
