#!/bin/sh
# SPDX-License-Identifier: ISC
# deps.sh PACKAGE...: installs those Debian packages that are missing; does nothing when all are there.
# As root at once, else through sudo, else it prints the line to type. The servers among them are not
# started: the tests start their own, on ports of their own.
set -eu

missing=''
for package in "$@"; do
	dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

root=''
if [ "$(id -u)" != 0 ]; then
	root=sudo
	if ! command -v sudo >/dev/null || ! { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
		printf 'Some packages are missing. As root:\n\n    apt-get install --no-install-recommends%s\n\n' "$missing" >&2
		exit 1
	fi
fi

printf 'Installing%s\n' "$missing"
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then # invoke-rc.d asks it whether a service may be started: 101 is no
	printf '#!/bin/sh\nexit 101\n' | $root tee $policy >/dev/null
	$root chmod +x $policy
	trap '$root rm -f $policy' EXIT
fi
log=$(mktemp)
# shellcheck disable=SC2086
install() { $root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing >"$log" 2>&1; }
{ $root apt-get update >"$log" 2>&1 && install; } || { cat "$log" >&2; exit 1; }
rm -f "$log"
