//go:build static

package engine

import "errors"

// dlopen is missing from a static binary: a library can only be loaded by a
// process that the system's own loader has started, which needs a C library.
// Such a binary runs anywhere, in an empty container too, but has no engine.
func dlopen(string, map[string]any) error {
	return errors.New("this is the static build, which cannot load the ClickHouse engine: use the other build, or a Kafka and a ClickHouse of your own (--kafka, --clickhouse)")
}
