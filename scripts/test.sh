#!/bin/sh
# Runs all tests, several processes at a time: nearly all of their time a software driver makes machine code of kernels, for
# one process one kernel after the other. What a process prints is shown when it has ended.
set -eu

cargo=${CARGO:-cargo}

# One process, whose output goes to a file.
if [ "${1:-}" = --one ]; then
	program=$2 log=$3
	name=$(basename "$program" | sed 's/-[0-9a-f]*$//')
	start=$(date +%s)
	status=0
	case $name in
	documentation) "$cargo" test --release --doc >"$log/$name" 2>&1 || status=$? ;;
	# Kernels that run for milliseconds: code that LLVM has not optimised is made in three quarters of the time.
	kernel | law) GALLIVM_PERF=nopt "$program" >"$log/$name" 2>&1 || status=$? ;;
	*) "$program" >"$log/$name" 2>&1 || status=$? ;;
	esac
	printf '\n=== tests of %s (%d s)\n' "$name" "$(($(date +%s) - start))" >"$log/$name.head"
	cat "$log/$name.head" "$log/$name"
	[ "$status" = 0 ] || echo "$name" >>"$log/failed"
	exit 0
fi

log=$(mktemp -d)
trap 'rm -rf "$log"' EXIT
"$cargo" test --release --no-run 2>&1 | tee "$log/build"
sed -n 's/^ *Executable .*(\(.*\))$/\1/p' "$log/build" >"$log/list"
if [ "$(wc -l <"$log/list")" -lt 2 ]; then
	echo "the tests were not built" >&2
	exit 1
fi
echo documentation >>"$log/list"
processes=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
tr '\n' '\0' <"$log/list" | xargs -0 -P "$processes" -I '{}' sh "$0" --one '{}' "$log"
if [ -s "$log/failed" ]; then
	echo "tests failed: $(tr '\n' ' ' <"$log/failed")" >&2
	exit 1
fi
