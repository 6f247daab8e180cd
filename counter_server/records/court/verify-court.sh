#!/bin/sh
# Is this container what the server signed, and when? Asks unzip, openssl and sha256sum, and nothing of ours.
#
#   sh verify-court.sh TRUST.pem CONTAINER.asice [CONTAINER.asice ...]
#
# Beside each container lies its seal, CONTAINER.asice.sig. TRUST.pem holds the roots of records and of time stamps, from
# a source you trust. One line per container: "WHOLE file" or "BROKEN file: check N why", numbered as `counter record
# check-court` does. The record inside is then checked by verify.sh.

export LC_ALL=C
if [ $# -lt 2 ] || [ ! -f "$1" ]; then
    echo "usage: sh verify-court.sh TRUST.pem CONTAINER.asice ..." >&2
    exit 2
fi
for tool in unzip openssl sha256sum base64 date find grep sed head tail mktemp; do
    command -v "$tool" >/dev/null || { echo "$tool is not installed" >&2; exit 2; }
done
case $1 in /*) trust=$1 ;; *) trust=$PWD/$1 ;; esac
shift
scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch"' EXIT
files=$scratch/files manifest=META-INF/ASiCManifest001.xml signature=META-INF/signature001.p7s

# The first element that these lines of asn1parse tell of: "offset length header-length", length with the header.
span() { sed -n 's/^ *\([0-9]*\):d=[0-9]* *hl= *\([0-9]*\) l= *\([0-9]*\) .*/\1 \2 \3/p' | head -1 | { read -r o h l; echo "$o $((h + l)) $h"; }; }

# Prints the first check that does not hold; prints nothing for a whole container.
first_broken() {
    [ -f "$1" ] && [ -f "$1.sig" ] && unzip -p "$1" "$signature" >"$scratch/p7s" 2>/dev/null && [ -s "$scratch/p7s" ] &&
        openssl pkcs7 -inform DER -in "$scratch/p7s" -print_certs -out "$scratch/signer" 2>/dev/null ||
        { echo "1 container_reads"; return; }

    signer=$scratch/$(sha256sum <"$scratch/signer" | head -c 64) # asked once, however many containers it signed
    if [ ! -f "$signer" ]; then
        openssl x509 -in "$scratch/signer" -noout -pubkey -ext basicConstraints,keyUsage >"$scratch/said" 2>/dev/null &&
            openssl verify -no-CApath -no-CAstore -CAfile "$trust" -no_check_time "$scratch/signer" >/dev/null 2>&1 &&
            grep -q 'CA:FALSE' "$scratch/said" && grep -q 'Digital Signature' "$scratch/said" ||
            { echo "2 signer_is_trusted"; return; }
        sed -n '/BEGIN PUBLIC KEY/,/END PUBLIC KEY/p' "$scratch/said" >"$signer"
    fi
    # From here on every byte is the signer's word: nothing of a stranger's is unpacked.
    openssl dgst -sha384 -verify "$signer" -signature "$1.sig" "$1" >/dev/null 2>&1 ||
        { echo "3 seal_holds_over_the_whole"; return; }

    rm -rf "$files"; mkdir "$files"
    unzip -qq "$1" -d "$files" </dev/null >/dev/null 2>&1 && cd "$files" && [ -f "$manifest" ] ||
        { echo "4 files_are_the_listed_ones"; return; }
    sed -n 's/.*URI="\([^"]*\)".*<ds:DigestValue>\([^<]*\)<.*/\2 \1/p' "$manifest" >"$scratch/listed"
    [ "$(find . -type f | grep -c .)" = "$(($(grep -c . "$scratch/listed") + 3))" ] && [ -z "$(find . -type l)" ] &&
        [ "$(cat mimetype)" = application/vnd.etsi.asic-e+zip ] || { echo "4 files_are_the_listed_ones"; return; }
    while read -r sum name; do
        [ "$(openssl dgst -sha256 -binary "$name" 2>/dev/null | base64)" = "$sum" ] ||
            { echo "4 files_are_the_listed_ones"; return; }
    done <"$scratch/listed"

    openssl cms -verify -binary -inform DER -in "$signature" -content "$manifest" -CAfile "$trust" -purpose any \
        -no-CApath -no-CAstore -no_check_time -out /dev/null 2>/dev/null || { echo "5 signature_holds"; return; }
    openssl asn1parse -inform DER -in "$signature" >"$scratch/parse" 2>/dev/null
    line=$(grep -n 'id-smime-aa-timeStampToken' "$scratch/parse" | head -1 | sed 's/:.*//')
    [ -n "$line" ] || { echo "6 there_is_a_time_stamp"; return; }
    tail -n +$((line + 2)) "$scratch/parse" | span >"$scratch/at"; read -r o l h <"$scratch/at"
    tail -c +$((o + 1)) "$signature" | head -c "$l" >"$scratch/token"
    head -n "$line" "$scratch/parse" | grep 'prim: OCTET STRING' | tail -1 | span >"$scratch/at"; read -r o l h <"$scratch/at"
    tail -c +$((o + h + 1)) "$signature" | head -c $((l - h)) >"$scratch/value"
    stamped=$(openssl ts -reply -token_in -token_out -in "$scratch/token" -text 2>/dev/null | sed -n 's/^Time stamp: //p')
    seconds=$(date -u -d "$stamped" +%s 2>/dev/null) &&
        openssl ts -verify -token_in -in "$scratch/token" -data "$scratch/value" -CAfile "$trust" -partial_chain \
            -attime "$seconds" >/dev/null 2>&1 || { echo "7 time_stamp_is_of_this_signature"; return; }
    openssl verify -no-CApath -no-CAstore -CAfile "$trust" -attime "$seconds" "$scratch/signer" >/dev/null 2>&1 ||
        { echo "8 certificate_was_valid"; return; }
}

code=0
for container in "$@"; do
    case $container in /*) path=$container ;; *) path=$PWD/$container ;; esac
    broken=$(first_broken "$path")
    if [ -z "$broken" ]; then echo "WHOLE $container"; else echo "BROKEN $container: check $broken"; code=1; fi
done
exit $code
