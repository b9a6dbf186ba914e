#!/bin/sh
# Joins the pieces beside this script into a folder of wheels, and checks them before and after.
#
# usage: sh join.sh [FOLDER]     FOLDER must not be there yet; by default "wheels" beside the pieces
set -eu

refuse() {
  echo "error: $1" >&2
  exit 1
}

here=$(cd "$(dirname "$0")" && pwd)
target=${1:-$here/wheels}
partial=$target.partial

for program in sha256sum tar; do
  command -v "$program" > /dev/null || refuse "$program is needed, and is not on this machine: install coreutils and tar"
done
[ -e "$target" ] && refuse "$target is there already: remove it, or name another folder: sh join.sh FOLDER"
rm -rf "$partial"

pieces=$(sed 's/^[^ ]*  //' "$here/pieces.sha256")
missing=""
for piece in $pieces; do
  [ -f "$here/$piece" ] || missing="$missing $piece"
done
[ -z "$missing" ] || refuse "these pieces are not beside join.sh:$missing; copy them again"

# an absolute name: what follows is done beside the pieces
case $target in /*) ;; *) partial=$PWD/$partial target=$PWD/$target ;; esac
cd "$here"
damaged=$(sha256sum -c pieces.sha256 2> /dev/null | sed -n 's/: FAILED.*//p' | tr '\n' ' ')
[ -z "$damaged" ] || refuse "these pieces are damaged: ${damaged% }; copy them again"
sha256sum -c pieces.sha256 > /dev/null 2>&1 || refuse "pieces.sha256 cannot be read; copy it again"

mkdir -p "$partial" || refuse "$partial cannot be made; name another folder: sh join.sh FOLDER"
# shellcheck disable=SC2086 # one word a piece
if ! cat $pieces | tar -xf - -C "$partial"; then
  rm -rf "$partial"
  refuse "the wheels cannot be written into $target: make room there"
fi
if ! (cd "$partial" && sha256sum -c SHA256SUMS > /dev/null); then
  rm -rf "$partial"
  refuse "what was joined differs from SHA256SUMS: is the disk well?"
fi
mv "$partial" "$target"
echo "joined: $target"
