#!/bin/sh
# Everybody of one gateway goes to the baseline, within 100 ms. Needs curl and a
# gateway that answers; no Kafka and no binary. Without a file of a token, on the
# gateway's machine only. ADMIN may begin with https://; CURL_CA_BUNDLE is then the
# file of the authority, ADMIN_CERT and ADMIN_KEY those of a client certificate.
set -eu
. "$(dirname "$0")/lib.sh"
want 2 "ADMIN REASON [TOKEN_FILE], as in 127.0.0.1:9090 'orders are lost'" "$@"
case $1 in
http://* | https://*) at=${1%/} ;;
*) at=http://$1 ;;
esac
reason=$2
file=${3:-}
if [ -n "$file" ] && [ ! -r "$file" ]; then
  say "$file cannot be read: it should hold the token of the role operate"
  exit 1
fi
# The token goes through standard input: the arguments of a command are shown to
# everybody on the machine. In a file of several it is the first one.
ask() {
  if [ -n "$file" ]; then
    awk '!/^#/ && NF { gsub(/[\\"]/, "\\\\&", $NF); printf "header = \"Authorization: Bearer %s\"\n", $NF; exit }' "$file"
  fi | curl --silent --show-error --fail --max-time 5 ${ADMIN_CERT:+--cert "$ADMIN_CERT"} ${ADMIN_KEY:+--key "$ADMIN_KEY"} --config - "$@" "$at/gateway/kill"
}
ask -X POST -H "Understudy-Reason: $reason" >/dev/null
state=$(ask)
if [ "$state" != on ]; then
  say "the kill switch says $state: make its file instead (kill-file.sh)"
  exit 1
fi
echo "on: everybody of the gateway at $1 is with the baseline"
