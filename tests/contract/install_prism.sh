#!/bin/sh
# Installs Prism, the mock server of test_prism.py, into .venv/prism (or the folder named), once.
# "@5": npm takes the newest 5.x that runs on this node. No install scripts: one of them only reports home.
set -eu

folder=${1:-$(dirname "$0")/../../.venv/prism}
prism=$folder/node_modules/.bin/prism

case $("$prism" --version 2>/dev/null || true) in
5.*) exit 0 ;;
esac
command -v npm >/dev/null || {
    echo "install_prism: npm is missing (https://nodejs.org)" >&2
    exit 1
}
mkdir -p "$folder"
npm install --no-save --no-package-lock --no-audit --no-fund --ignore-scripts --loglevel=error \
    --prefix "$folder" "@stoplight/prism-cli@5"
"$prism" --version
