#!/bin/sh
# Every input that was kept, once through its harness; in the form that tests/run.sh reads.
exec tests/fuzz/run.sh replay "${FUZZ_PROGRAMS:-build/fuzz/address-undefined/tests/fuzz}"
