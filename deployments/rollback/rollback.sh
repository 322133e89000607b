#!/bin/sh
# Everybody of every gateway goes to the baseline, and stays there until a resume.
# Needs the binary and Kafka. Without Kafka: kill-file.sh or kill-http.sh at each
# gateway. Then it says what the candidate still has.
set -eu
. "$(dirname "$0")/lib.sh"
want 2 "MIGRATION REASON" "$@"
if ! "$UNDERSTUDY" migration rollback "$1" --reason "$2"; then
  say "not rolled back: turn the kill switch at each gateway (kill-http.sh, kill-file.sh)"
  exit 1
fi
"$UNDERSTUDY" migration status "$1"
"$UNDERSTUDY" inflight balance "$1"
