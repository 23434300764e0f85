#!/usr/bin/env bash
# Checks everything: format, lints, docs, dependencies, and every test on SQLite, PostgreSQL and Dovecot.
#
#   tests/run.sh                  everything; fails on any warning, failed test or skipped test
#   tests/run.sh -- COMMAND..     only starts the servers and runs COMMAND with them, for example
#                                 tests/run.sh -- cargo nextest run -E 'test(postgres)'
#   tests/run.sh --durable -- COMMAND..
#                                 the same with a PostgreSQL whose commits are on disk before they are
#                                 answered, as in service: for figures, for example
#                                 tests/run.sh --durable -- cargo bench --bench queue
#   tests/run.sh --only-servers   starts PostgreSQL, prints the line to export, and waits for Ctrl-C
#   tests/run.sh --help           this text
#
# Works as root and as an ordinary user. Needs Debian's packages `postgresql`, `dovecot-imapd`, `python3-venv`,
# `curl`, `jq` and `chromium`, and installs them when it may (as root, or with sudo that asks no password). The
# PostgreSQL server is private: a temporary folder, a free loopback port, a random password, gone when this
# script ends.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Crates that must never get in: Postkey has one TLS provider (ring) and no C library but SQLite.
readonly BANNED=(aws-lc-rs aws-lc-sys openssl-sys native-tls)

folder=""        # the private server's data; empty until it is made
as_server=()     # what makes a command run as the server's user; empty for an ordinary user
postgres_bin=""
# Tests need no data after a power cut, and are several times faster without waiting for the disk.
durability=(-c fsync=off -c full_page_writes=off)
folders="${TMPDIR:-/tmp}"

main() {
    if [[ "${1:-}" == --durable ]]; then
        durability=(-c fsync=on -c full_page_writes=on -c synchronous_commit=on)
        folders="${TMPDIR:-/var/tmp}" # /tmp is memory on many machines
        shift
    fi
    case "${1:-}" in
    --help | -h) sed -n '2,/^set /{s/^# \{0,1\}//;/^set /!p}' "${BASH_SOURCE[0]}" ;;
    --only-servers) start_servers; wait_for_interrupt ;;
    --) start_servers; "${@:2}" ;;
    "") check_everything ;;
    *) fail "unknown argument '$1': see tests/run.sh --help" ;;
    esac
}

check_everything() {
    start_servers
    step "format" cargo fmt --check
    step "lints" cargo clippy --locked --all-targets -- -D warnings
    RUSTDOCFLAGS="-D warnings" step "docs" cargo doc --locked --no-deps --document-private-items
    step "dependencies" check_dependencies
    step "doc tests" cargo test --locked --doc --quiet
    step "tests" run_tests
    step "the API against its description" tests/schemathesis.sh
    step "chats by OpenAI's client library" tests/openai_client.sh
}

step() {
    echo "== $1"
    "${@:2}"
}

fail() {
    echo "tests/run.sh: $*" >&2
    exit 1
}

# --- servers ---------------------------------------------------------------------------------------------

start_servers() {
    install_what_is_missing
    trap stop_servers EXIT
    trap 'exit 130' INT TERM
    start_postgres
}

install_what_is_missing() {
    local missing=()
    find_postgres || missing+=(postgresql)
    [[ -x "$(find_dovecot)" && -e /usr/lib/dovecot/imap ]] || missing+=(dovecot-imapd)
    python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
    command -v curl >/dev/null || missing+=(curl)
    command -v jq >/dev/null || missing+=(jq)
    command -v chromium chromium-browser google-chrome >/dev/null || missing+=(chromium)
    ((${#missing[@]} == 0)) && return

    local become=()
    if ((EUID != 0)); then
        sudo -n true 2>/dev/null || fail "missing: ${missing[*]}. Run: sudo apt-get install ${missing[*]}"
        become=(sudo -n)
    fi
    command -v apt-get >/dev/null || fail "missing: ${missing[*]}, and there is no apt-get to install them"
    echo "== installing ${missing[*]}"
    "${become[@]}" apt-get update -qq || true # old lists may still do
    "${become[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
    find_postgres || fail "postgresql is installed, but its initdb cannot be found"
}

# Debian keeps a server's programs out of PATH; takes the newest version.
find_postgres() {
    local initdb
    initdb="$(ls /usr/lib/postgresql/*/bin/initdb 2>/dev/null | sort -V | tail -n 1)" || true
    [[ -n "$initdb" ]] || initdb="$(command -v initdb)" || return 1
    postgres_bin="$(dirname "$initdb")"
}

find_dovecot() {
    PATH="$PATH:/usr/sbin:/usr/local/sbin" command -v dovecot || true
}

start_postgres() {
    folder="$(mktemp -d "$folders/postkey-postgres.XXXXXX")"
    local user=postgres
    if ((EUID == 0)); then # initdb refuses root
        id -u "$user" >/dev/null 2>&1 || user=nobody
        as_server=(setpriv --reuid "$(id -u "$user")" --regid "$(id -g "$user")" --clear-groups)
    fi
    local password
    password="$(tr -d - </proc/sys/kernel/random/uuid)"
    (umask 077 && echo "$password" >"$folder/password")
    ((EUID != 0)) || chown -R "$user" "$folder"
    # Every test opens connections of its own: hashing as SCRAM does would cost more than the tests.
    as_server_user initdb -D "$folder/data" -U postkey --auth=md5 --pwfile="$folder/password" \
        --encoding=UTF8 --locale=C --no-sync >/dev/null
    local port
    for _ in {1..20}; do
        port=$((20000 + RANDOM % 30000))
        if as_server_user pg_ctl -D "$folder/data" -l "$folder/log" -w -s start -o "-p $port \
            -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c max_connections=500 \
            ${durability[*]} -c max_wal_size=4GB" 2>/dev/null; then
            export POSTKEY_TEST_POSTGRES="postgres://postkey:$password@127.0.0.1:$port/postgres"
            return
        fi
    done
    cat "$folder/log" >&2
    fail "the private PostgreSQL server does not start"
}

# As the server's user, in a folder that this user may enter.
as_server_user() {
    (cd / && "${as_server[@]}" "$postgres_bin/$1" "${@:2}")
}

stop_servers() {
    kill $(jobs -p) 2>/dev/null || true
    [[ -n "$folder" ]] || return 0
    as_server_user pg_ctl -D "$folder/data" -m immediate -s stop 2>/dev/null || true
    rm -rf "$folder"
}

wait_for_interrupt() {
    echo "export POSTKEY_TEST_POSTGRES='$POSTKEY_TEST_POSTGRES'"
    echo "# PostgreSQL runs until this script is interrupted (Ctrl-C)" >&2
    while :; do sleep 3600 & wait $!; done
}

# --- checks ----------------------------------------------------------------------------------------------

check_dependencies() {
    local crate found
    for crate in "${BANNED[@]}"; do
        found="$(cargo tree --locked --edges all --invert "$crate" 2>&1)" || true
        [[ "$found" == *"did not match any packages"* ]] || fail "$crate is among the dependencies:"$'\n'"$found"
    done
    if cargo deny --version >/dev/null 2>&1; then
        cargo deny --locked check --config .config/deny.toml bans licenses sources
    fi
}

run_tests() {
    local log="$folder/tests.log" status=0
    local passed failed skipped
    if cargo nextest --version >/dev/null 2>&1; then
        CARGO_TERM_COLOR="${CARGO_TERM_COLOR:-never}" cargo nextest run --locked --no-fail-fast 2>&1 | tee "$log" || status=$?
        passed="$(nextest_count passed "$log")"
        failed="$(($(nextest_count failed "$log") + $(nextest_count 'timed out' "$log")))"
        skipped="$(nextest_count skipped "$log")"
    else
        cargo test --locked --no-fail-fast --lib --bins --tests 2>&1 | tee "$log" || status=$?
        passed="$(libtest_count passed "$log")"
        failed="$(libtest_count failed "$log")"
        skipped="$(($(libtest_count ignored "$log") + $(libtest_count 'filtered out' "$log")))"
    fi
    echo "== passed $passed, failed $failed, skipped $skipped"
    ((status == 0 && failed == 0)) || fail "tests failed"
    ((passed > 0)) || fail "no test ran"
    ((skipped == 0)) || fail "$skipped tests were skipped, and a skipped test tells nothing"
}

# From "Summary [ 1.0s] 9 tests run: 7 passed (1 slow), 1 failed, 1 timed out, 0 skipped".
nextest_count() {
    grep -E '^ *Summary ' "$2" | tail -n 1 | grep -oE "[0-9]+ $1" | grep -oE '^[0-9]+' || echo 0
}

# From one "test result: ok. 7 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out" for each binary.
libtest_count() {
    grep -E '^test result: ' "$2" | grep -oE "[0-9]+ $1" | awk '{ sum += $1 } END { print sum + 0 }'
}

main "$@"
