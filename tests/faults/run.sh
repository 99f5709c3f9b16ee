#!/bin/sh
# Lets calls of the real processes fail until enough did; PROGRAM is tests/faults/faults, built.
#
#   tests/faults/run.sh record PROGRAM FAULTS   goes on until so many are on record
#   tests/faults/run.sh totals                  what the record tells
#
# FAULTS_DIR (build/faults) holds `record`, a line for each role and kind, which adds up for ever;
# `passes`, the number of passes so far, from which the next seed is taken; and `log` of the last pass.
set -u

dir=${FAULTS_DIR:-build/faults}
record=$dir/record

total() {
	awk '{ n += $3 } END { printf "%.0f\n", n }' "$record" 2>/dev/null || echo 0
}

totals() {
	[ -s "$record" ] || { echo "no faults were injected yet"; return; }
	sort "$record" | awk '{ printf "  %-8s %-12s %12.0f\n", $1, $2, $3; n += $3; of[$1] += $3 }
		END { for (role in of) printf "  %-8s %-12s %12.0f\n", role, "in all", of[role] | "sort"
			close("sort"); printf "  %-21s %12.0f faults injected\n", "in total", n }'
}

# Adds the counts of a pass to the record, in one step.
add_up() {
	[ -e "$1" ] || return 0
	cat "$record" "$1" 2>/dev/null | awk '{ n[$1 " " $2] += $3 }
		END { for (k in n) printf "%s %.0f\n", k, n[k] }' >"$record.new" && mv "$record.new" "$record"
}

record() {
	goal=$(awk -v n="$2" 'BEGIN { printf "%.0f", n }')
	mkdir -p "$dir"
	touch "$record"
	while [ "$(total)" -lt "$goal" ]; do
		seed=$(($(cat "$dir/passes" 2>/dev/null || echo 0) + 1))
		rm -f "$dir/counts"
		if ! FAULTS_SEED=$seed FAULTS_COUNTS=$dir/counts "$1" >"$dir/log" 2>&1; then
			cat "$dir/log"
			echo "  FAILED seed $seed; again with: FAULTS_SEED=$seed $1"
			return 1
		fi
		add_up "$dir/counts"
		echo "$seed" >"$dir/passes"
		echo "  seed $seed: $(total) of $goal faults"
	done
	totals
}

case ${1:-} in
record) record "$2" "$3" ;;
totals) totals ;;
*)
	echo "run.sh: record or totals?" >&2
	exit 2
	;;
esac
