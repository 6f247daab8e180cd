#!/bin/sh
# Is this record in the log? With nothing but openssl, xxd and what every Unix has.
#
#     verify-inclusion.sh record.json proof.tlog-proof LOG-VKEY [WITNESS-VKEY ...]
#
# The keys are the lines that the log and its witnesses have made public (name+id+base64; Ed25519). The last line
# printed is the answer; the exit code is 0 only when everything held.
set -eu
[ $# -ge 3 ] || { echo "usage: $0 record.json proof.tlog-proof LOG-VKEY [WITNESS-VKEY ...]"; exit 2; }
manifest=$1 proof=$2 log=$3
shift 3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad() { echo "NOT PROVEN: $1"; exit 1; }
hex() { xxd -p -c 64; }
unbase64() { printf '%s\n' "$1" | openssl base64 -d -A; }
sha256() { openssl dgst -sha256 -binary | hex; }

# --- the proof file: head, empty line, checkpoint's text, empty line, signatures (C2SP tlog-proof v1)
sed -n '1,/^$/p' "$proof" | sed '$d' > "$work/head"
sed '1,/^$/d' "$proof" > "$work/note"
sed -n '1,/^$/p' "$work/note" | sed '$d' > "$work/text"
[ "$(sed -n 1p "$work/head")" = "c2sp.org/tlog-proof@v1" ] || bad "not a proof file"
index=$(sed -n 's/^index \([0-9][0-9]*\)$/\1/p' "$work/head" | sed -n 1p)
size=$(sed -n 2p "$work/text")
case $index$size in '' | *[!0-9]*) bad "numbers are missing" ;; esac
[ "$(sed -n '$=' "$work/text")" = 3 ] || bad "the checkpoint does not have three lines"
[ "$index" -lt "$size" ] || bad "the leaf lies beyond the checkpoint"
root=$(unbase64 "$(sed -n 3p "$work/text")" | hex)

# --- from the record up to the root (RFC 9162, 2.1.3.2)
reached=$({ printf '\000'; cat "$manifest"; } | sha256)
inner=$index outer=$((size - 1))
sed '1,2d' "$work/head" > "$work/path"
while read -r line; do
    sibling=$(unbase64 "$line" | hex)
    [ ${#sibling} = 64 ] || bad "a hash of the proof is damaged"
    [ $outer -ne 0 ] || bad "the proof is too long"
    if [ $((inner & 1)) = 1 ] || [ $inner = $outer ]; then
        reached=$(printf '01%s%s' "$sibling" "$reached" | xxd -r -p | sha256)
        while [ $((inner & 1)) = 0 ] && [ $inner != 0 ]; do inner=$((inner >> 1)) outer=$((outer >> 1)); done
    else
        reached=$(printf '01%s%s' "$reached" "$sibling" | xxd -r -p | sha256)
    fi
    inner=$((inner >> 1)) outer=$((outer >> 1))
done < "$work/path"
[ $outer = 0 ] && [ "$reached" = "$root" ] || bad "the record does not lead to the checkpoint's root"
echo "record is leaf $index of $size"

# --- who signed (C2SP signed-note; witnesses: cosignature/v1)
signed() { # KEY: whether it signed the text; says when, for a witness
    name=${1%%+*}
    material=$(unbase64 "${1#*+*+}" | hex)
    kind=$(printf '%.2s' "$material") public=${material#??}
    [ ${#public} = 64 ] || bad "$name has no Ed25519 key"
    id=$({ printf '%s\n' "$name"; printf '%s' "$material" | xxd -r -p; } | sha256 | cut -c1-8)
    printf '302a300506032b6570032100%s' "$public" | xxd -r -p > "$work/key" # RFC 8410: an Ed25519 key in DER
    grep -F -- "— $name " "$work/note" | sed 's/^.* //' > "$work/lines" || return 1
    while read -r line; do
        raw=$(unbase64 "$line" | xxd -p | tr -d '\n')
        [ "$(printf '%.8s' "$raw")" = "$id" ] || continue
        raw=${raw#????????}
        cp "$work/text" "$work/message"
        when=
        if [ "$kind" = 04 ]; then
            at=$(printf '%d' "0x$(printf '%.16s' "$raw")")
            raw=${raw#????????????????}
            { printf 'cosignature/v1\ntime %s\n' "$at"; cat "$work/text"; } > "$work/message"
            when=" at $(date -u -d "@$at" +%Y-%m-%dT%H:%M:%SZ)"
        fi
        printf '%s' "$raw" | xxd -r -p > "$work/signature"
        openssl pkeyutl -verify -pubin -keyform DER -inkey "$work/key" -rawin -in "$work/message" \
            -sigfile "$work/signature" > /dev/null 2>&1 || return 1
        echo "signed by $name$when"
        return 0
    done < "$work/lines"
    return 1
}
[ "$(sed -n 1p "$work/text")" = "${log%%+*}" ] || bad "the checkpoint is of another log"
signed "$log" || bad "the log did not sign this checkpoint"
for witness in "$@"; do signed "$witness" || bad "${witness%%+*} did not cosign this checkpoint"; done
echo "PROVEN: signed by the log and $# witnesses"
