# Sourced by the scripts beside it: installs what is missing (Debian packages), once.
# shellcheck shell=bash disable=SC2034

quern_packages=(gcc g++ pkg-config meson ninja-build protobuf-c-compiler libprotobuf-c-dev libcurl4-openssl-dev
	libzstd-dev uuid-dev libcmocka-dev libevent-dev libjansson-dev libxxhash-dev zlib1g-dev libssl-dev uthash-dev
	libarchive-dev libelf-dev libexpat1-dev zstd)

# What a bench's page has its plots by: gnuplot, with some font.
quern_packages+=(gnuplot-nox fonts-dejavu-core)

# The two variants of libzookeeper exclude each other: who has the other one keeps it, and builds without zk://.
[ "$(dpkg-query -W -f '${db:Status-Status}' libzookeeper-mt-dev 2>/dev/null)" = installed ] ||
	quern_packages+=(libzookeeper-st-dev)

# install_missing PACKAGE...: asks apt for those that are not there, and for nothing when all are (so that it works
# without a network then).
install_missing() {
	local missing=() p sudo=()
	for p in "$@"; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || missing+=("$p")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	[ "$(id -u)" = 0 ] || sudo=(sudo)
	echo "installing: ${missing[*]}" >&2
	"${sudo[@]}" apt-get update -q >&2 &&
		"${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
			apt-get install -y -q --no-install-recommends "${missing[@]}" >&2
}

# build DIR [MESON_OPTION...]: configures DIR once and brings it up to date.
build() {
	local dir=$1
	shift
	[ -f "$dir/build.ninja" ] || meson setup "$dir" "$@" >&2
	ninja -C "$dir" >&2
}
