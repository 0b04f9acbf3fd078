#!/bin/sh
# Drivers of GPUs that are not there, for `make gpu-budget-all`: puts Debian 13 with Mesa's Vulkan drivers into a
# folder, and makes Mesa's stand-ins for the kernel's half of two of them, which no distribution packs.
#
#   benches/budget/debian13.sh FOLDER
#
# As root, with debootstrap; 1.5 GB, and five minutes on two idle cores. What is there already is kept, so a run that was
# cut short goes on. Everyone can use the folder; nothing of it is mounted.
# MIRROR=URL is a Debian mirror, where it should be neither apt's here nor debootstrap's own; proxies are those of
# http_proxy.
# Exit status: 0 all is there, 2 wrong usage, 3 something is missing here.
set -eu

say() {
	printf '%s\n' "$*" >&2
}

if [ $# -ne 1 ]; then
	say "usage: $0 FOLDER"
	exit 2
fi
if [ "$(id -u)" -ne 0 ]; then
	say "This needs root, as debootstrap does: sudo $0 $1"
	exit 3
fi
if ! PATH=$PATH:/usr/sbin command -v debootstrap >/dev/null 2>&1; then
	say "debootstrap is needed: install the package of that name (apt-get, dnf, pacman and zypper have it)"
	exit 3
fi
PATH=$PATH:/usr/sbin:/sbin
mkdir -p "$1"
folder=$(cd "$1" && pwd)

# Where this machine is a Debian, its mirror is known to work.
mirror=${MIRROR-}
if [ -z "$mirror" ] && command -v apt-get >/dev/null 2>&1; then
	mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Component: main' |
		grep -m 1 '/debian/*$') || mirror=
fi

if [ ! -e "$folder/opt/stand-ins/system" ]; then
	# shellcheck disable=SC2086 # no word where there is no mirror
	debootstrap --arch=amd64 --variant=minbase trixie "$folder" $mirror
	mkdir -p "$folder/opt/stand-ins"
	: >"$folder/opt/stand-ins/system"
fi
sources="$folder/etc/apt/sources.list"
grep -q '^deb-src' "$sources" || sed -i '/^deb /{p;s//deb-src /}' "$sources"
cp -L /etc/resolv.conf "$folder/etc/resolv.conf"

cat >"$folder/opt/stand-ins/make.sh" <<'INSIDE'
apt-get -q update
apt-get -qy --no-install-recommends install mesa-vulkan-drivers libvulkan1 gcc g++ libc6-dev meson ninja-build pkgconf \
	bison flex python3-mako python3-packaging python3-setuptools python3-yaml libdrm-dev libelf-dev libexpat1-dev \
	libpciaccess-dev zlib1g-dev xz-utils
apt-get clean
cd /opt/stand-ins
if [ ! -e source/meson.build ]; then
	apt-get -q --download-only source mesa
	mkdir -p unpacked
	tar --extract --strip-components=1 --directory=unpacked --file="$(ls mesa_*.orig.tar.xz)"
	mv unpacked source
fi
# With as little as it takes. Of the OpenGL driver for NVIDIA's GPUs nothing is compiled, but without it Mesa leaves out
# the folder with the stand-in.
if [ ! -e build/build.ninja ]; then
	meson setup build source --auto-features=disabled -Dexpat=enabled -Dbuildtype=release -Dtools=drm-shim,intel \
		-Dvulkan-drivers= -Dgallium-drivers=nouveau -Dplatforms= -Dglx=disabled -Dopengl=false -Dvideo-codecs=
fi
for library in src/nouveau/drm-shim/libnouveau_noop_drm_shim.so src/intel/tools/libintel_noop_drm_shim.so; do
	ninja -C build "$library"
	cp "build/$library" .
done
INSIDE
chroot "$folder" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
	http_proxy="${http_proxy-}" https_proxy="${https_proxy-}" /bin/sh -eu /opt/stand-ins/make.sh </dev/null
say "Made. Now: make gpu-budget-all DEBIAN13=$folder"
