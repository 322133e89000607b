package token_test

import (
	"sync"
	"testing"

	"understudy.dev/exchange/token"
)

func TestToken(t *testing.T) {
	a, err := token.New([]byte("0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	b, _ := token.New([]byte("0123456789abcdeg"))
	random, _ := token.New(nil)
	one := a.Token("rdx", "secret")
	// Pinned, so that tokens of one key stay equal from release to release;
	// reckoned by: printf 'rdx\0secret' | openssl dgst -sha256 -hmac KEY.
	if one != "rdx_mmfe95PiW8gMcfIsV9OdXo" {
		t.Errorf("token %q", one)
	}
	if a.Token("rdx", "secret") != one {
		t.Error("equal values gave different tokens")
	}
	for name, other := range map[string]string{
		"value": a.Token("rdx", "secreT"), "domain": a.Token("s", "secret"),
		"key": b.Token("rdx", "secret"), "random key": random.Token("rdx", "secret"),
	} {
		if other[len(other)-22:] == one[4:] {
			t.Errorf("another %s gave the same token", name)
		}
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 200 {
				if a.Token("rdx", "secret") != one {
					t.Error("concurrent use changed a token")
				}
			}
		})
	}
	wg.Wait()
	if _, err := token.New([]byte("short")); err == nil {
		t.Error("a short key was taken")
	}
}

func BenchmarkToken(b *testing.B) {
	k, _ := token.New(nil)
	b.ReportAllocs()
	for b.Loop() {
		k.Token("rdx", "8f14e45fceea167a5a36dedd4bea2543")
	}
}
