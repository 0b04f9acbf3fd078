#!/bin/sh
# gymnax 1.0.1: installed by itself, it cannot be imported: it needs `six` and does not say so.
#
# `gymnax.utils.load_mnist`, which `import gymnax` reaches, imports `six.moves`. The package's requirements do not name six;
# up to python-dateutil 2.9 it came along by way of matplotlib. python-dateutil 4.0.0 no longer asks for it, and a fresh
# environment, with which `pip check` finds no fault, fails at the first import. `pip install six` is the remedy.
#
# Seen with gymnax 1.0.1, python-dateutil 4.0.0, matplotlib 3.11.2, JAX 0.10.2, Python 3.11, x86-64 Linux:
#   without six: ModuleNotFoundError: No module named 'six'
#   with six 1.17.0: gymnax 1.0.1 imported
#
# Exit status: 0 as described, 1 something else was seen, 2 the packages could not be installed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT INT TERM
python3 -m venv "$folder/venv"
pip="$folder/venv/bin/pip --quiet --disable-pip-version-check"
$pip install gymnax==1.0.1 jax==0.10.2 python-dateutil==4.0.0 matplotlib==3.11.2 || exit 2
$pip check

import_it() {
	JAX_PLATFORMS=cpu "$folder/venv/bin/python" -c 'import gymnax, importlib.metadata as m; print("gymnax", m.version("gymnax"), "imported")' 2>&1 | tail -n 1
}

without=$(import_it)
echo "without six: $without"
$pip install six==1.17.0 || exit 2
with=$(import_it)
echo "with six 1.17.0: $with"
case "$without/$with" in
*"No module named 'six'/gymnax 1.0.1 imported") echo "as described" ;;
*)
	echo "not as described"
	exit 1
	;;
esac
