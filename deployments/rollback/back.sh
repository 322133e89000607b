#!/bin/sh
# Ends a rollback: the migration goes on in the shadow, or at the stage that is
# given, which must not be beyond the former one. The kill switch of a gateway is
# ended apart, at its machine: with a STATE_DIR this script removes its file.
# Needs the binary and Kafka.
set -eu
. "$(dirname "$0")/lib.sh"
want 2 "MIGRATION REASON [STAGE [STATE_DIR]]" "$@"
"$UNDERSTUDY" migration resume "$1" ${3:+"$3"} --reason "$2"
if [ -n "${4:-}" ]; then
  "$UNDERSTUDY" gateway kill off --migration "$1" --state-dir "$4" --reason "$2"
fi
