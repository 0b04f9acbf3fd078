#!/bin/sh
# Makes sure that a GPU driver is there to run on: prints nothing and returns at once where one is,
# and otherwise installs Mesa's software driver with the system's package manager.
#
#   scripts/ensure-driver.sh            a Vulkan driver
#   scripts/ensure-driver.sh opengl     EGL and an OpenGL driver
#
# MANYWORLDS_NO_INSTALL=1 only prints the command that would install it.
# Exit status: 0 a driver is there, 3 none is and none could be installed.
set -eu

case ${0%/*} in
"$0") here=. ;;
*) here=${0%/*} ;;
esac
# shellcheck source=scripts/lib.sh
. "$here/lib.sh"

api=${1:-vulkan}
case $api in
vulkan) title=Vulkan ;;
opengl) title=OpenGL ;;
*)
	say "usage: $0 [vulkan|opengl]"
	exit 2
	;;
esac

# Metal and Direct3D 12 are part of these systems.
case $(uname -s) in
Darwin | MINGW* | MSYS* | CYGWIN*) exit 0 ;;
esac

machine=$(uname -m)
cache=
cache_read=

# True if the dynamic linker finds the library named $1.
library_exists() {
	old_ifs=$IFS
	IFS=:
	for dir in ${LD_LIBRARY_PATH-}; do
		if [ -n "$dir" ] && [ -e "$dir/$1" ]; then
			IFS=$old_ifs
			return 0
		fi
	done
	IFS=$old_ifs
	for dir in "/usr/lib/$machine-linux-gnu" "/lib/$machine-linux-gnu" /usr/lib64 /lib64 \
		/usr/lib /lib /usr/local/lib64 /usr/local/lib; do
		[ ! -e "$dir/$1" ] || return 0
	done
	if [ -z "$cache_read" ]; then
		cache_read=1
		# Not on every user's PATH.
		cache=$(PATH=$PATH:/sbin:/usr/sbin ldconfig -p 2>/dev/null) || cache=
	fi
	case $cache in
	*"	$1 ("*) return 0 ;;
	esac
	return 1
}

# Judges the driver manifest $1: notes whether its library is there, and which kind of driver it is.
judge_manifest() {
	case ${1##*/} in
	*i[3-6]86*)
		# Drivers for 32-bit programs, installed next to the others by games.
		case $machine in
		i[3-6]86) ;;
		*) return 0 ;;
		esac
		;;
	esac
	[ -r "$1" ] || return 0
	text=
	while IFS= read -r line || [ -n "$line" ]; do
		text="$text $line"
	done <"$1"
	case $text in
	*'"library_path"'*) ;;
	*) return 0 ;;
	esac
	text=${text#*'"library_path"'}
	text=${text#*'"'}
	library=${text%%'"'*}
	case $library in
	/*) [ -e "$library" ] || return 0 ;;
	*/*) [ -e "${1%/*}/$library" ] || return 0 ;;
	?*) library_exists "$library" || return 0 ;;
	*) return 0 ;;
	esac
	case ${1##*/}:${library##*/} in
	*lvp* | *lavapipe* | *swiftshader*) software=1 ;;
	*nvidia*) nvidia=1 ;;
	*) other=1 ;;
	esac
}

judge_directory() {
	for manifest in "$1"/*.json; do
		[ ! -e "$manifest" ] || judge_manifest "$manifest"
	done
}

# A colon-separated list of manifests and directories of manifests.
judge_list() {
	old_ifs=$IFS
	IFS=:
	# shellcheck disable=SC2086 # split at the colons
	set -- $1
	IFS=$old_ifs
	for entry; do
		if [ -d "$entry" ]; then
			judge_directory "$entry"
		else
			judge_manifest "$entry"
		fi
	done
}

# True if one of the device files can be opened.
device_exists() {
	for device; do
		[ ! -r "$device" ] || [ ! -w "$device" ] || return 0
	done
	return 1
}

# A manifest is no proof of a device: Mesa installs those of its drivers for hardware on every
# machine. A software driver always works; one for hardware needs a device file that this user may
# open.
vulkan_usable() {
	software=
	nvidia=
	other=
	library_exists libvulkan.so.1 || return 1
	if [ -n "$chosen" ]; then
		judge_list "$chosen"
	else
		for dir in /usr/share /etc /usr/local/share /usr/local/etc /run/opengl-driver/share \
			"${XDG_DATA_HOME:-${HOME-}/.local/share}"; do
			judge_directory "$dir/vulkan/icd.d"
		done
	fi
	judge_list "${VK_ADD_DRIVER_FILES-}"
	[ -z "$software" ] || return 0
	if [ -n "$nvidia" ] && device_exists /dev/nvidia[0-9]* /dev/nvidiactl /dev/dri/renderD*; then
		return 0
	fi
	[ -n "$other" ] && device_exists /dev/dri/renderD* /dev/dxg
}

opengl_usable() {
	library_exists libEGL.so.1 || return 1
	for dir in "/usr/lib/$machine-linux-gnu/dri" /usr/lib64/dri /usr/lib/dri \
		/run/opengl-driver/lib/dri; do
		for driver in "$dir"/*_dri.so; do
			[ ! -e "$driver" ] || return 0
		done
	done
	return 1
}

# As the Vulkan loader has it: the first of these that is set replaces every other place.
chosen=
if [ "$api" = vulkan ]; then
	chosen=${VK_DRIVER_FILES:-${VK_ICD_FILENAMES-}}
fi

"${api}_usable" && exit 0

if [ -n "$chosen" ] && library_exists libvulkan.so.1; then
	say "No usable Vulkan driver: VK_DRIVER_FILES (or VK_ICD_FILENAMES) is set to"
	say "    $chosen"
	say "which names no driver that can run here, and hides all others. Unset it, or correct it."
	exit 3
fi

if [ -e /etc/NIXOS ]; then
	say "No usable $title driver. On NixOS, set hardware.graphics.enable = true; in your configuration"
	say "(it includes the software driver), and put vulkan-loader's and libglvnd's lib directories on"
	say "LD_LIBRARY_PATH, for example: nix-shell -p vulkan-loader libglvnd"
	exit 3
fi

if command -v apt-get >/dev/null 2>&1; then
	manager='apt-get install -y --no-install-recommends'
	vulkan='mesa-vulkan-drivers libvulkan1'
	opengl='libegl1 libegl-mesa0 libgl1-mesa-dri'
elif command -v dnf >/dev/null 2>&1; then
	manager='dnf install -y'
	vulkan='mesa-vulkan-drivers vulkan-loader'
	opengl='mesa-libEGL mesa-dri-drivers'
elif command -v pacman >/dev/null 2>&1; then
	manager='pacman -S --needed --noconfirm'
	# A machine that never fetched the package lists, such as a container.
	[ -e /var/lib/pacman/sync/extra.db ] || manager='pacman -Sy --needed --noconfirm'
	vulkan='vulkan-swrast vulkan-icd-loader'
	opengl='mesa libglvnd'
elif command -v zypper >/dev/null 2>&1; then
	manager='zypper --non-interactive install'
	vulkan='libvulkan_lvp libvulkan1'
	opengl='Mesa-libEGL1 Mesa-dri'
elif command -v apk >/dev/null 2>&1; then
	manager='apk add --no-cache'
	vulkan='mesa-vulkan-swrast vulkan-loader'
	opengl='mesa-egl mesa-gles mesa-dri-gallium'
else
	say "No usable $title driver, and no package manager known to this script. Install your GPU's driver,"
	say "or Mesa's software driver (lavapipe for Vulkan, llvmpipe for OpenGL)."
	[ "$api" = opengl ] || say "The Vulkan loader, libvulkan.so.1, is needed as well."
	exit 3
fi
case $api in
vulkan) packages=$vulkan ;;
opengl) packages=$opengl ;;
esac

prefix='sudo '
[ "$(id -u)" -ne 0 ] || prefix=
by_hand="$prefix$manager $packages"
case $manager in
apt-get*) apt_has_lists || by_hand="${prefix}apt-get update && $by_hand" ;;
esac

if [ "${MANYWORLDS_NO_INSTALL-}" = 1 ]; then
	say "No usable $title driver. Install your GPU's, or the software driver with"
	say "    $by_hand"
	exit 3
fi

say "No usable $title driver: installing the software driver ($packages) ..."
if ! become_root; then
	say "This needs root. Run this, then try again:"
	say "    $by_hand"
	exit 3
fi

open_log
installed=
# shellcheck disable=SC2086 # lists of words
case $manager in
apt-get*) apt_install $packages && installed=1 ;;
*) quietly $SUDO $manager $packages && installed=1 ;;
esac || true
if [ -z "$installed" ]; then
	cat "$LOG" >&2
	say "The driver could not be installed. By hand:"
	say "    $by_hand"
	exit 3
fi

cache_read=
if ! "${api}_usable"; then
	cat "$LOG" >&2
	say "The packages are installed, but there is still no usable $title driver."
	exit 3
fi
say "Installed."
