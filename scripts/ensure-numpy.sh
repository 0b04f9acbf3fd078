#!/bin/sh
# Makes sure that there is a Python 3.11 with NumPy for the test of docs/policy.py: prints nothing and returns at once where
# python3 has it, and otherwise makes a virtual environment in target/python.
#
# Exit status: 0 it is there, 3 it is not and could not be made.
set -eu

case ${0%/*} in
"$0") here=. ;;
*) here=${0%/*} ;;
esac
# shellcheck source=scripts/lib.sh
. "$here/lib.sh"

place=$here/../target/python
has_numpy() {
	"$1" -c 'import numpy, tomllib' >/dev/null 2>&1
}

if [ -n "${MANYWORLDS_PYTHON-}" ] && has_numpy "$MANYWORLDS_PYTHON"; then exit 0; fi
if [ -e "$place/bin/python3" ] && has_numpy "$place/bin/python3"; then exit 0; fi
if has_numpy python3 && [ ! -e "$place" ]; then exit 0; fi

open_log
make_it() {
	rm -rf "$place"
	quietly python3 -m venv "$place" && quietly "$place/bin/pip" install --quiet numpy && has_numpy "$place/bin/python3"
}
if make_it; then exit 0; fi
if command -v apt-get >/dev/null 2>&1 && become_root && apt_install python3 python3-venv && make_it; then exit 0; fi
cat "$LOG" >&2
say "No Python 3.11 with NumPy could be made in target/python; install one, or name it with MANYWORLDS_PYTHON."
exit 3
