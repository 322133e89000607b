# What the scripts here have in common; it is read, not run.

# say prints for the person at the pager, not for a pipe.
say() { printf '%s\n' "$*" >&2; }

# want ends the script with its usage unless it got so many arguments.
want() {
  count=$1 usage=$2
  shift 2
  if [ "$#" -lt "$count" ]; then
    say "usage: $0 $usage"
    exit 2
  fi
  for argument in "$@"; do
    if [ -z "$argument" ]; then
      say "usage: $0 $usage (an argument is empty)"
      exit 2
    fi
  done
}

# UNDERSTUDY is the binary; Kafka is where its own variables say (UNDERSTUDY_KAFKA,
# UNDERSTUDY_PREFIX, UNDERSTUDY_CONFIG).
UNDERSTUDY=${UNDERSTUDY:-understudy}
