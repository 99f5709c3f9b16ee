#!/bin/sh
# DELIVERIES deliveries, by seeds that are always the same, and a tenth as many of a seed that was never
# there before. SIMULATE: the simulator.
set -u
simulate=${SIMULATE:-build/tests/simulation/simulate}
deliveries=${DELIVERIES:-1e5}
fresh=$(od -An -N5 -tu8 /dev/urandom | tr -d ' ')
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
tap_begin

# run SENTENCE ARGUMENT...: the simulator with these.
run() {
	name=$1
	shift
	said=$("$simulate" "$@" 2>&1)
	check $? "$name"
	printf '%s\n' "$said" | sed 's/^/# /'
}

run every_property_holds_after_every_step --total "$deliveries"
echo "# a fresh seed: $fresh"
run every_property_holds_for_a_fresh_seed --seed "$fresh" --total \
	"$(awk "BEGIN { printf \"%d\", $deliveries / 10 }")"
first=$("$simulate" --seed "$fresh" --deliveries 500 --trace | cksum)
second=$("$simulate" --seed "$fresh" --deliveries 500 --trace | cksum)
[ "$first" = "$second" ]
check $? a_seed_replays_exactly
echo "# seed $fresh: $first, then $second"
run every_property_holds_when_one_allocation_in_twenty_fails --allocations 20 --total \
	"$(awk "BEGIN { printf \"%d\", $deliveries / 10 }")"
tap_end
