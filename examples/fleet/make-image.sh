#!/bin/sh
# Makes the image of the fleet's container server from this machine's own Node: no registry is asked.
set -eu
here=$(cd "$(dirname "$0")" && pwd)

engine=""
for program in docker podman; do
	if "$program" version >/dev/null 2>&1; then
		engine=$program
		break
	fi
done
if [ -z "$engine" ]; then
	echo "Neither Docker nor Podman runs here: the fleet goes without its container server."
	exit 0
fi

node=$(node -p process.execPath)
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root/bin" "$root/tmp"
cp "$node" "$root/bin/node"
# Node and the libraries it is linked with are all that the server needs.
ldd "$node" | sed -n 's/.*[[:space:]]\(\/[^ ]*\) (0x.*/\1/p' | while read -r library; do
	mkdir -p "$root$(dirname "$library")"
	cp -L "$library" "$root$library"
done
cp "$here/harbour.mjs" "$root/harbour.mjs"
chmod 1777 "$root/tmp"
tar --create --owner=0 --group=0 --directory "$root" . |
	"$engine" import --change 'CMD ["/bin/node", "/harbour.mjs"]' - moorage-fleet/harbour:1 >/dev/null
echo "The image moorage-fleet/harbour:1 is made; $engine runs it."
if [ "$engine" = podman ]; then
	echo "Podman has to listen for Moorage: systemctl --user start podman.socket (as root without --user)."
fi
