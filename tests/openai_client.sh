#!/usr/bin/env bash
# Lets OpenAI's own client library for Python chat through a running server: with a session, a platform API key and a
# security token, streaming and not.
#
#   tests/openai_client.sh           the debug build; fails on anything that the library does not understand
#   tests/openai_client.sh --help    this text
#
# Needs python3 with venv; installs the library from PyPI into target/openai-client once. The server is private: a
# SQLite file in a temporary folder, a free loopback port, and a provider that tests/openai_client.py plays.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly VERSION=3.54.0
readonly TOOLS=target/openai-client

folder=""

main() {
    case "${1:-}" in
    --help | -h) sed -n '2,/^set /{s/^# \{0,1\}//;/^set /!p}' "${BASH_SOURCE[0]}" ;;
    "") install && run ;;
    *) fail "unknown argument '$1': see tests/openai_client.sh --help" ;;
    esac
}

install() {
    cargo build --locked --quiet
    "$TOOLS/venv/bin/python" -c "import openai; assert openai.__version__ == '$VERSION'" 2>/dev/null && return
    command -v python3 >/dev/null || fail "python3 is missing"
    echo "== installing openai $VERSION"
    rm -rf "$TOOLS/venv"
    python3 -m venv "$TOOLS/venv" || fail "python3 cannot make virtual environments: install python3-venv"
    "$TOOLS/venv/bin/pip" install --quiet --disable-pip-version-check "openai==$VERSION"
}

run() {
    folder="$(mktemp -d "${TMPDIR:-/tmp}/postkey-openai-client.XXXXXX")"
    trap 'rm -rf "$folder"' EXIT
    POSTKEY_KEKS="k1:$(head -c 32 /dev/urandom | base64 -w 0)" POSTKEY_DATABASE__URL="sqlite://$folder/postkey.db" \
        POSTKEY_HTTP__LISTEN=127.0.0.1:0 POSTKEY_HTTP__SIGN_UP=open \
        "$TOOLS/venv/bin/python" tests/openai_client.py target/debug/postkey
}

fail() {
    echo "tests/openai_client.sh: $*" >&2
    exit 1
}

main "$@"
