#!/bin/sh
# Waits until nothing that the candidate has accepted is awaited any more. Exit 3
# if something waits for a person, and lists it; exit 1 if it takes too long. Needs
# the binary and Kafka.
set -eu
. "$(dirname "$0")/lib.sh"
want 1 "MIGRATION [SECONDS]" "$@"
left=${2:-300}
while :; do
  all=$("$UNDERSTUDY" inflight list "$1" | tail -n +2)
  held=$("$UNDERSTUDY" inflight list "$1" --held | tail -n +2)
  if [ "$all" = "$held" ]; then
    break
  fi
  if [ "$left" -le 0 ]; then
    say "there is still something in flight:"
    printf '%s\n' "$all"
    exit 1
  fi
  sleep 1
  left=$((left - 1))
done
"$UNDERSTUDY" inflight balance "$1"
if [ -n "$held" ]; then
  say "these wait for a person; look at both systems, then: understudy inflight resolve ID --reason TEXT"
  printf '%s\n' "$held"
  exit 3
fi
