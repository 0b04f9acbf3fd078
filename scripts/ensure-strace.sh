#!/bin/sh
# Makes sure that there is strace, with which tests fail single system calls; Linux only. Prints nothing and returns at once
# where it is there.
#
# Exit status: 0 it is there, or not needed; 3 it is not and could not be installed.
set -eu
[ "$(uname -s)" = Linux ] || exit 0
command -v strace >/dev/null 2>&1 && exit 0

case ${0%/*} in
"$0") here=. ;;
*) here=${0%/*} ;;
esac
# shellcheck source=scripts/lib.sh
. "$here/lib.sh"
open_log
if command -v apt-get >/dev/null 2>&1 && become_root && apt_install strace; then exit 0; fi
cat "$LOG" >&2
say "strace is needed for the tests of faults, and could not be installed; install it with the system's packages."
exit 3
