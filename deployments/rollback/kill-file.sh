#!/bin/sh
# Everybody of the gateways of one folder goes to the baseline, within 100 ms. Needs
# nothing but the folder: no gateway that answers, no Kafka, no curl, no binary.
set -eu
. "$(dirname "$0")/lib.sh"
want 3 "STATE_DIR MIGRATION REASON" "$@"
if [ ! -d "$1/$2" ]; then
  say "$1/$2 is no folder of a gateway's state; what there is in $1: $(ls "$1" 2>/dev/null | tr '\n' ' ')"
  exit 1
fi
printf '%s: %s\n' "$(id -un)" "$3" >"$1/$2/killed.new"
mv -f "$1/$2/killed.new" "$1/$2/killed"
echo "on: $1/$2/killed is there, and its gateways send everybody to the baseline"
