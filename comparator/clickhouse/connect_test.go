package clickhouse_test

import (
	"strings"
	"testing"

	"understudy.dev/comparator/clickhouse"
)

// TestTarget: what stands behind the path is understood or refused, never left
// out, and nothing of it is repeated.
func TestTarget(t *testing.T) {
	for address, want := range map[string]string{
		"ch:9000":                                 "clickhouse://ch:9000/understudy",
		"clickhouse://u:p+q%23r@ch:9000/d":        "clickhouse://ch:9000/d",
		"clickhouses://ch:9440/d":                 "clickhouses://ch:9440/d",
		"clickhouse://ch:9440/d?secure=true":      "clickhouses://ch:9440/d",
		"ch:9440?secure=1":                        "clickhouses://ch:9440/understudy",
		"http://ch:8443?secure=true":              "https://ch:8443/understudy",
		"http://ch:8123?secure=false":             "http://ch:8123/understudy",
		"clickhouses://ch:9440?secure=false":      "contradicts the scheme",
		"ch:9000?secure=geheim":                   "neither true nor false",
		"ch:9000?secure=true&secure=false":        "neither true nor false",
		"ch:9000?password=geheim":                 `parameter "password" is not understood`,
		"ch:9000/d?secure=true&dial_timeout=1s":   `parameter "dial_timeout" is not understood`,
		"ch:9000/d#geheim":                        "behind the path",
		"ch:9000/d?secure=true;password=geheim":   "behind the path",
		"clickhouse://u:sec/ret-geheim@ch:9000/d": "is neither host:port nor a URL",
	} {
		c := clickhouse.Config{Address: address}
		target, err := c.Target()
		if err != nil {
			if !strings.Contains(err.Error(), want) || strings.Contains(c.Validate().Error(), "geheim") {
				t.Errorf("%s: %v; want %q", address, err, want)
			}
			continue
		}
		if target.String() != want {
			t.Errorf("%s: %s, want %s", address, target, want)
		}
	}
}
