package report

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestConditions(t *testing.T) {
	r := &Report{Control: Control{Explained: 30}}
	r.Total = Score{Selected: 1000, Judged: 990, Match: 985, Mismatch: 1, Presumed: 4, Skipped: 10}
	f := func(text string, want ...string) {
		t.Helper()
		all, err := ParseConditions(text)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, Broken(all, r)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
	f("mismatch>0.1%") // exactly the limit is not above it
	f("mismatch>=0.1%", "mismatch>=0.1%: 1 of 1,000 selected, 0.10 %")
	f("mismatch>0.099999999%,lost>0", "mismatch>0.099999999%: 1 of 1,000 selected, 0.10 %")
	f("lost > 0, presumed > 3 , match<98.5 %", "presumed > 3: 4")
	f("match<99%, judged<=990", "match<99%: 985 of 1,000 selected, 98.50 %", "judged<=990: 990")
	f("selected<1000")
	r.Total = Score{Selected: 1000, Mismatch: 31}
	f("mismatch>30,unexplained>0.1%", "mismatch>30: 31")
	f("unexplained>0", "unexplained>0: 1")
	f("unexplained>=0.1%", "unexplained>=0.1%: 1 of 1,000 selected, 0.10 %")
	r.Total.Mismatch = 29 // less than was explained a moment ago: more is judged meanwhile
	f("unexplained>0")
	r.Total = Score{}
	f("mismatch>0.1%", "mismatch>0.1%: nothing was selected, so that there is no share")
	f("mismatch>0,selected<1", "selected<1: 0")
}

func TestConditionsAreRefused(t *testing.T) {
	f := func(text string, want ...string) {
		t.Helper()
		_, err := ParseConditions(text)
		if err == nil {
			t.Fatalf("%q is taken", text)
		}
		for _, w := range want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%q: %v; want %q", text, err, w)
			}
		}
	}
	f("", "column 1:", "NAME>LIMIT")
	f("mismatch>0.1%,", "column 15:", "NAME>LIMIT")
	f("lost>0, mismatsh>1%", "column 9:", `"mismatsh"`, "mismatch, ")
	f("lost>0, mismatch", "column 17:", "mismatch>0.1%")
	f("lost=0", "column 5:", ">, >=, <, <=")
	f("lost>many", "column 6:", `"many"`, "0.1%")
	f("lost>0.5", "column 6:", "whole number")
	f("lost>101%", "column 6:", "more than 100%")
	f("lost>-1", "column 6:")
	f("lost=0,mismatch>many,nothing>1", "column 5:", "column 17:", "column 22:")
	f(strings.Repeat(",", 30), "column 10:", "and 21 more mistakes")
	f("lost>1e9", "column 6:")
	f("lost>"+strings.Repeat("9", 1<<20), "column 6:", "…")
	f(strings.Repeat("lost>0,", 101)+"lost>0", "column 701:", "more than 100")
	f("\x1b[2J>1", "column 1:", `\\x1b`)
}

func FuzzConditions(f *testing.F) {
	f.Add("mismatch>0.1%,lost>0")
	f.Add(" presumed >= 5 % ")
	f.Fuzz(func(t *testing.T, text string) {
		all, err := ParseConditions(text)
		if err == nil {
			Broken(all, &Report{Total: Score{Selected: 3, Match: 1}})
		}
	})
}
