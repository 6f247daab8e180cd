#!/bin/sh
# Who signed this contract, and was anything added that nobody signed? Asks openssl and coreutils, and nothing of ours.
#
#   sh verify-contract.sh CONTRACT-ROOT.pem CONTRACT.pdf [TSA-ROOTS.pem]
#
# CONTRACT-ROOT.pem is `signature/contract-root.pem` of a record that verify.sh found whole. TSA-ROOTS.pem says whose
# time stamps count: your own list, or the record's `signature/time-stamp-roots.pem`; without it the contract root's.
# Whether a time stamp authority was revoked is NOT asked here: `counter record verify` says it, check 21.
# One line per hand, then
# "WHOLE file" or "BROKEN file: check N why". What a signed revision may change is not asked here: compare the first
# document, which is cut out beside the contract as CONTRACT.pdf.shown, with what you see.

export LC_ALL=C
if [ $# -lt 2 ] || [ $# -gt 3 ] || [ ! -f "$1" ] || [ ! -f "$2" ] || [ ! -f "${3:-$1}" ]; then
    echo "usage: sh verify-contract.sh CONTRACT-ROOT.pem CONTRACT.pdf [TSA-ROOTS.pem]" >&2
    exit 2
fi
for tool in openssl basenc grep sed head tail tr od date wc mktemp; do
    command -v "$tool" >/dev/null || { echo "$tool is not installed" >&2; exit 2; }
done
root=$1 pdf=$2 clocks=${3:-$1}
scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch"' EXIT
part=$scratch/part.p7s covered=$scratch/covered signer=$scratch/signer

broken() { echo "BROKEN $pdf: check $*"; exit 1; }
# Where in a DER file the first of these elements stands: "offset length header-length", length with the header.
span() { sed -n 's/^ *\([0-9]*\):d=[0-9]* *hl= *\([0-9]*\) l= *\([0-9]*\) .*/\1 \2 \3/p' | head -1 | { read -r o h l; echo "$o $((h + l)) $h"; }; }
stamped() { openssl ts -reply -token_in -token_out -in "$1" -text 2>/dev/null | sed -n 's/^Time stamp: //p'; }
# Whether a token ($1) is over a file ($2), by an authority that was one at that time, below an accepted issuer.
stamp_holds() {
    seconds=$(date -u -d "$(stamped "$1")" +%s 2>/dev/null) &&
        openssl ts -verify -token_in -in "$1" -data "$2" -CAfile "$clocks" -partial_chain -attime "$seconds" >/dev/null 2>&1
}
revisions() { grep -ao '%%EOF' | grep -c .; }

grep -ao '/ByteRange *\[[^]]*\]' "$pdf" | tr -cs '0-9\n' ' ' >"$scratch/ranges"
[ -s "$scratch/ranges" ] && [ "$(grep -c . "$scratch/ranges")" = "$(grep -ao '/ByteRange' "$pdf" | grep -c .)" ] ||
    broken "1 signatures_are_there"
before=0 last=none
while read -r begin length second rest; do
    end=$((second + rest))
    [ "$begin" = 0 ] && [ "$before" -lt "$length" ] && [ "$length" -lt "$second" ] && [ "$second" -lt "$end" ] &&
        [ "$(head -c $((length + 1)) "$pdf" | tail -c 1)$(head -c "$second" "$pdf" | tail -c 1)" = "<>" ] ||
        broken "2 each_covers_all_but_itself"
    if [ "$before" = 0 ]; then # up to here is what was shown: the last %%EOF before the first hand, with its line's end
        shown=$(head -c "$length" "$pdf" | grep -abo '%%EOF' | tail -1 | sed 's/:.*//')
        [ -n "$shown" ] || broken "2 each_covers_all_but_itself"
        case $(head -c $((shown + 7)) "$pdf" | tail -c 2 | od -An -tx1 | tr -d ' ') in
            0d0a) shown=$((shown + 7)) ;; 0a* | 0d*) shown=$((shown + 6)) ;; *) shown=$((shown + 5)) ;;
        esac
        head -c "$shown" "$pdf" >"$pdf.shown"
        added=$(head -c "$end" "$pdf" | tail -c +$((second + 1)) | revisions)
    else
        added=$(head -c "$end" "$pdf" | tail -c +$((before + 1)) | revisions)
    fi
    [ "$added" = 1 ] || broken "3 nothing_between_two_hands"

    { head -c "$length" "$pdf"; head -c "$end" "$pdf" | tail -c +$((second + 1)); } >"$covered"
    head -c $((second - 1)) "$pdf" | tail -c +$((length + 2)) | tr a-f A-F | basenc --base16 -d >"$part" 2>/dev/null ||
        broken "4 signatures_hold"
    if stamp_holds "$part" "$covered"; then
        last=stamp
        echo "time stamp over all before: $(stamped "$part")"
    else
        last=hand
        openssl cms -verify -binary -inform DER -in "$part" -content "$covered" -CAfile "$root" -no-CApath \
            -no-CAstore -purpose any -no_check_time -signer "$signer" -out /dev/null 2>/dev/null || broken "4 signatures_hold"
        openssl asn1parse -inform DER -in "$part" >"$scratch/parse" 2>/dev/null
        line=$(grep -n 'id-smime-aa-timeStampToken' "$scratch/parse" | head -1 | sed 's/:.*//')
        [ -n "$line" ] || broken "5 each_hand_has_a_time_stamp"
        tail -n +$((line + 2)) "$scratch/parse" | span >"$scratch/at"; read -r o l h <"$scratch/at"
        tail -c +$((o + 1)) "$part" | head -c "$l" >"$scratch/token"
        head -n "$line" "$scratch/parse" | grep 'prim: OCTET STRING' | tail -1 | span >"$scratch/at"; read -r o l h <"$scratch/at"
        tail -c +$((o + h + 1)) "$part" | head -c $((l - h)) >"$scratch/value"
        stamp_holds "$scratch/token" "$scratch/value" || broken "5 each_hand_has_a_time_stamp"
        at=$(stamped "$scratch/token")
        openssl verify -no-CApath -no-CAstore -CAfile "$root" -attime "$(date -u -d "$at" +%s)" "$signer" >/dev/null 2>&1 ||
            broken "6 certificate_was_valid"
        echo "$(openssl x509 -in "$signer" -noout -ext subjectAltName | grep -o 'urn:visual-counter:[^,]*' | tr '\n' ' ')$at"
    fi
    before=$end
done <"$scratch/ranges" || exit 1
[ "$before" = "$(wc -c <"$pdf")" ] && [ "$last" = stamp ] || broken "7 a_time_stamp_covers_all"
echo "WHOLE $pdf"
