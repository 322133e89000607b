package fault

import (
	"fmt"
	"strings"
	"testing"
)

func TestDecideGivesEveryFaultItsShare(t *testing.T) {
	for _, f := range Catalogue() {
		place := ""
		if f.place != "" {
			place = "." + f.place
		}
		hits, n := 0, 20_000
		for i := range n {
			if Decide(f.Route, fmt.Sprintf("r-7-%05d-03%s", i, place)) == f.Name {
				hits++
			}
		}
		if want := n / int(f.of); hits < want*8/10 || hits > want*12/10 {
			t.Errorf("%s: %d of %d, want about %d", f.Name, hits, n, want)
		}
	}
}

func TestDecideLeavesOthersAlone(t *testing.T) {
	f := func(route, reference string) {
		t.Helper()
		if got := Decide(route, reference); got != "" {
			t.Errorf("%s %s: %s", route, reference, got)
		}
	}
	f("POST /orders", "")
	f("GET /products", "r-1-0001-01")
	for i := range 100 {
		f("POST /orders", fmt.Sprintf("r-1-%04d-01", i))
		f("POST /orders", fmt.Sprintf("r-1-%04d-01.second", i))
	}
}

func TestCatalogueSlotsDoNotOverlap(t *testing.T) {
	type slot struct {
		route, place string
		of, slot     uint64
	}
	seen := map[slot]Name{}
	for _, f := range Catalogue() {
		s := slot{f.Route, f.place, f.of, f.slot}
		if other, taken := seen[s]; taken || f.slot >= f.of {
			t.Errorf("%s: slot %d of %d, taken by %q", f.Name, f.slot, f.of, other)
		}
		seen[s] = f.Name
	}
}

func TestBookCountsAReferenceOnce(t *testing.T) {
	b := NewBook()
	for _, reference := range []string{"b", "a", "b"} {
		if !b.Plant(Lost, reference) {
			t.Errorf("%s was not planted", reference)
		}
	}
	for _, p := range b.Planted() {
		if p.Name == Lost && fmt.Sprint(p.References) != "[a b]" || p.Name != Lost && p.References != nil {
			t.Errorf("%s: %v", p.Name, p.References)
		}
	}
}

func TestQueriesTellTheFaultsApart(t *testing.T) {
	seen := map[string]Name{}
	for _, f := range Catalogue() {
		q := f.Query()
		if other := seen[q]; other != "" {
			t.Errorf("%s and %s are found by the same query", f.Name, other)
		}
		seen[q] = f.Name
		if f.Path != "" && !strings.Contains(UnexpectedQuery(), f.Path) {
			t.Errorf("%s would be reported as unexpected", f.Name)
		}
		for _, p := range f.Also {
			if !strings.Contains(UnexpectedQuery(), fmt.Sprintf("('%s', '%s', '%s')", f.Route, p.Path, p.Kind)) {
				t.Errorf("%s: %s would be reported as unexpected", f.Name, p.Path)
			}
		}
	}
}
