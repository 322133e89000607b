#!/bin/sh
# Everybody of one gateway goes to the baseline, within 100 ms. Needs curl, on the
# gateway's machine, and a gateway that answers; no Kafka and no binary.
set -eu
. "$(dirname "$0")/lib.sh"
want 2 "ADMIN REASON, as in 127.0.0.1:9090 'orders are lost'" "$@"
curl --silent --show-error --fail --max-time 5 -X POST -H "Understudy-Reason: $2" "http://$1/gateway/kill" >/dev/null
state=$(curl --silent --show-error --fail --max-time 5 "http://$1/gateway/kill")
if [ "$state" != on ]; then
  say "the kill switch says $state: make its file instead (kill-file.sh)"
  exit 1
fi
echo "on: everybody of the gateway at $1 is with the baseline"
