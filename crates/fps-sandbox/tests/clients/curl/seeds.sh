#!/usr/bin/env bash
# The requests that Amazon's guides print, sent with curl and signed with openssl: SignatureVersion 1 and 2,
# FPS 2008-09-17 and the form of Simple Pay. The sandbox is started with version 1 allowed.
#
# Reads SANDBOX_URL, SANDBOX_CA, CONTROL_URL, ACCESS_KEY_ID and SECRET_KEY.
set -euo pipefail

host=${SANDBOX_URL#*://}
now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
steps=0

ask() { curl --silent --show-error --cacert "$SANDBOX_CA" "$@"; }

control() {
    ask --fail-with-body --header 'content-type: application/json' \
        --request "$1" "$CONTROL_URL$2" --data "$3"
}

# The value of a field in JSON that is known to have it once.
field() { sed -n "s/.*\"$1\":[[:space:]]*\"\([^\"]*\)\".*/\1/p" | head -n 1; }

hmac() { printf %s "$2" | openssl dgst "-$1" -hmac "$SECRET_KEY" -binary | openssl base64 -A; }

encode() {
    local text=$1 out='' char
    while [ -n "$text" ]; do
        char=${text:0:1}
        text=${text:1}
        case $char in
            [A-Za-z0-9._~-]) out+=$char ;;
            *) out+=$(printf '%%%02X' "'$char") ;;
        esac
    done
    printf %s "$out"
}

# Version 2: the query sorted by bytes, with method, host and path before it.
signed_2() {
    local query
    query=$(for pair in "$@" SignatureMethod=HmacSHA256 SignatureVersion=2; do
        printf '%s=%s\n' "${pair%%=*}" "$(encode "${pair#*=}")"
    done | LC_ALL=C sort | paste -s -d '&' -)
    printf '%s&Signature=%s' "$query" "$(encode "$(hmac sha256 "$(printf 'GET\n%s\n/\n%s' "$host" "$query")")")"
}

# Version 1: names and values sorted without regard to case, and joined by nothing.
signed_1() {
    local text query
    text=$(printf '%s\n' "$@" SignatureVersion=1 | sort -f | sed 's/=//' | tr -d '\n')
    query=$(for pair in "$@" SignatureVersion=1; do
        printf '%s=%s&' "${pair%%=*}" "$(encode "${pair#*=}")"
    done)
    printf '%sSignature=%s' "$query" "$(encode "$(hmac sha1 "$text")")"
}

expect() {
    if ! grep -q -- "$2" <<<"$3"; then
        printf 'FAILED %s: no %s in\n%s\n' "$1" "$2" "$3" >&2
        exit 1
    fi
}

ok() {
    steps=$((steps + 1))
    echo "ok   $1"
}

amount='{"amount":"100.00","currencyCode":"USD"}'
payment() {
    control POST /payments "{\"service\":\"flexible-payments\",\"amount\":$amount,\"fee\":{\"amount\":\"3.00\",\"currencyCode\":\"USD\"}}" | field id
}

transaction=$(payment)
name='seed 001, Refund, version 2'
query=$(signed_2 Action=Refund "AWSAccessKeyId=$ACCESS_KEY_ID" CallerDescription=MyWish \
    CallerReference=CallerReference03 RefundAmount.CurrencyCode=USD RefundAmount.Value=1 \
    "Timestamp=$now" "TransactionId=$transaction" Version=2008-09-17)
answer=$(ask "$SANDBOX_URL?$query")
expect "$name" '<TransactionStatus>Pending</TransactionStatus>' "$answer"
ok "$name"
[ "$(ask "$SANDBOX_URL?$query")" = "$answer" ] || { echo "FAILED: the same request, another answer" >&2; exit 1; }
ok 'the same request again: the same answer'
tampered=$(ask "$SANDBOX_URL?${query/RefundAmount.Value=1/RefundAmount.Value=9}")
expect 'a tampered amount' SignatureDoesNotMatch "$tampered"
ok 'a tampered amount is refused'

transaction=$(payment)
name='seed 000, Refund, version 1'
query=$(signed_1 Action=Refund "AWSAccessKeyId=$ACCESS_KEY_ID" "Timestamp=$now" CallerReference=354897217 \
    "TransactionId=$transaction" Version=2008-09-17)
expect "$name" '<TransactionStatus>Pending</TransactionStatus>' "$(ask "$SANDBOX_URL?$query")"
ok "$name"

token=$(control POST /tokens '{"method":"card"}' | field id)
name='seed 000, CancelToken, version 1'
query=$(signed_1 Action=CancelToken "AWSAccessKeyId=$ACCESS_KEY_ID" "Timestamp=$now" "TokenId=$token" Version=2008-09-17)
expect "$name" '<CancelTokenResponse' "$(ask "$SANDBOX_URL?$query")"
ok "$name"

transaction=$(payment)
name='seed 002, Refund of Simple Pay, version 2'
query=$(signed_2 Action=Refund "AWSAccessKeyId=$ACCESS_KEY_ID" "TransactionId=$transaction" \
    RefundTransactionReference=w908dnwf092987 "Timestamp=$now" Version=2008-05-01)
expect "$name" '<TransactionStatus>Pending</TransactionStatus>' "$(ask "$SANDBOX_URL/?&$query")"
ok "$name"

echo "$steps steps with curl"
