#!/bin/sh
# Makes sure that there is a Python 3.11 with NumPy, onnx and onnxruntime for the tests of docs/policy.py and of exported policies:
# prints nothing and returns at once where python3 has them, and otherwise makes a virtual environment in target/python.
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
wanted='numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0'
has_all() {
	"$1" -c 'import numpy, onnx, onnxruntime, tomllib' >/dev/null 2>&1
}

if [ -n "${MANYWORLDS_PYTHON-}" ] && has_all "$MANYWORLDS_PYTHON"; then exit 0; fi
if [ -e "$place/bin/python3" ] && has_all "$place/bin/python3"; then exit 0; fi
if has_all python3 && [ ! -e "$place" ]; then exit 0; fi

open_log
make_it() {
	rm -rf "$place"
	# shellcheck disable=SC2086
	quietly python3 -m venv "$place" && quietly "$place/bin/pip" install --quiet $wanted && has_all "$place/bin/python3"
}
if make_it; then exit 0; fi
if command -v apt-get >/dev/null 2>&1 && become_root && apt_install python3 python3-venv && make_it; then exit 0; fi
cat "$LOG" >&2
say "No Python 3.11 with NumPy, onnx and onnxruntime could be made in target/python; install them, or name one with MANYWORLDS_PYTHON."
exit 3
