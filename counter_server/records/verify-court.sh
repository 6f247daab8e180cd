#!/bin/sh
# Is this container what the server signed, and when? Asks unzip, openssl, gzip and sha256sum, and nothing of ours.
#
#   sh verify-court.sh TRUST.pem CONTAINER.asice [CONTAINER.asice ...]
#
# TRUST.pem holds the roots of records and of time stamps, from a source you trust. One line per container:
# "WHOLE file" or "BROKEN file: check N why". The record inside is then checked by verify.sh.

export LC_ALL=C
if [ $# -lt 2 ] || [ ! -f "$1" ]; then
    echo "usage: sh verify-court.sh TRUST.pem CONTAINER.asice ..." >&2
    exit 2
fi
for tool in unzip openssl gzip sha256sum base64 cmp find grep sed head tail mktemp; do
    command -v "$tool" >/dev/null || { echo "$tool is not installed" >&2; exit 2; }
done
case $1 in /*) trust=$1 ;; *) trust=$PWD/$1 ;; esac
shift
scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch"' EXIT

two() { printf "\\$(printf %03o $(($1 & 255)))\\$(printf %03o $(($1 >> 8 & 255)))"; }
four() { two $(($1 & 65535)); two $(($1 >> 16)); }

# The container built anew from its files, in the one spelling it may have (ZIP, stored, 1 January 1980, no attributes).
build() {
    at=0 count=0
    : >"$scratch/directory"
    while read -r name; do
        size=$(wc -c <"$name")
        gzip -1 -c <"$name" | tail -c 8 | head -c 4 >"$scratch/crc" # RFC 1952 §2.3.1
        { printf '\024\000\000\000\000\000\000\000\041\000'; cat "$scratch/crc"; four "$size"; four "$size"
          two ${#name}; two 0; } >"$scratch/fixed"
        printf 'PK\003\004'; cat "$scratch/fixed"; printf %s "$name"; cat "$name"
        { printf 'PK\001\002\024\000'; cat "$scratch/fixed"; printf '\000\000\000\000\000\000\000\000\000\000'
          four $at; printf %s "$name"; } >>"$scratch/directory"
        at=$((at + 30 + ${#name} + size)) count=$((count + 1))
    done
    cat "$scratch/directory"
    printf 'PK\005\006\000\000\000\000'; two $count; two $count; four "$(wc -c <"$scratch/directory")"; four $at; two 0
}

# Where in a DER file the next element after this line of asn1parse stands: "offset length", header included.
span() { sed -n 's/^ *\([0-9]*\):d=[0-9]* *hl= *\([0-9]*\) l= *\([0-9]*\) .*/\1 \2 \3/p' | head -1 | { read -r o h l; echo "$o $((h + l)) $h"; }; }

first_broken() {
    files=$scratch/files manifest=META-INF/ASiCManifest001.xml signature=META-INF/signature001.p7s
    rm -rf "$files"; mkdir "$files"
    unzip -qq "$1" -d "$files" </dev/null >/dev/null 2>&1; cd "$files" || return
    [ -f "$manifest" ] && [ -f "$signature" ] && [ -f mimetype ] || { echo "0 spelling"; return; }
    { echo mimetype; sed -n 's/.*<asic:DataObjectReference URI="\([^"]*\)".*/\1/p' "$manifest"
      echo "$manifest"; echo "$signature"; } >"$scratch/names"
    [ "$(find . -type f | wc -l)" = "$(wc -l <"$scratch/names")" ] || { echo "2 files_are_the_listed_ones"; return; }
    while read -r name; do [ -f "$name" ] && [ ! -L "$name" ] || { echo "2 files_are_the_listed_ones"; return; }; done <"$scratch/names"
    build <"$scratch/names" >"$scratch/again"
    cmp -s "$scratch/again" "$1" || { echo "0 spelling"; return; }
    [ "$(cat mimetype)" = application/vnd.etsi.asic-e+zip ] || { echo "1 kind"; return; }

    openssl asn1parse -inform DER -in "$signature" >"$scratch/parse" 2>/dev/null || { echo "4 signature_holds"; return; }
    line=$(grep -n 'id-smime-aa-timeStampToken' "$scratch/parse" | head -1 | cut -d: -f1)
    [ -n "$line" ] || { echo "5 there_is_a_time_stamp"; return; }
    tail -n +$((line + 2)) "$scratch/parse" | span >"$scratch/at"; read -r o l h <"$scratch/at"
    tail -c +$((o + 1)) "$signature" | head -c "$l" >"$scratch/token"
    head -n "$line" "$scratch/parse" | grep 'prim: OCTET STRING' | tail -1 | span >"$scratch/at"; read -r o l h <"$scratch/at"
    tail -c +$((o + h + 1)) "$signature" | head -c $((l - h)) >"$scratch/value"
    openssl ts -verify -token_in -in "$scratch/token" -data "$scratch/value" -CAfile "$trust" >/dev/null 2>&1 ||
        { echo "7 time_stamp_is_of_this_signature"; return; }
    stamped=$(openssl ts -reply -token_in -token_out -in "$scratch/token" -text 2>/dev/null | sed -n 's/^Time stamp: //p')
    seconds=$(date -u -d "$stamped" +%s 2>/dev/null) || { echo "7 time_stamp_is_of_this_signature"; return; }
    openssl cms -verify -binary -inform DER -in "$signature" -content "$manifest" -CAfile "$trust" -purpose any \
        -no-CApath -no-CAstore -attime "$seconds" -out /dev/null 2>/dev/null || { echo "4 signature_holds"; return; }
    sed -n 's/.*URI="\([^"]*\)".*<ds:DigestValue>\([^<]*\)<.*/\2 \1/p' "$manifest" | while read -r sum name; do
        [ "$(openssl dgst -sha256 -binary "$name" | base64)" = "$sum" ] || { echo "2 files_are_the_listed_ones"; break; }
    done
}

code=0
for container in "$@"; do
    case $container in /*) path=$container ;; *) path=$PWD/$container ;; esac
    broken=$(first_broken "$path")
    if [ -z "$broken" ]; then echo "WHOLE $container"; else echo "BROKEN $container: check $broken"; code=1; fi
done
exit $code
