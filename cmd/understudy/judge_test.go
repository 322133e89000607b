package main

import (
	"io"
	"strings"
	"testing"

	"understudy.dev/comparator"
	"understudy.dev/comparator/report"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// TestOtherwiseJudged: compare does not pass the verdicts of other rules off as
// those of the rules it was given.
func TestOtherwiseJudged(t *testing.T) {
	run := &understudyv1.Run{Name: "r", Written: 10}
	f := func(want string, touched bool, js ...report.Judgement) {
		t.Helper()
		err := otherwiseJudged(run, js, comparator.Judgement{ID: "mine"}, " --prefix p", touched)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "understudy judge --prefix p r ")) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	whole := func(id string, current bool) report.Judgement {
		return report.Judgement{ID: id, Current: current, Replays: 10}
	}
	f("", true, whole("mine", true))
	f("", true, whole("mine", true), whole("theirs", false))
	f("the tables show it under judgement theirs", true, whole("mine", false), whole("theirs", true))
	f("", false, whole("mine", false), whole("theirs", true)) // chosen before, and nothing new
	f("0 of its 10 replays are judged under those given now (mine)", true, whole("theirs", true))
	if err := otherwiseJudged(run, []report.Judgement{{ID: "mine", Current: true, Replays: 4}, {ID: "theirs", Replays: 10}}, comparator.Judgement{ID: "mine"}, "", true); finish(err, io.Discard) != exitThreshold {
		t.Errorf("a part is shown, whose books do not balance: %v", err)
	}
	f("4 of its 10 replays are judged under those given now (mine)", true, whole("theirs", true), report.Judgement{ID: "mine", Replays: 4})
	f("the tables hold 0 of its 10 replays", true)
	f("", true, report.Judgement{ID: "mine", Current: true, Replays: 9}) // the books say so
	f("the tables hold 9 of its 10 replays", false, report.Judgement{ID: "mine", Current: true, Replays: 9})
}

// TestRulesOfAnotherForm: who gives a whole configuration, or no section at all,
// for rules is told what the file holds.
func TestRulesOfAnotherForm(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		code, _, errOut := run1(t, "judge", "r", "--rules", writeFile(t, text))
		if code != exitUsage || !strings.Contains(errOut, want) {
			t.Errorf("%q: exit %d, %s; want %q", text, code, errOut, want)
		}
	}
	f("compare:\n  ignore_headers: [x]\n", "yaml:1:1: compare: unknown key; the file of --rules holds what stands under compare: in a configuration")
	f("- {name: x}\n", "the document is not a section of the form key: value")
}

// TestCommandsToCopySayWhere: what was given to find everything is needed by the
// command that follows; a password is not repeated.
func TestCommandsToCopySayWhere(t *testing.T) {
	a := newApp(strings.NewReader(""), io.Discard, io.Discard)
	c, _, err := a.rootCommand(nil).Find([]string{"report"})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.ParseFlags([]string{"--prefix", "p x", "--kafka", "a:1,b:2", "--clickhouse", "clickhouse://u:secret@h:9000/d"}); err != nil {
		t.Fatal(err)
	}
	a.noteFlags(c)
	r := &report.Report{Diagnoses: []report.Diagnosis{
		{Try: "understudy compare --run r"}, {Try: "# a remark\nunderstudy replay --run r-2"}, {Try: "replay:\n  routes: []"},
	}}
	a.located(r)
	for i, want := range []string{
		"understudy compare --kafka a:1,b:2 --prefix 'p x' --clickhouse ADDRESS --run r",
		"# a remark\nunderstudy replay --kafka a:1,b:2 --prefix 'p x' --run r-2", "replay:\n  routes: []",
	} {
		if got := r.Diagnoses[i].Try; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	r.Balance.Run, r.Balance.Written = "r", 1
	if _, try := r.Balance.Remedy(); try != r.Diagnoses[0].Try {
		t.Errorf("got %q", try)
	}
}
