package setting_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"understudy.dev/setting"
)

func TestProblems(t *testing.T) {
	var inner setting.Problems
	inner.Require(true, "fine", 1, "is never said")
	inner.Require(false, "timeout", -time.Second, "is negative")
	inner.OneOf("mode", "c", "a", "b")
	inner.OneOf("mode", "a", "a", "b")
	inner.Require(false, "", nil, "is needed")
	var outer setting.Problems
	outer.Under("none", nil)
	outer.Under("room", fmt.Errorf("wrapped: %w", inner.Err()))
	outer.Under(setting.Index("list", 2), inner[:1])
	outer.Under(setting.Member("map", "POST /x"), errors.New("is odd"))
	want := `room.timeout: -1s is negative
room.mode: "c" is not one of a, b
room: is needed
list[2].timeout: -1s is negative
map["POST /x"]: is odd`
	if got := outer.Err().Error(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if err := (setting.Problems{}).Err(); err != nil {
		t.Errorf("no problem is an error: %v", err)
	}
}

func TestNearest(t *testing.T) {
	f := func(word, want string, names ...string) {
		t.Helper()
		if got := setting.Nearest(word, names); got != want {
			t.Errorf("%s: got %q, want %q", word, got, want)
		}
	}
	f("cuont", "count", "name", "count")
	f("POST /order", "POST /orders", "GET /orders", "POST /orders")
	f("post /orders", "POST /orders", "POST /orders")
	f("xyz", "", "count")
	f("x", "")
}
