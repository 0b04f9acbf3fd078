#!/bin/sh
# Makes a virtual environment in target/wheel-tools with maturin, which builds the wheel of the Python package, and with what its
# tests need. Prints nothing where it is there already.
#
# Exit status: 0 it is there, 3 it is not and could not be made.
set -eu

case ${0%/*} in
"$0") here=. ;;
*) here=${0%/*} ;;
esac
# shellcheck source=scripts/lib.sh
. "$here/lib.sh"

place=$here/../target/wheel-tools
wanted='maturin==1.16.0 numpy==2.4.6 gymnasium==1.4.0 pytest==9.2.0'
there=$place/wanted
if [ "$(cat "$there" 2>/dev/null)" = "$wanted" ] && "$place/bin/python" -c 'import gymnasium, numpy' 2>/dev/null; then exit 0; fi

open_log
make_it() {
	rm -rf "$place"
	# shellcheck disable=SC2086
	quietly python3 -m venv "$place" && quietly "$place/bin/pip" install --quiet $wanted && printf '%s' "$wanted" >"$there"
}
if make_it; then exit 0; fi
if command -v apt-get >/dev/null 2>&1 && become_root && apt_install python3 python3-venv && make_it; then exit 0; fi
cat "$LOG" >&2
say "No virtual environment with maturin could be made in target/wheel-tools: python3 (3.11 or later) with venv, and a way to PyPI are needed."
exit 3
