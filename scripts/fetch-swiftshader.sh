#!/bin/sh
# Puts SwiftShader, a second software Vulkan driver, into target/swiftshader and prints the path of
# its driver manifest, for VK_DRIVER_FILES. It comes out of Debian's Chromium package, of which
# nothing else is installed, or from a browser that is already on this machine.
#
# SWIFTSHADER_LIBRARY=/path/to/libvk_swiftshader.so takes that one instead.
# Exit status: 0 it is there, 3 there is none to be had.
set -eu

case ${0%/*} in
"$0") here=. ;;
*) here=${0%/*} ;;
esac
# shellcheck source=scripts/lib.sh
. "$here/lib.sh"

root=$(cd "$here/.." && pwd)
dest=$root/target/swiftshader
library=$dest/libvk_swiftshader.so
manifest=$dest/vk_swiftshader_icd.json

# Copies the library $1 to its place and writes a manifest that names it absolutely: the one in the
# package has a path relative to itself, which not every loader takes.
adopt() {
	mkdir -p "$dest"
	cp -f "$1" "$library.part"
	mv -f "$library.part" "$library"
	write_manifest
}

write_manifest() {
	escaped=$(printf '%s' "$library" | sed 's/[\\"]/\\&/g')
	# SwiftShader implements Vulkan 1.3.
	printf '{"file_format_version": "1.0.0", "ICD": {"library_path": "%s", "api_version": "1.3.0"}}\n' \
		"$escaped" >"$manifest.part"
	mv -f "$manifest.part" "$manifest"
}

# A SwiftShader that some browser brought.
find_installed() {
	for dir in /usr/lib/chromium /usr/lib/chromium-browser /usr/lib64/chromium-browser \
		/usr/lib64/chromium /opt/google/chrome /opt/microsoft/msedge /snap/chromium/current/usr/lib/chromium-browser; do
		if [ -e "$dir/libvk_swiftshader.so" ]; then
			printf '%s\n' "$dir/libvk_swiftshader.so"
			return 0
		fi
	done
	return 1
}

# Downloads the package $1 as a file, without its dependencies and without root.
download() {
	rm -rf "$work"
	mkdir -p "$work"
	(cd "$work" && quietly apt-get download "$1") && return 0
	# Package lists absent or out of date; only root may renew them.
	become_root || return 1
	apt_as_root update || return 1
	(cd "$work" && quietly apt-get download "$1")
}

# Takes the one library out of the downloaded package.
extract() {
	for package in "$work"/*.deb; do
		quietly dpkg-deb -x "$package" "$work/files" || return 1
		for found in "$work"/files/usr/lib/chromium*/libvk_swiftshader.so; do
			[ -e "$found" ] || return 1
			adopt "$found"
			return 0
		done
	done
	return 1
}

if [ -n "${SWIFTSHADER_LIBRARY-}" ]; then
	adopt "$SWIFTSHADER_LIBRARY"
elif [ -e "$library" ]; then
	# Written anew each time: the checkout may have moved.
	write_manifest
elif found=$(find_installed); then
	adopt "$found"
elif command -v apt-get >/dev/null 2>&1 && command -v dpkg-deb >/dev/null 2>&1; then
	say "Fetching SwiftShader (32 MB, from the package chromium-common) ..."
	open_log
	work=$dest/download
	if download chromium-common && extract; then
		:
	elif become_root && apt_install chromium-common && found=$(find_installed); then
		adopt "$found"
	else
		cat "$LOG" >&2
		rm -rf "$work"
		say "SwiftShader could not be had from the package chromium-common."
		exit 3
	fi
	rm -rf "$work"
else
	say "No SwiftShader here. Install Chromium or Chrome, or set SWIFTSHADER_LIBRARY to the path of a"
	say "libvk_swiftshader.so."
	exit 3
fi

printf '%s\n' "$manifest"
