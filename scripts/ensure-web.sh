#!/bin/sh
# Makes sure that Node, Dawn (the WebGPU of Chrome, from npm) and Chromium are there for the tests of the page, and prints a line
# that names them, for a shell to evaluate: MANYWORLDS_WEBGPU='…' MANYWORLDS_CHROMIUM='…'
#
# MANYWORLDS_CHROMIUM=/path/to/chrome takes that browser.
# Exit status: 0 all is there, 3 something is not and could not be had.
set -eu

case ${0%/*} in
"$0") here=. ;;
*) here=${0%/*} ;;
esac
# shellcheck source=scripts/lib.sh
. "$here/lib.sh"

root=$(cd "$here/.." && pwd)
place=$root/target/web
open_log

fail() {
	cat "$LOG" >&2
	say "$1"
	exit 3
}

# A browser on this machine.
browser() {
	if [ -n "${MANYWORLDS_CHROMIUM-}" ]; then
		printf '%s\n' "$MANYWORLDS_CHROMIUM"
		return 0
	fi
	for name in chromium chromium-browser google-chrome google-chrome-stable; do
		command -v "$name" && return 0
	done
	return 1
}

# What apt has to bring. Chromium brings SwiftShader, so no driver is installed for it.
missing=
command -v node >/dev/null 2>&1 && command -v npm >/dev/null 2>&1 || missing="nodejs npm"
browser >/dev/null || missing="$missing chromium"
if [ -n "$missing" ]; then
	say "Installing $missing ..."
	command -v apt-get >/dev/null 2>&1 && become_root || fail "Install these: $missing"
	# shellcheck disable=SC2086 # words
	apt_install $missing || fail "apt-get could not install: $missing"
fi
chromium=$(browser) || fail "No Chromium is here; install one, or name it with MANYWORLDS_CHROMIUM."

mkdir -p "$place"
# what was asked for when the last installation came to its end
if ! cmp -s "$root/tests/web/package-lock.json" "$place/installed.json"; then
	say "Fetching Dawn (75 MB, the npm package webgpu) ..."
	rm -f "$place/installed.json"
	cp "$root/tests/web/package.json" "$root/tests/web/package-lock.json" "$place/"
	# what it would run after an installation is for macOS alone
	(cd "$place" && quietly npm ci --ignore-scripts) || fail "npm could not install the package webgpu."
	cp "$place/package-lock.json" "$place/installed.json"
fi

# A word as a shell takes it.
quoted() {
	printf "'%s'" "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")"
}

printf 'MANYWORLDS_WEBGPU=%s MANYWORLDS_CHROMIUM=%s\n' "$(quoted "$place")" "$(quoted "$chromium")"
