package main

import (
	"fmt"
	"strconv"
	"strings"
)

// byteSize is a number of bytes that a person writes as 512KiB, 8MiB or a
// plain number. It is a flag value.
type byteSize struct{ n *int64 }

var byteUnits = []struct {
	suffix string
	factor int64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"B", 1}, {"", 1}}

func parseBytes(s string) (int64, error) {
	text := strings.TrimSpace(s)
	for _, u := range byteUnits {
		digits, ok := strings.CutSuffix(text, u.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
		if err != nil || n < 0 || n > (1<<62)/u.factor {
			break
		}
		return n * u.factor, nil
	}
	return 0, fmt.Errorf("%q %s", s, wantSize)
}

const wantSize = "is not a size; write 524288, 512KiB or 8MiB"

func (b byteSize) Set(s string) error {
	n, err := parseBytes(s)
	if err == nil {
		*b.n = n
	}
	return err
}

func (b byteSize) Type() string { return "size" }

func (b byteSize) String() string {
	if b.n == nil {
		return ""
	}
	for _, u := range []int{2, 1, 0} { // GiB, MiB, KiB
		if f := byteUnits[u].factor; *b.n >= f && *b.n%f == 0 {
			return strconv.FormatInt(*b.n/f, 10) + byteUnits[u].suffix
		}
	}
	return strconv.FormatInt(*b.n, 10)
}
