#!/bin/sh
# Installs Moorage as a service on a fresh Debian (12 or newer), or brings an installation up to date.
#
#   install.sh [--archive FILE] [--root DIR] [--no-packages] [--no-start] [--dry-run]
#
#   --archive FILE   the archive that `npm run package` packs; by default Moorage comes from npm
#   --root DIR       installs below DIR: for images, and to try it out; starts nothing there
#   --no-packages    takes what the machine has, and installs no Debian packages
#   --no-start       leaves the service as it is
#   --dry-run        says what would be done
#
# It may be run again at any time: your configuration and data are left alone. What it makes:
#   /opt/moorage               the program, and a Node of its own
#   /usr/local/bin/moorage     the command line
#   /etc/moorage/moorage.yaml  the configuration, where there is none
#   /var/lib/moorage           the data, of the user moorage
#   /etc/systemd/system/moorage.service, moorage.socket
set -eu

archive=moorage
root=
packages=yes
start=yes
dry=no

fail() {
	echo "install.sh: $1" >&2
	exit 1
}

usage() {
	sed -n '2,18s/^# \{0,1\}//p' "$0"
}

while [ $# -gt 0 ]; do
	case $1 in
	--archive) [ $# -ge 2 ] || fail "--archive takes a file"; archive=$2; shift ;;
	--root) [ $# -ge 2 ] || fail "--root takes a folder"; root=${2%/}; shift ;;
	--no-packages) packages=no ;;
	--no-start) start=no ;;
	--dry-run) dry=yes ;;
	--help | -h) usage; exit 0 ;;
	*) fail "there is no option $1; see install.sh --help" ;;
	esac
	shift
done

# Says what is done, and does it unless this is only a rehearsal.
run() {
	echo "  $*"
	[ "$dry" = yes ] || "$@"
}

here=$(CDPATH='' cd "$(dirname "$0")" && pwd)
units=$here/../systemd
[ -f "$units/moorage.service" ] || fail "the units are missing beside this script, in $units"
[ "$archive" = moorage ] || [ -f "$archive" ] || fail "there is no archive $archive"
[ "$dry" = yes ] || [ -n "$root" ] || [ "$(id -u)" = 0 ] || fail "run it as root: sudo $0"
case $archive in
moorage | /*) ;;
*) archive=$PWD/$archive ;;
esac

if [ "$packages" = yes ] && [ -z "$root" ]; then
	echo "Debian packages"
	command -v apt-get >/dev/null || fail "there is no apt-get here; use --no-packages"
	run apt-get update -qq
	run env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
		nodejs npm bubblewrap ca-certificates
fi
[ "$dry" = yes ] || command -v npm >/dev/null || fail "npm is missing: apt-get install npm"

echo "The program"
opt=$root/opt/moorage
program=$opt/node_modules/moorage/bin/moorage
run mkdir -p "$opt" "$root/usr/local/bin" "$root/etc/moorage" "$root/etc/systemd/system" \
	"$root/var/lib/moorage"
run npm install --prefix "$opt" --no-save --ignore-scripts --no-fund --no-audit --silent "$archive"
# Debian's Node may be too old: Moorage then fetches one, into a folder of everybody's.
run env XDG_CACHE_HOME="$opt/tools" "$program" --version

# Services are not to depend on what this machine calls node.
node=$(command -v node || echo node)
if [ "$dry" = no ]; then
	fetched=$(find "$opt/tools" -type f -path '*/bin/node' 2>/dev/null | sort | tail -n 1)
	[ -z "$fetched" ] || node=$fetched
fi
run ln -sfn "${node#"$root"}" "$opt/node"
[ "$dry" = yes ] || printf '%s\n' '#!/bin/sh' \
	'exec /opt/moorage/node /opt/moorage/node_modules/moorage/bin/moorage "$@"' \
	>"$root/usr/local/bin/moorage"
run chmod 755 "$root/usr/local/bin/moorage"

echo "The user, the configuration and the data"
if [ -z "$root" ] && ! id moorage >/dev/null 2>&1; then
	run adduser --quiet --system --group --home /var/lib/moorage moorage
fi
if [ ! -e "$root/etc/moorage/moorage.yaml" ]; then
	[ "$dry" = yes ] || printf '%s\n' '# See the documentation of Moorage: docs/configuration.md' \
		'version: 1' 'servers: {}' >"$root/etc/moorage/moorage.yaml"
	echo "  a first /etc/moorage/moorage.yaml"
fi
if [ -z "$root" ]; then
	run chown root:moorage /etc/moorage /etc/moorage/moorage.yaml
	run chown moorage:moorage /var/lib/moorage
fi
run chmod 750 "$root/etc/moorage"
run chmod 640 "$root/etc/moorage/moorage.yaml"
run chmod 700 "$root/var/lib/moorage"

echo "The service"
[ "$dry" = yes ] || sed \
	's#^ExecStart=/usr/local/bin/node \(.*\) /usr/local/bin/moorage #ExecStart=/opt/moorage/node \1 /opt/moorage/node_modules/moorage/bin/moorage #' \
	"$units/moorage.service" >"$root/etc/systemd/system/moorage.service"
run cp "$units/moorage.socket" "$root/etc/systemd/system/moorage.socket"
if [ "$start" = yes ] && [ -z "$root" ]; then
	run systemctl daemon-reload
	run systemctl enable --now moorage.socket
	run systemctl restart moorage.service
fi

echo
echo "Moorage is installed. Add servers to /etc/moorage/moorage.yaml, then: systemctl reload moorage"
