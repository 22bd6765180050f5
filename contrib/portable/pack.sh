#!/bin/sh
# SPDX-License-Identifier: ISC
# pack.sh BUILD VERSION: makes BUILD/upbeat-VERSION-MACHINE.tar.gz, one folder that runs where it is unpacked.
#
#   bin/upbeat-prober   linked to look for its libraries in ../lib, and there first
#   lib/                those libraries, all but libc's own, as Debian built them; certificate authorities
#   web/                upbeat.fcgi (static) and .htaccess: `upbeat-prober init FOLDER` copies them
#   doc/ clients/       manual, licences of everything inside; small heartbeat clients
#
# libc stays the host's, so the host's must be as new as the symbols that the prober and its libraries ask for:
# INSTALL names that version. Packed on Debian 12 it is 2.34 (Debian 12, Ubuntu 22.04, AlmaLinux 9 have it; Debian
# 11 has 2.31, AlmaLinux 8 has 2.28). A static prober would need none, but Debian has no static form of what its
# libcurl needs (nghttp2, librtmp, libssh2, libpsl, LDAP, Kerberos, zstd), nor of cJSON; and of the shared ones
# libcurl, libcrypto and a dozen below them ask for 2.33 or 2.34 themselves, whatever we call. For an older host it
# must be packed on one like it, with libcurl 7.87 or newer and something in the place of closefrom().
#
# The same sources and packages give the same bytes: names are sorted, owners and times fixed
# (SOURCE_DATE_EPOCH, else the time of the last commit). Nothing in it may name the folder it was built in.
set -eu
export LC_ALL=C

build=$(cd "$1" && pwd) version=$2
root=$(cd "$(dirname "$0")/../.." && pwd)
machine=$(uname -m)
name=upbeat-$version-$machine
work=$build/portable
top=$work/$name
epoch=${SOURCE_DATE_EPOCH:-$(git -C "$root" log -1 --format=%ct 2>/dev/null || stat -c %Y "$root/CHANGES.md")}

fail() {
	printf 'pack.sh: %s\n' "$*" >&2
	exit 1
}

# The files of shared libraries that a program needs, but for those that belong to libc.
libraries_of() {
	ldd "$1" | awk '$3 ~ "^/" { print $3 }' |
		grep -Ev '/(ld-linux.*|lib(c|m|dl|rt|pthread|resolv|util|anl|nsl|nss_.*))\.so\.[0-9]+$' | sort
}

# The Debian packages that files came with; /lib is /usr/lib today and was not when some were packed.
packages_of() {
	found=$(for library in "$@"; do
		file=$(readlink -f "$library")
		printf '%s\n%s\n' "$file" "${file#/usr}"
	done | xargs dpkg-query -S 2>/dev/null || true)
	[ "$(echo "$found" | sed 's,.*/,,' | sort -u | wc -l)" = $# ] || fail 'a library is of no package'
	echo "$found" | cut -d: -f1 | sort -u
}

# Licence texts, and those they refer to; which version of what is inside, so that its source can be found.
add_licences() {
	for package in "$@"; do
		[ -e "/usr/share/doc/$package/copyright" ] || fail "no licence text for $package"
		cp "/usr/share/doc/$package/copyright" "$top/doc/licenses/$package"
	done
	grep -ohE '/usr/share/common-licenses/[A-Za-z0-9.+-]*[A-Za-z0-9]' "$top"/doc/licenses/* | sort -u |
		while read -r text; do
			[ ! -f "$text" ] || cp -L "$text" "$top/doc/licenses/common-$(basename "$text")"
		done
	{
		echo 'Within this folder, from Debian, unchanged; their sources are at https://snapshot.debian.org/'
		dpkg-query -W -f '${Package} ${Version} (source ${source:Package} ${source:Version})\n' "$@" | sort -u
	} >"$top/doc/licenses/PACKAGES"
}

rm -rf "$top"
mkdir -p "$top/bin" "$top/lib" "$top/web" "$top/doc/licenses" "$top/clients"

cp "$work/upbeat-prober" "$top/bin/"
cp "$build/upbeat.fcgi" "$top/web/"
! ldd "$top/web/upbeat.fcgi" 2>/dev/null | grep -q '=>' || fail "upbeat.fcgi is not static: make STATIC=1"
cp "$root/contrib/shared-hosting/htaccess-example" "$top/web/.htaccess"
strip "$top/bin/upbeat-prober" "$top/web/upbeat.fcgi"

libraries=$(libraries_of "$work/upbeat-prober")
[ -n "$libraries" ] || fail "ldd finds no libraries"
# shellcheck disable=SC2086 # names without blanks, several
{
	cp -L $libraries "$top/lib/"
	packages=$(packages_of $libraries)
	# Within upbeat.fcgi, and beside it.
	add_licences $packages libc6-dev libfcgi-dev liblmdb-dev libssl-dev ca-certificates
}
# The package's own, not this machine's: an authority that somebody added here is nobody else's.
cat /usr/share/ca-certificates/mozilla/*.crt >"$top/lib/ca-certificates.crt"

cp "$root/LICENSE" "$root/CHANGES.md" "$root"/docs/*.[158] "$root/docs/upbeat.schema.json" "$top/doc/"
cp "$root"/contrib/clients/* "$top/clients/"
glibc=$(objdump -T "$top/bin/upbeat-prober" "$top"/lib/*.so.* |
	grep -oE 'GLIBC_2\.[0-9]+' | sort -uV | tail -n 1)
sed -e "s/@NAME@/$name/g" -e "s/@MACHINE@/$machine/" -e "s/@GLIBC@/${glibc#GLIBC_}/" \
	"$root/contrib/portable/INSTALL" >"$top/INSTALL"

# What names the builder's folders would not be the same elsewhere, and is nobody's business.
for path in "$root" "$build" "${HOME:-/nonexistent}"; do
	case $path in / | /root | /usr*) continue ;; esac
	! grep -rlF "$path" "$top" >&2 || fail "these name $path"
done

find "$top" -type d -exec chmod 755 {} + -o -type f -exec chmod 644 {} +
chmod 755 "$top/bin/upbeat-prober" "$top/web/upbeat.fcgi" "$top"/clients/*
tar -C "$work" --sort=name --format=ustar --owner=0 --group=0 --numeric-owner --mtime="@$epoch" -c "$name" |
	gzip -n >"$build/$name.tar.gz.new"
mv "$build/$name.tar.gz.new" "$build/$name.tar.gz"
rm -rf "$top"
