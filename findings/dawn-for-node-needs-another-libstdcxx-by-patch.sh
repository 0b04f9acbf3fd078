#!/bin/sh
# npm package webgpu (Dawn for Node), Linux x86-64: which libstdc++ it needs goes up and down with its versions. Seen on 2026-11-30.
#
# Surprise: 0.4.0 and 0.6.2 load on Debian 12 (libstdc++ with GLIBCXX_3.4.30, glibc 2.36); 0.5.0 and 0.6.0 between them ask for
# GLIBCXX_3.4.32 and GLIBC_2.38, which Debian 12 and Ubuntu 22.04 do not have, and `require` ends with ERR_DLOPEN_FAILED. Nothing in
# package.json tells, and `npm install webgpu@^0.6.0` may give either. Pin the version exactly.
#
# Output seen:
#   webgpu 0.4.0: GLIBCXX_3.4.30 GLIBC_2.34
#   webgpu 0.5.0: GLIBCXX_3.4.32 GLIBC_2.38
#   webgpu 0.6.0: GLIBCXX_3.4.32 GLIBC_2.38
#   webgpu 0.6.2: GLIBCXX_3.4.30 GLIBC_2.34
#
# Exit status: 0 as described, 1 something else was seen, 2 the packages could not be had. Needs npm, tar and grep.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT INT TERM
cd "$folder"

# The highest version of a kind of symbol that a library asks for.
highest() {
	grep -a -o "$1_[0-9][0-9.]*" "$2" | sort -V | tail -n 1
}

for version in 0.4.0 0.5.0 0.6.0 0.6.2; do
	npm pack --silent "webgpu@$version" >/dev/null 2>&1 || exit 2
	rm -rf package
	tar -xzf "webgpu-$version.tgz"
	library=$(find package/dist -name '*.node' -path '*linux-x64*')
	echo "webgpu $version: $(highest GLIBCXX "$library") $(highest GLIBC "$library")"
done >said
cat said
cat >expected <<END
webgpu 0.4.0: GLIBCXX_3.4.30 GLIBC_2.34
webgpu 0.5.0: GLIBCXX_3.4.32 GLIBC_2.38
webgpu 0.6.0: GLIBCXX_3.4.32 GLIBC_2.38
webgpu 0.6.2: GLIBCXX_3.4.30 GLIBC_2.34
END
if cmp -s said expected; then echo "as described"; else echo "not as described"; exit 1; fi
