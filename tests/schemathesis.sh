#!/usr/bin/env bash
# Tests the API of a running server against its own description, with generated calls, good ones and bad ones.
#
#   tests/schemathesis.sh            the debug build, for a minute or three; fails on any finding
#   tests/schemathesis.sh OPTION..   options of `schemathesis run` besides ours, such as --max-examples 1000
#   tests/schemathesis.sh --help     this text
#
# POSTKEY_SCHEMATHESIS_SEED chooses other calls; without it they are the same in every run.
#
# Needs python3 with venv; installs schemathesis from PyPI into target/schemathesis once. The server is private: a
# SQLite file in a temporary folder, a free loopback port and, where the kernel lets us, a network of its own with
# nothing but loopback in it, so that no provider is called.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly VERSION=4.32.5
readonly TOOLS=target/schemathesis
readonly SEED="${POSTKEY_SCHEMATHESIS_SEED:-256951935723321317433513240483681772093}" # the same calls every time
readonly INSIDE=POSTKEY_SCHEMATHESIS_INSIDE # set in the network of our own

folder=""

main() {
    if [[ "${1:-}" == --help || "${1:-}" == -h ]]; then
        sed -n '2,/^set /{s/^# \{0,1\}//;/^set /!p}' "${BASH_SOURCE[0]}"
    elif [[ -n "${!INSIDE:-}" ]]; then
        run "$@"
    else
        install
        cargo build --locked --quiet
        if unshare --user --map-root-user --net true 2>/dev/null; then
            exec env "$INSIDE=alone" unshare --user --map-root-user --net "${BASH_SOURCE[0]}" "$@"
        fi
        run "$@"
    fi
}

install() {
    [[ "$("$TOOLS/venv/bin/schemathesis" --version 2>/dev/null)" == *" $VERSION" ]] && return
    command -v python3 >/dev/null || fail "python3 is missing"
    echo "== installing schemathesis $VERSION"
    rm -rf "$TOOLS/venv"
    python3 -m venv "$TOOLS/venv" || fail "python3 cannot make virtual environments: install python3-venv"
    "$TOOLS/venv/bin/pip" install --quiet --disable-pip-version-check "schemathesis==$VERSION"
}

run() {
    [[ "${!INSIDE:-}" != alone ]] || raise_loopback
    folder="$(mktemp -d "${TMPDIR:-/tmp}/postkey-schemathesis.XXXXXX")"
    trap stop EXIT
    trap 'exit 130' INT TERM
    local password
    password="$(tr -d - </proc/sys/kernel/random/uuid)"
    export POSTKEY_SCHEMATHESIS_PASSWORD="$password"
    start_server
    "$TOOLS/venv/bin/python" tests/schemathesis/fill.py "$url" "$folder/postkey.db"
    "$TOOLS/venv/bin/schemathesis" --config-file tests/schemathesis/schemathesis.toml run "$url/api/openapi.json" \
        --checks all --seed "$SEED" "$@"
    check_log
}

# A network that was just made has even loopback down.
raise_loopback() {
    "$TOOLS/venv/bin/python" - <<'PYTHON'
import fcntl, socket, struct

SIOCSIFFLAGS, IFF_UP = 0x8914, 1
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
    fcntl.ioctl(handle, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))
PYTHON
}

start_server() {
    : >"$folder/log"
    POSTKEY_KEKS="k1:$(head -c 32 /dev/urandom | base64 -w 0)" \
        POSTKEY_DATABASE__URL="sqlite://$folder/postkey.db" \
        POSTKEY_HTTP__LISTEN=127.0.0.1:0 POSTKEY_HTTP__SIGN_UP=open POSTKEY_HTTP__CALLS_PER_MINUTE=0 \
        POSTKEY_HTTP__SIGN_INS_PER_ACCOUNT=1000000 POSTKEY_HTTP__SIGN_INS_PER_ADDRESS=1000000 \
        POSTKEY_HTTP__SIGN_UPS_PER_ADDRESS=1000000 POSTKEY_HTTP__KEY_CHECKS_PER_USER=1000000 \
        POSTKEY_HTTP__NEW_KEYS_PER_USER=1000000 POSTKEY_HTTP__SECURITY_TOKENS_PER_USER=1000000 \
        POSTKEY_NETWORK__PRIVATE_ENDPOINTS=127.0.0.1:9 POSTKEY_PROVIDER__CONNECT_TIMEOUT=1s \
        POSTKEY_NETWORK__RESOLVE_TIMEOUT=1s \
        target/debug/postkey serve >>"$folder/log" 2>&1 &
    for _ in {1..100}; do
        url="$(grep -oE 'the API is served.*address=[0-9.:]+' "$folder/log" | grep -oE '[0-9.]+:[0-9]+$')" && break
        sleep 0.1
    done
    [[ -n "${url:-}" ]] || { cat "$folder/log" >&2; fail "the server does not start"; }
    url="http://$url"
}

# Nothing that a caller sends is an error of ours.
check_log() {
    ! grep -E ' ERROR | panicked ' "$folder/log" || fail "the server has logged errors"
}

stop() {
    local jobs
    jobs="$(jobs -p)"
    [[ -z "$jobs" ]] || kill $jobs 2>/dev/null || true
    wait
    [[ -z "$folder" ]] || rm -rf "$folder"
}

fail() {
    echo "tests/schemathesis.sh: $*" >&2
    exit 1
}

main "$@"
