#!/bin/sh
# Installs PJSUA2 for the tests with real phones: a virtual environment in the directory $1.
# Does nothing, and asks no network, where it is there already.
set -eu

here=$(dirname "$0")
into=$1
wanted=$(cat "$here/requirements.txt")

if [ "$(cat "$into/installed" 2>/dev/null)" = "$wanted" ] && "$into/bin/python" -c 'import pjsua2'
then
	exit 0
fi

# The package comes as a wheel for some versions of CPython only.
fits='import sys, venv, ensurepip; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))'
python=
for candidate in python3 python3.11 python3.12 python3.10 /usr/bin/python3; do
	if "$candidate" -c "$fits" 2>/dev/null; then
		python=$candidate
		break
	fi
done
if [ -z "$python" ]; then
	echo "the tests with PJSUA2 need CPython 3.10, 3.11 or 3.12 with venv and ensurepip;" \
		"found: $(python3 --version 2>&1). On Debian and Ubuntu: apt-get install python3-venv" >&2
	exit 1
fi

echo "installing $wanted"
rm -rf "$into"
mkdir -p "$(dirname "$into")"
"$python" -m venv "$into"
"$into/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: \
	--requirement "$here/requirements.txt"
"$into/bin/python" -c 'import pjsua2'
echo "$wanted" >"$into/installed"
