#!/bin/sh
# Makes a base for app/Dockerfile out of Debian's own packages, where there is no Docker Hub: about half a minute.
#   scripts/make_base_image.sh [NAME [MIRROR]]      default: teal-base:bookworm, Debian's own mirrors
# Needs Debian's mmdebstrap, and root or user namespaces. A snapshot of Debian as MIRROR makes every build the same.
set -eu
name=${1:-teal-base:bookworm}
mirror=${2:-http://deb.debian.org/debian}
docker=${DOCKER:-docker}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
set -- "deb $mirror bookworm main"
if [ "$mirror" = http://deb.debian.org/debian ]; then
    set -- "$@" "deb $mirror bookworm-updates main" "deb http://deb.debian.org/debian-security bookworm-security main"
fi
SOURCE_DATE_EPOCH=0 mmdebstrap --quiet --variant=minbase bookworm "$folder/base.tar" "$@"
"$docker" import "$folder/base.tar" "$name"
