package shop

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestParseCents(t *testing.T) {
	f := func(text string, want Cents, ok bool) {
		t.Helper()
		if got, err := ParseCents(text); got != want || (err == nil) != ok {
			t.Errorf("ParseCents(%q) = %d, %v; want %d, %v", text, got, err, want, ok)
		}
	}
	f("0", 0, true)
	f("12", 12_00, true)
	f("12.5", 12_50, true)
	f("129.90", 129_90, true)
	f("1000000", maxCents, true)
	f("1000000.01", 0, false)
	f("12.", 0, false)
	f("12.345", 0, false)
	f("-1", 0, false)
	f("1.-1", 0, false)
	f("1e2", 0, false)
	f(`"12"`, 0, false)
	f("", 0, false)
}

func FuzzParseCents(f *testing.F) {
	for _, seed := range []string{"0", "12.5", "129.90", "1000000", "-0", "1e9", "007.10", ".5", "18446744073709551616"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ParseCents(text)
		if err != nil {
			return
		}
		if again, err := ParseCents(c.String()); err != nil || again != c {
			t.Errorf("%q is %d, its text %q is %d, %v", text, c, c, again, err)
		}
	})
}

func TestPrice(t *testing.T) {
	f := func(quantity int, price, discount, tax, shipping, total Cents) {
		t.Helper()
		a := Price([]Item{{SKU: "mug-blue", Quantity: quantity, Price: price}})
		if a.Discount != discount || a.Tax != tax || a.Shipping != shipping || a.Total != total {
			t.Errorf("%d × %v: %+v", quantity, price, a)
		}
	}
	f(1, 8_90, 0, 1_69, 4_90, 15_49)       // 19 % of 8.90 is 1.691
	f(1, 50, 0, 10, 4_90, 5_50)            // 0.095 rounds up
	f(10, 8_90, 4_45, 16_06, 4_90, 105_51) // discount from ten pieces
	f(2, 50_00, 0, 19_00, 0, 119_00)       // no shipping from 100
}

func TestLifeOfAnOrder(t *testing.T) {
	s := New(func(kind string) string { return kind })
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	o, err := s.Create(Draft{Customer: "c", Items: []Item{{"mug-blue", 1, 8_90}}}, now)
	if err != nil || o.Status != "open" || !o.Due.Equal(now.AddDate(0, 0, 14)) {
		t.Fatalf("create: %+v, %v", o, err)
	}
	refused := func(what string, err error, status int) {
		t.Helper()
		var refusal *Error
		if !errors.As(err, &refusal) || refusal.Status != status {
			t.Errorf("%s: %v, want %d", what, err, status)
		}
	}
	_, err = s.Pay(o.ID, Charge{Amount: 1, Method: "card"}, now)
	refused("wrong amount", err, 409)
	_, err = s.Order("another")
	refused("unknown order", err, 404)
	note := "n"
	if o, err = s.Change(o.ID, Change{&note}); err != nil || o.Note != "n" || o.Version != 2 {
		t.Errorf("change: %+v, %v", o, err)
	}
	if p, err := s.Pay(o.ID, Charge{Amount: o.Total, Method: "card"}, now); err != nil || p.Order != o.ID || p.Account != o.Account {
		t.Errorf("pay: %+v, %v", p, err)
	}
	_, err = s.Cancel(o.ID)
	refused("cancel a paid order", err, 409)
	refused("delete a paid order", s.Delete(o.ID), 409)
	if page, total := s.List("c", 0, 5); total != 1 || len(page) != 1 {
		t.Errorf("list: %d of %d", len(page), total)
	}
	if page, total := s.List("c", 7, 5); total != 1 || len(page) != 0 {
		t.Errorf("list past the end: %d of %d", len(page), total)
	}
}

func TestDeleteTakesTheOrderFromTheList(t *testing.T) {
	s := New(func(string) string { return "o" })
	s.Create(Draft{Customer: "c"}, time.Time{})
	if err := s.Delete("o"); err != nil {
		t.Fatal(err)
	}
	if _, total := s.List("c", 0, 1); total != 0 {
		t.Errorf("%d orders left", total)
	}
}

func TestValidateNamesEveryField(t *testing.T) {
	err := Draft{Items: []Item{{SKU: "mug-blue", Quantity: 1}, {SKU: "none", Quantity: 0}}}.Validate()
	for _, field := range []string{"customer", "items[1].sku", "items[1].quantity"} {
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%v does not name %s", err, field)
		}
	}
}

func TestAccountNeedsMoreThanADouble(t *testing.T) {
	for _, customer := range []string{"", "a", "cus-1-0042"} {
		if n := Account(customer); int64(float64(n)) == n {
			t.Errorf("%d of %q fits into a double", n, customer)
		}
	}
}

func TestPage(t *testing.T) {
	f := func(query string, offset, limit int, ok bool) {
		t.Helper()
		values, _ := url.ParseQuery(query)
		if o, l, err := Page(values); ok != (err == nil) || ok && (o != offset || l != limit) {
			t.Errorf("%q: %d, %d, %v", query, o, l, err)
		}
	}
	f("", 0, 20, true)
	f("offset=4&limit=2", 4, 2, true)
	f("limit=0", 0, 0, false)
	f("limit=101", 0, 0, false)
	f("offset=-1", 0, 0, false)
	f("offset=x", 0, 0, false)
}
