#!/usr/bin/env bash
# Damages mails of every kind at random and reads, judges and answers them, for as long as one likes.
#
#   tests/fuzz.sh MINUTES            damages the suite's own mails
#   tests/fuzz.sh MINUTES FOLDER     damages every file below FOLDER as well
#   tests/fuzz.sh --help             this text
#
# Ends at the first mail that panics, takes too long or gives something unsound, and prints the smallest such mail
# that it can find. The ordinary suite does the same with a few hundred mails.
set -euo pipefail

main() {
    case "${1:-}" in
    --help | -h) sed -n '2,/^set /{s/^# \{0,1\}//;/^set /!p}' "${BASH_SOURCE[0]}"; return ;;
    *[!0-9]* | "") fail "how many minutes? See tests/fuzz.sh --help" ;;
    esac
    if [[ -n "${2:-}" ]]; then
        [[ -d "$2" ]] || fail "there is no folder $2"
        POSTKEY_CORPORA="$(cd "$2" && pwd)"
        export POSTKEY_CORPORA
    else
        unset POSTKEY_CORPORA
    fi
    cd "$(dirname "${BASH_SOURCE[0]}")/.."
    POSTKEY_FUZZ_SECONDS="$(($1 * 60))" cargo test --locked --test suite fuzz:: -- --nocapture
}

fail() {
    echo "tests/fuzz.sh: $*" >&2
    exit 2
}

main "$@"
