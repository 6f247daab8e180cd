#!/bin/sh
# Is this record what the server sealed? Asks openssl and sha256sum, and nothing of ours.
#
#   sh verify.sh TRUST-ROOT.pem RECORD-FOLDER [RECORD-FOLDER ...]
#
# One line per record: "WHOLE folder" or "BROKEN folder: check N name". The numbers are those of `counter record verify`;
# what this script cannot ask with these tools is said at the end of this comment. Exit code: 0 all whole, 1 one is
# broken, 2 it could not be checked. Get the trust root from a source you trust, never from the record's own folder.
#
# Wants: sh, openssl 3, sha256sum, stat, date, find, grep, sed, sort, comm, mktemp (Debian: openssl, coreutils, findutils,
# grep, sed). Not asked here: 2 canonical spelling (any other spelling breaks the signature), 13 continuity of the
# recording, 14 to 20 the content, which needs the record's key: docs/auditor.md opens it with age.

export LC_ALL=C
if [ $# -lt 2 ] || [ ! -f "$1" ]; then
    echo "usage: sh verify.sh TRUST-ROOT.pem RECORD-FOLDER [RECORD-FOLDER ...]" >&2
    exit 2
fi
for tool in openssl sha256sum stat date find grep sed sort comm mktemp; do
    command -v "$tool" >/dev/null || { echo "$tool is not installed" >&2; exit 2; }
done
case $1 in /*) trust=$1 ;; *) trust=$PWD/$1 ;; esac
shift
scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch"' EXIT

# Prints the first check that does not hold; prints nothing for a whole record. Runs inside the record's folder.
first_broken() {
    for file in record.json record.sig server.pem; do
        [ -f "$file" ] && [ ! -L "$file" ] && [ -r "$file" ] || { echo "1 files_are_there"; return; }
    done

    grep -aq '"format":"visual-counter-record/1"' record.json || { echo "3 format_is_known"; return; }
    signer=$(grep -ao '"signer":{[^{}]*}' record.json)
    named=$(printf '%s' "$signer" | sed -n 's/.*"certificate_sha256":"\([0-9a-f]\{64\}\)".*/\1/p')
    [ "$(sha256sum <server.pem)" = "$named  -" ] || { echo "4 certificate_is_the_named_one"; return; }

    certificate=$scratch/$named # read once, however many records name it
    if [ ! -f "$certificate.key" ]; then
        openssl x509 -in server.pem -noout -pubkey -ext basicConstraints,keyUsage >"$certificate" 2>/dev/null ||
            { echo "5 certificate_reads"; return; }
        sed -n '/BEGIN PUBLIC KEY/,/END PUBLIC KEY/p' "$certificate" >"$certificate.key"
    fi

    case $signer in
        *'"algorithm":"ecdsa-p384-sha384"'*) digest=sha384 ;;
        *'"algorithm":"ecdsa-p256-sha256"'*) digest=sha256 ;;
        *) echo "6 signature_holds"; return ;;
    esac
    openssl dgst "-$digest" -verify "$certificate.key" -signature record.sig record.json >/dev/null 2>&1 ||
        { echo "6 signature_holds"; return; }

    # From here on the manifest is the server's word, if the server is the one we trust.
    sealed_at=$(grep -ao '"sealed_at":"[-0-9T:.]*Z"' record.json | sed 's/.*":"//; s/"$//')
    seconds=$(date -u -d "$sealed_at" +%s 2>/dev/null) || { echo "3 format_is_known"; return; }
    if [ ! -f "$certificate.at.$seconds" ]; then
        openssl verify -no-CApath -no-CAstore -CAfile "$trust" -no_check_time server.pem >/dev/null 2>&1 &&
            grep -q 'CA:FALSE' "$certificate" && grep -q 'Digital Signature' "$certificate" ||
            { echo "7 chain_leads_to_trust"; return; }
        openssl verify -no-CApath -no-CAstore -CAfile "$trust" -attime "$seconds" server.pem >/dev/null 2>&1 ||
            { echo "8 certificate_was_valid"; return; }
        : >"$certificate.at.$seconds"
    fi

    grep -ao '"sha256":"[0-9a-f]\{64\}","size":[0-9]*}' record.json |
        sed 's/"sha256":"\([0-9a-f]*\)","size":\([0-9]*\)}/\1 \2/' >"$scratch/listed"
    [ "$(grep -c . "$scratch/listed")" = "$(grep -ao '"object_class":' record.json | grep -c .)" ] ||
        { echo "3 format_is_known"; return; }
    { printf './%s\n' record.json record.sig server.pem objects; sed 's|\(.*\) .*|./objects/\1.age|' "$scratch/listed"; } |
        sort >"$scratch/expected"
    find . -mindepth 1 | sort >"$scratch/found"
    [ -z "$(comm -13 "$scratch/expected" "$scratch/found")" ] && [ ! -L objects ] || { echo "9 no_other_files"; return; }
    [ -z "$(comm -23 "$scratch/expected" "$scratch/found")" ] && [ -z "$(find objects -mindepth 1 ! -type f)" ] ||
        { echo "10 objects_are_there"; return; }
    stat -c '%n %s' objects/*.age | sort >"$scratch/sizes"
    sed 's|\(.*\) \(.*\)|objects/\1.age \2|' "$scratch/listed" | sort >"$scratch/wanted"
    [ -z "$(comm -3 "$scratch/sizes" "$scratch/wanted")" ] || { echo "11 object_sizes_hold"; return; }
    sed 's|\(.*\) .*|\1  objects/\1.age|' "$scratch/listed" | sha256sum --check --strict --status ||
        { echo "12 object_hashes_hold"; return; }
}

broken=0
for folder in "$@"; do
    if why=$(cd -- "$folder" 2>/dev/null && first_broken); then
        if [ -z "$why" ]; then
            echo "WHOLE $folder"
            continue
        fi
    else
        why=${why:-1 files_are_there}
    fi
    echo "BROKEN $folder: check $why"
    broken=1
done
exit $broken
