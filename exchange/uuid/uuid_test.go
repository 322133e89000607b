package uuid_test

import (
	"regexp"
	"testing"
	"time"

	"understudy.dev/exchange/uuid"
)

func TestVersion7(t *testing.T) {
	// The example of RFC 9562, A.6 has this time.
	at := time.UnixMilli(0x017F22E279B0)
	form := regexp.MustCompile(`^017f22e2-79b0-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	a, b := uuid.New(at), uuid.New(at)
	if !form.MatchString(a) || a == b {
		t.Errorf("got %s and %s", a, b)
	}
	x, y := uuid.From(at, []byte("x")), uuid.From(at, []byte("y"))
	if !form.MatchString(x) || x == y || x != uuid.From(at, []byte("x")) {
		t.Errorf("got %s and %s", x, y)
	}
	if late := uuid.New(at.Add(time.Millisecond)); late < a {
		t.Errorf("%s sorts before %s", late, a)
	}
}
