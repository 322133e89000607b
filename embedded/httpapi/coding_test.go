package httpapi_test

import (
	"testing"

	"understudy.dev/embedded/httpapi"
)

func TestAcceptedCoding(t *testing.T) {
	f := func(header, want string) {
		t.Helper()
		if got := httpapi.Accepted(header); got != want {
			t.Errorf("%q: got %q, want %q", header, got, want)
		}
	}
	f("", "")
	f("br, *", "")
	f("gzip, deflate, br, zstd", "zstd")
	f("GZIP;q=0.5, deflate", "gzip")
	f("zstd;q=0, gzip; q=0.0, deflate", "deflate")
	f("zstd ; q = 0, lz4;q=0.000", "")
	f("lz4;q=0.001", "lz4")
}
