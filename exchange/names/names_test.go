package names_test

import (
	"strings"
	"testing"

	"understudy.dev/exchange/names"
)

// TestNames: one list for both rooms; what is called an identifier, a handle, or
// several of them is a place of names.
func TestNames(t *testing.T) {
	f := func(name string, identifier, named bool) {
		t.Helper()
		place, _ := names.KindOf(name)
		if names.IsIdentifier(name) != identifier || place.Named != named {
			t.Errorf("%s: identifier %v, %+v", name, names.IsIdentifier(name), place)
		}
	}
	for _, name := range strings.Fields("id ID _id order_id order-id orderId orderID uuid user_uuid userUUID uid traceId spanid") {
		f(name, true, true)
	}
	for _, name := range strings.Fields("key api_key ref payment_ref etag cursor next_cursor nonce session_token ids order_ids orderIds item_id[] ids[] order.id") {
		f(name, false, true)
	}
	for _, name := range strings.Fields("PAID VALID paid quantity s monkey token android") {
		f(name, false, false)
	}
	f("", false, false)
	if place, own := names.KindOf("order.id"); place.Kind != "order" || own {
		t.Errorf("order.id: %+v, %v", place, own)
	}
}

func TestShapes(t *testing.T) {
	const none, generated, segment, unique = 0, 1, 2, 4
	f := func(s string, want int) {
		t.Helper()
		got := none
		for bit, is := range map[int]bool{generated: names.IsGenerated(s), segment: names.IsSegment(s), unique: names.IsUnique(s)} {
			if is {
				got |= bit
			}
		}
		if got != want {
			t.Errorf("%q: %03b, want %03b", s, got, want)
		}
	}
	f("4f1c2d3e-1111-4222-8333-444455556666", generated|segment|unique)
	f("4f1c2d3e-1111-4222-8333-44445555-666", generated|segment) // random, at least
	f("01ARZ3NDEKTSV4RRFFQ69G5FAV", generated|segment|unique)
	f("ord_1001", generated|segment)
	f("1001", generated|segment)
	f("deadbeef", segment)
	f("tok_A8s7Df6gH5jK4l3M", generated|segment)
	f("gid://shop/Order/7", generated)
	f("v2", generated)
	f("2024-05", generated)
	f("12e4", generated) // hexadecimal, not an amount
	f("129.90", none)
	f("-5", segment)
	f("1.5e3", none)
	f("1e-5", none)
	f("pending", none)
	f("room 7", none)
	f("b1\x01", none)
	f("", none)
}

func TestDatesAndVersions(t *testing.T) {
	f := func(s string, date, version bool) {
		t.Helper()
		if names.IsDate(s) != date || names.IsVersion(s) != version {
			t.Errorf("%q: date %v, version %v", s, names.IsDate(s), names.IsVersion(s))
		}
	}
	f("2024-05", true, false)
	f("2024-05-17", true, false)
	f("2024-05-17T10:00:00Z", true, false)
	f("2024-05-1", false, false)
	f("2024-05-17x", false, false)
	f("v2", false, true)
	f("v", false, false)
	f("v2a", false, false)
}

// TestWords: a hyphen and a dot end a word. The replayer once took them for
// parts of one, and so learned 17 from an answer to 2026-11-17.
func TestWords(t *testing.T) {
	f := func(content, value string, want bool) {
		t.Helper()
		text := names.NewText([]byte(content))
		for i := range 20 { // however it is looked for
			if got := text.Has(value); got != want {
				t.Fatalf("%q in %q, asked %d times: %v", value, content, i+1, got)
			}
		}
		if got := names.SentAs([][]byte{[]byte(content)}, "", value); got != want {
			t.Errorf("%q in %q: sent %v", value, content, got)
		}
	}
	f(`{"day":"2026-11-17"}`, "17", true)
	f(`{"day":"2026-11-17"}`, "2026-11", true)
	f(`{"price":19.99}`, "19", true)
	f("/orders/ord_17", "17", false)
	f("/orders/ord_17", "ord", false)
	f("/orders/ord_17", "ord_17", true)
	f("ord-1x xord-1", "ord-1", false)
	f("ord-1x ord-1", "ord-1", true)
	f(`"urn:7"`, "urn:7", true)
	f("x/7", "/7", false) // the value itself must begin a word
	f(" /7", "/7", true)
	f(strings.Repeat("a ", 100)+"a-b", "a-b", true)
	f(strings.Repeat("a ", 100)+"a-bc", "a-b", false)
	f("", "7", false)
	f("7", "", false)
}

func TestShortValuesNeedTheirNameOrTheTarget(t *testing.T) {
	sent := [][]byte{[]byte("/orders/5?limit=10"), []byte(`{"customer_id": 7, "quantity": 3, "sku": 1999}`)}
	f := func(name, value string, want bool) {
		t.Helper()
		if got := names.SentAs(sent, name, value); got != want {
			t.Errorf("%s %s: sent %v", name, value, got)
		}
	}
	f("id", "10", true)
	f("id", "5", true)
	f("id", "3", false)
	f("customer_id", "7", true)
	f("id", "7", true) // the end of the name is the same
	f("order", "7", false)
	f("id", "1999", true)
}

// FuzzText: a value is found alike in each of the three ways, which is by
// searching, by the list of words, and by the index of all places.
func FuzzText(f *testing.F) {
	f.Add("a-b a.b ab", "a-b")
	f.Add(strings.Repeat("x ", 80)+"x-y", "x-y")
	f.Add("/a/b", "/b")
	f.Fuzz(func(t *testing.T, content, value string) {
		text := names.NewText([]byte(content))
		want := text.Has(value)
		for range 10 {
			if got := text.Has(value); got != want {
				t.Fatalf("%q in %q: %v, then %v", value, content, want, got)
			}
		}
	})
}

// FuzzShapes: what is unique is generated and a segment, and no shape panics.
func FuzzShapes(f *testing.F) {
	f.Add("4f1c2d3e-1111-4222-8333-444455556666", "01ARZ3NDEKTSV4RRFFQ69G5FAV")
	f.Fuzz(func(t *testing.T, a, b string) {
		if names.IsUnique(a) && !names.IsSegment(a) {
			t.Errorf("%q is unique and not a segment", a)
		}
		if names.AreRandom(a, b) != names.AreRandom(b, a) {
			t.Errorf("%q and %q", a, b)
		}
		if place, _ := names.KindOf(a); names.IsIdentifier(a) && !place.Named && !strings.ContainsAny(a, ".[]") {
			t.Errorf("%q is an identifier here and not there", a)
		}
	})
}
