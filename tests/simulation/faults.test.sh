#!/bin/sh
# Each fault of faults.list, planted in the product's code, is seen by the simulator: else its silence
# means nothing. FAULTS: where the simulators with the faults are.
here=$(dirname "$0")
faults=${FAULTS:-build/tests/simulation/faults}
failed=0
n=0

for name in $("$here/fault.sh" --names); do
	n=$((n + 1))
	if said=$("$here/fault.sh" --run "$name" "$faults/$name"); then
		echo "ok $n - the_simulator_sees_$name"
	else
		echo "not ok $n - the_simulator_sees_$name"
		failed=1
	fi
	echo "$said"
done
echo "1..$n"
exit $failed
