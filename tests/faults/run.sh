#!/bin/sh
# Lets calls fail until enough did. Each PROGRAM takes FAULTS_SEED, and adds its counts to FAULTS_COUNTS.
#
#   tests/faults/run.sh record FAULTS PROGRAM...   runs them with new seeds until so many are on record
#   tests/faults/run.sh once PROGRAM...            those that would do the same again: not if they are on
#                                                  record already
#   tests/faults/run.sh totals                     what the record tells, of each place and kind
#
# FAULTS_DIR (build/faults) holds `record`, a line for each place and kind, which adds up for ever;
# `passes`, the number of passes so far, from which the next seed is taken; `once`, what is not repeated;
# and `log` of the last program.
set -u

dir=${FAULTS_DIR:-build/faults}
record=$dir/record

total() {
	awk '{ n += $3 } END { printf "%.0f\n", n }' "$record" 2>/dev/null || echo 0
}

totals() {
	[ -s "$record" ] || { echo "no faults were injected yet"; return; }
	awk '{ n[$1 " " $2] += $3; n["everywhere " $2] += $3 } END { for (k in n) print k, n[k] }' "$record" |
		LC_ALL=C sort | awk '{ printf "  %-12s %-12s %12.0f\n", $1, $2, $3 }'
	printf '  %-25s %12.0f faults injected\n' "in total" "$(total)"
}

# Adds the counts of a program to the record, in one step.
add_up() {
	[ -e "$1" ] || return 0
	cat "$record" "$1" 2>/dev/null | awk '{ n[$1 " " $2] += $3 }
		END { for (k in n) printf "%s %.0f\n", k, n[k] }' >"$record.new" && mv "$record.new" "$record"
}

# Runs a program with a seed; its counts are added when it passed.
run_one() {
	rm -f "$dir/counts"
	if ! FAULTS_SEED=$2 FAULTS_COUNTS=$dir/counts "$1" >"$dir/log" 2>&1; then
		cat "$dir/log"
		echo "  FAILED seed $2; again with: FAULTS_SEED=$2 $1"
		return 1
	fi
	add_up "$dir/counts"
}

record() {
	goal=$(awk -v n="$1" 'BEGIN { printf "%.0f", n }')
	shift
	mkdir -p "$dir"
	touch "$record"
	while [ "$(total)" -lt "$goal" ]; do
		seed=$(($(cat "$dir/passes" 2>/dev/null || echo 0) + 1))
		for program in "$@"; do
			run_one "$program" "$seed" || return 1
		done
		echo "$seed" >"$dir/passes"
		echo "  seed $seed: $(total) of $goal faults"
	done
	totals
}

once() {
	mkdir -p "$dir"
	touch "$record" "$dir/once"
	for program in "$@"; do
		grep -qx "${program##*/}" "$dir/once" && continue
		run_one "$program" 1 || return 1
		echo "${program##*/}" >>"$dir/once"
	done
}

case ${1:-} in
record | once)
	"$@"
	;;
totals) totals ;;
*)
	echo "run.sh: record, once or totals?" >&2
	exit 2
	;;
esac
