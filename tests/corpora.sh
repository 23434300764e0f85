#!/usr/bin/env bash
# Measures how mails are read and judged on third-party mails, prints one table, and fails when a target is missed.
#
#   tests/corpora.sh FOLDER            FOLDER holds the collections; POSTKEY_CORPORA does when it is left out
#   tests/corpora.sh FOLDER --misses   shows what was expected and what came as well
#   tests/corpora.sh --help            this text
#
# Needs Rust and a C compiler only. It uses the unoptimised build that the tests have made already.
set -euo pipefail

main() {
    local folder="${POSTKEY_CORPORA:-}" options=()
    for word in "$@"; do
        case "$word" in
        --help | -h) sed -n '2,/^set /{s/^# \{0,1\}//;/^set /!p}' "${BASH_SOURCE[0]}"; return ;;
        --misses) options+=("$word") ;;
        -*) fail "unknown argument '$word': see tests/corpora.sh --help" ;;
        *) folder="$word" ;;
        esac
    done
    [[ -n "$folder" ]] || fail "name the folder of the collections: see tests/corpora.sh --help"
    [[ -d "$folder" ]] || fail "there is no folder $folder"
    folder="$(cd "$folder" && pwd)"
    cd "$(dirname "${BASH_SOURCE[0]}")/.."
    cargo bench --quiet --locked --profile dev --bench corpora -- "$folder" "${options[@]}"
}

fail() {
    echo "tests/corpora.sh: $*" >&2
    exit 2
}

main "$@"
