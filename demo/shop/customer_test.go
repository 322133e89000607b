package shop

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"
)

// TestTheAccountDoesNotDependOnTheIdentifier: two systems that call a customer
// by different names owe the same money.
func TestTheAccountDoesNotDependOnTheIdentifier(t *testing.T) {
	order := func(id string) Order {
		s := New(func(string) string { return id })
		c, err := s.Register("a@example.com")
		if err != nil {
			t.Fatal(err)
		}
		if again, err := s.Register("a@example.com"); err != nil || again != c {
			t.Errorf("registered twice: %+v, %v", again, err)
		}
		o, err := s.Create(Draft{Customer: c.ID, Items: []Item{{"mug-blue", 1, 8_90}}}, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	if one, other := order("cus_1"), order("f1"); one.Account != other.Account || one.Account == Account("cus_1") {
		t.Errorf("accounts %d and %d", one.Account, other.Account)
	}
}

func TestSign(t *testing.T) {
	parts := strings.Split(Sign([]byte("key"), map[string]string{"sub": "a"}), ".")
	if payload, err := base64.RawURLEncoding.DecodeString(parts[1]); len(parts) != 3 || err != nil || string(payload) != `{"sub":"a"}` {
		t.Errorf("%q, %v", parts, err)
	}
	if Sign([]byte("key"), 1) == Sign([]byte("other"), 1) {
		t.Error("the key does not matter")
	}
}
