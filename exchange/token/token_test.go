package token_test

import (
	"os"
	"path/filepath"
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

func TestKeys(t *testing.T) {
	file := func(text string) string {
		name := filepath.Join(t.TempDir(), "keys")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	keys, err := token.Read(file("\nfedcba9876543210\n0123456789abcdef\r\n"))
	if err != nil || len(keys) != 2 {
		t.Fatal(keys, err)
	}
	old, _ := token.New([]byte("0123456789abcdef"))
	if keys[1].ID() != old.ID() || keys[1].Token("rdx", "a") != old.Token("rdx", "a") || keys.Current().ID() == old.ID() || len(old.ID()) != 8 {
		t.Errorf("ids %s, %s, %s", keys[0].ID(), keys[1].ID(), old.ID())
	}
	if old.Sum("a", "b") == old.Sum("a", "c") || old.Sum("a", "b") != keys[1].Sum("a", "b") {
		t.Error("a sum does not depend on its value and its key alone")
	}
	for _, text := range []string{"", " \n", "short", "0123456789abcdef\nshort"} {
		if _, err := token.Read(file(text)); err == nil {
			t.Errorf("%q was accepted", text)
		}
	}
	if _, err := token.Read(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a file that is not there was accepted")
	}
	a, errA := token.Parse("")
	b, errB := token.Parse("")
	if errA != nil || errB != nil || a.Current().ID() == b.Current().ID() {
		t.Error("two random keys are one")
	}
}
