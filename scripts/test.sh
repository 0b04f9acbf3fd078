#!/bin/sh
# Runs tests, several processes at a time: nearly all of their time a software driver makes machine code of kernels, for one
# process one kernel after the other. A line tells of each process when it ends; what they printed follows at the end.
# Of the whole workspace, as the lints are and the wheel is: what they depend on then has the same features, and is built once.
# Usage: test.sh [long | kernels]
#   long      whole learning runs and faults, which the others leave out
#   kernels   tests of kernels, with the arguments in KERNELS, and of laws, with those in LAWS
set -eu

cargo=${CARGO:-cargo}
learning=learning_ # how the names of tests begin that learn until something is solved

# One process, whose output goes to a file.
if [ "${1:-}" = --one ]; then
	program=$2 log=$3 which=$4
	name=$(basename "$program" | sed 's/-[0-9a-f]*$//')
	output=$log/$(basename "$program").output
	start=$(date +%s)
	result=ok
	set --
	# shellcheck disable=SC2086 # words
	case $which:$name in
	kernels:law) set -- $LAWS ;;
	kernels:*) set -- $KERNELS ;;
	long:learning | long:faults) ;;
	long:*) set -- "$learning" ;;
	*) set -- --skip "$learning" ;;
	esac
	case $name in
	documentation) "$cargo" test --release --workspace --doc >"$output" 2>&1 || result=FAILED ;;
	# Kernels that run for milliseconds: code that LLVM has not optimised is made in three quarters of the time.
	gradient | kernel | law) GALLIVM_PERF=nopt "$program" "$@" >"$output" 2>&1 || result=FAILED ;;
	*) "$program" "$@" >"$output" 2>&1 || result=FAILED ;;
	esac
	line="tests of $name: $result ($(($(date +%s) - start)) s)"
	echo "$line"
	[ "$result" = ok ] || echo "$line" >>"$log/failed"
	exit 0
fi

which=${1:-short}
log=$(mktemp -d)
trap 'rm -rf "$log"' EXIT
targets=
[ "$which" != kernels ] || targets="--test kernel --test gradient --test law"
# shellcheck disable=SC2086 # words
"$cargo" test --release --workspace --no-run $targets 2>&1 | tee "$log/build"
sed -n 's/^ *Executable .*(\(.*\))$/\1/p' "$log/build" >"$log/list"
if [ "$(wc -l <"$log/list")" -lt 2 ]; then
	echo "the tests were not built" >&2
	exit 1
fi
# what takes longest first
case $which in
long)
	grep -E '/(api|cli|law|learning|faults)-[0-9a-f]*$' "$log/list" >"$log/order"
	;;
kernels) sort "$log/list" >"$log/order" ;;
*)
	long='/(gradient|kernel|law)-[0-9a-f]*$'
	others='/(learning|faults|web)-[0-9a-f]*$'
	echo documentation >>"$log/list"
	{ grep -E "$long" "$log/list"; grep -vE "$long|$others" "$log/list"; } >"$log/order"
	;;
esac
processes=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
tr '\n' '\0' <"$log/order" | xargs -0 -P "$processes" -I '{}' sh "$0" --one '{}' "$log" "$which"
for output in "$log"/*.output; do
	printf '\n=== %s\n' "$(basename "$output" .output)"
	cat "$output"
done
if [ -s "$log/failed" ]; then
	printf '\n'
	cat "$log/failed" >&2
	exit 1
fi
