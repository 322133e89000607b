package message_test

import (
	"crypto/sha256"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"understudy.dev/exchange/message"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// TestCapture: whatever the pieces in which a body passes, the Body is the
// same, and no more memory is held than was announced.
func TestCapture(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	f := func(length int, limit, declared int64) {
		t.Helper()
		body := make([]byte, length)
		for i := range body {
			body[i] = byte(random.Uint32())
		}
		var c message.Capture
		c.Expect(limit, declared)
		for rest := body; len(rest) > 0; {
			n := min(1+random.IntN(9000), len(rest))
			need := c.Need(n)
			if _, err := c.Write(rest[:n]); err != nil {
				t.Fatal(err)
			}
			if c.Held() != need {
				t.Errorf("holds %d bytes, announced %d", c.Held(), need)
			}
			rest = rest[n:]
		}
		want := message.BodyOf(body)
		want.DeclaredLength = declared
		message.CutBody(want, limit)
		got := new(understudyv1.Body)
		c.Fill(got, true)
		if !proto.Equal(want, got) {
			t.Errorf("%d bytes, limit %d, declared %d: the Body is another one", length, limit, declared)
		}
		if c.Held() > limit || c.Cut() != (int64(length) > limit) || c.Length() != int64(length) {
			t.Errorf("%d bytes, limit %d, declared %d: holds %d, cut %t, length %d", length, limit, declared, c.Held(), c.Cut(), c.Length())
		}
		c.Fill(got, false)
		if !got.Truncated || got.Length != int64(length) {
			t.Errorf("broken off: %v", got)
		}
	}
	for range 50 {
		length := random.IntN(100_000)
		for _, limit := range []int64{0, 1, int64(length) - 1, int64(length), 20_000, 1 << 20} {
			limit = max(limit, 0)
			for _, declared := range []int64{-1, 0, int64(length), 1 << 40} {
				f(length, limit, declared)
			}
		}
	}
	f(0, 100, 0)
	f(1000, 10, 1000)
}

func TestHashIsOfTheWholeBody(t *testing.T) {
	sum := sha256.Sum256([]byte("hello"))
	f := func(want *understudyv1.Body, whole bool, stopAfter int, pieces ...string) {
		t.Helper()
		var c message.Capture
		c.Expect(4, -1)
		for i, p := range pieces {
			if i == stopAfter {
				c.Stop()
			}
			_, _ = c.Write([]byte(p))
		}
		got := new(understudyv1.Body)
		c.Fill(got, whole)
		want.DeclaredLength = -1
		if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
			t.Errorf("%q: -want +got\n%s", pieces, diff)
		}
	}
	f(&understudyv1.Body{Content: []byte("hell"), Length: 5, Truncated: true, Sha256: sum[:]}, true, -1, "he", "llo")
	f(&understudyv1.Body{Content: []byte("he"), Length: 5, Truncated: true, Sha256: sum[:]}, true, 1, "he", "llo")
	f(&understudyv1.Body{Content: []byte("hell"), Length: 5, Truncated: true}, false, -1, "hello")
	f(&understudyv1.Body{Content: []byte("hel"), Length: 3, Truncated: true}, false, -1, "hel")
	f(&understudyv1.Body{}, true, -1)

	var c message.Capture
	c.Expect(4, -1)
	_, _ = c.Write([]byte("he"))
	c.Abandon()
	_, _ = c.Write([]byte("llo"))
	got := new(understudyv1.Body)
	c.Fill(got, true)
	want := &understudyv1.Body{Content: []byte("he"), DeclaredLength: -1, Length: 5, Truncated: true}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" || !c.Cut() {
		t.Errorf("abandoned: -want +got\n%s", diff)
	}
}

func TestDeclaredLength(t *testing.T) {
	f := func(want int64, values ...string) {
		t.Helper()
		if got := message.DeclaredLength(values); got != want {
			t.Errorf("%q: got %d, want %d", values, got, want)
		}
	}
	f(-1)
	f(-1, "-5")
	f(-1, "5x")
	f(0, "0")
	f(5, "x", "5")
}
