#!/bin/sh
# tensorboard 2.20.0 does not start beside setuptools 84.2.1, which its requirements allow.
#
# `tensorboard/default.py` imports `pkg_resources`; the package asks for setuptools 41 or newer, and releases of setuptools since have
# left that module out. `pip check` finds no fault. Event files are not to blame, and neither is what wrote them; tensorboard
# 2.21.0 starts beside the same setuptools.
#
# Seen with Python 3.11, x86-64 Linux:
#   tensorboard 2.20.0: ModuleNotFoundError: No module named 'pkg_resources'
#   tensorboard 2.21.0: 2.21.0
#
# Exit status: 0 as described, 1 something else was seen, 2 the packages could not be installed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT INT TERM
python3 -m venv "$folder/venv"
pip="$folder/venv/bin/pip --quiet --disable-pip-version-check"

start_it() {
	$pip install "tensorboard==$1" setuptools==84.2.1 || exit 2
	$pip check >&2
	"$folder/venv/bin/tensorboard" --version 2>&1 | tail -n 1
}

old=$(start_it 2.20.0) || exit 2
echo "tensorboard 2.20.0: $old"
new=$(start_it 2.21.0) || exit 2
echo "tensorboard 2.21.0: $new"
case "$old/$new" in
*"No module named 'pkg_resources'/2.21.0") echo "as described" ;;
*)
	echo "not as described"
	exit 1
	;;
esac
