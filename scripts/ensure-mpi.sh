#!/bin/sh
# Makes sure that there is an MPI with its headers and its launcher, and the library by which its bindings are made. Prints
# nothing and returns at once where they are there.
#
# Exit status: 0 they are there; 3 they are not and could not be installed.
set -eu
clang() {
	[ -n "${LIBCLANG_PATH:-}" ] || find /usr/lib /usr/lib64 /usr/local/lib -name 'libclang*.so*' 2>/dev/null | grep -q .
}
if command -v mpicc >/dev/null 2>&1 && command -v mpirun >/dev/null 2>&1 && clang; then exit 0; fi

case ${0%/*} in
"$0") here=. ;;
*) here=${0%/*} ;;
esac
# shellcheck source=scripts/lib.sh
. "$here/lib.sh"
open_log
if command -v apt-get >/dev/null 2>&1 && become_root && apt_install libopenmpi-dev openmpi-bin libclang-dev; then exit 0; fi
cat "$LOG" >&2
say "MPI and libclang are needed to train over several processes, and could not be installed; install OpenMPI or MPICH with its headers, and libclang, with the system's packages."
exit 3
