#!/bin/sh
# Installs the packages of package-lock.json below the directory $1, for the tests with an
# application and a REST client of other people. Does nothing, and asks no network, where they are
# there already.
set -eu

here=$(dirname "$0")
into=$1

if cmp -s "$here/package-lock.json" "$into/installed"; then
	exit 0
fi

if ! node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 18 ? 0 : 1)'; then
	echo "the tests need Node.js 18 or newer; found: $(node --version 2>&1)" >&2
	exit 1
fi

echo "installing the packages of tests/interop/node"
rm -rf "$into"
mkdir -p "$into"
cp "$here/package.json" "$here/package-lock.json" "$into"
(cd "$into" && npm ci --ignore-scripts --omit=optional --no-audit --no-fund --loglevel=error)
cp "$here/package-lock.json" "$into/installed"
