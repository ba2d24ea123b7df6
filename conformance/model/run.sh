#!/bin/sh
# Checks resume.pml with spin: the rules hold, and without any one of them a property breaks.
#
# usage: conformance/model/run.sh        (needs spin and gcc; about five minutes)
#
# Exhaustive for one zone and two revisions, with bit hashing for three zones and four revisions.
set -eu
model=$(cd -- "$(dirname -- "$0")" && pwd)/resume.pml
command -v spin >/dev/null ||
  { echo "model: spin is missing: apt-get install -y --no-install-recommends spin" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work"

# verify NAME SPIN-DEFINES GCC-DEFINES PAN-FLAGS: the number of errors that were found.
verify() {
  # shellcheck disable=SC2086  # several words are meant
  spin $2 -a "$model" >spin.out 2>&1 || { cat spin.out >&2; exit 1; }
  # shellcheck disable=SC2086
  gcc -O2 -w -DSAFETY -DMEMLIM=4000 $3 -o pan pan.c
  # shellcheck disable=SC2086
  ./pan -m200000 $4 >pan.out 2>&1
  sed -n 's/.*errors: \([0-9]*\).*/\1/p' pan.out
}

failed=0
# expect NAME holds|breaks ...: as verify.
expect() {
  name=$1 wanted=$2
  shift 2
  errors=$(verify "$name" "$@")
  states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' pan.out)
  found=breaks
  [ "$errors" != 0 ] || found=holds
  grep -q 'search depth too small\|max search depth\|Out of memory\|memory limit' pan.out &&
    found="not finished"
  printf '%-28s %-8s %s states\n' "$name" "$found" "$states"
  [ "$found" = "$wanted" ] || failed=1
}

expect 'one zone, all states' holds '-DZONES=1 -DREVS=2' -DCOLLAPSE ''
expect 'three zones, bit hashing' holds '-DZONES=3 -DREVS=4' -DBITSTATE '-w27'
for rule in FLOOR TOMB TRIM ERA; do
  expect "without $rule" breaks "-DBROKEN_$rule -DZONES=1 -DREVS=4" -DCOLLAPSE ''
done
expect 'without FENCE' breaks '-DBROKEN_FENCE -DZONES=1 -DREVS=2' -DCOLLAPSE ''
exit $failed
