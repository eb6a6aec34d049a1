#!/bin/sh
# Installs Debian's Chromium where no browser is found and we may; else says what to do.
# BROWSER_PATH names one that is elsewhere.
set -eu

[ -z "${BROWSER_PATH:-}" ] || exit 0
for name in chromium chromium-browser google-chrome; do
    command -v "$name" >/dev/null && exit 0
done
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "install_chromium: no browser found. Install Chromium or Chrome" \
        "(Debian: sudo apt-get install chromium), or name yours: make browser BROWSER_PATH=/path/to/it" >&2
    exit 1
fi
apt-get update -qq
apt-get install -qq -y --no-install-recommends chromium fonts-dejavu-core
