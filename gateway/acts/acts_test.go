package acts_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"understudy.dev/exchange/kill"
	"understudy.dev/gateway/acts"
	"understudy.dev/gateway/stage"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// TestBook: what is added is pending until it is sent, also for another process.
func TestBook(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "shop")
	b, other := acts.Open(dir), acts.Open(dir)
	add := func(on bool, reason string, err error) {
		t.Helper()
		if err := b.Add(acts.OfKill("shop", "here", kill.Act{On: on, Who: "ann", Reason: reason, Time: time.Unix(7, 0), Err: err})); err != nil {
			t.Fatal(err)
		}
	}
	f := func(want string) (end int64) {
		t.Helper()
		all, end, torn, err := other.Pending()
		got := ""
		for _, a := range all {
			got += a.GetAction() + " " + a.GetReason() + "|"
			if !stage.IsAct(a) || a.GetWho() != "ann" || a.GetTimeUnixNano() != 7e9 || a.GetId() == "" {
				t.Errorf("not what was done: %v", a)
			}
		}
		if got != want || torn > 0 || err != nil {
			t.Errorf("pending %q, torn %d, %v; want %q", got, torn, err, want)
		}
		return end
	}
	f("")
	add(true, `"it lies"`, nil)
	add(false, "mended", errors.New("no right to"))
	const first = `kill_on "it lies" (the gateways of one folder at here)|kill_off mended (the gateways of one folder at here); it went wrong: no right to|`
	end := f(first)
	f(first)
	if err := b.Sent(end); err != nil {
		t.Fatal(err)
	}
	f("")
	add(true, "again", nil)
	f("kill_on again (the gateways of one folder at here)|")

	// What a crash has torn costs its line, and what is being written waits.
	path := filepath.Join(dir, "acts.jsonl")
	write := func(text string) {
		t.Helper()
		h, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.WriteString(text); err != nil {
			t.Fatal(err)
		}
		_ = h.Close()
	}
	write("{\"migration\": \"sh\n{\"migration\":\"shop\",\"version\":\"3\",\"action\":\"promote\"}\n{\"migr")
	if all, _, torn, err := b.Pending(); len(all) != 1 || torn != 2 || err != nil {
		t.Errorf("%v, torn %d, %v", all, torn, err)
	}
	// A folder that was put back from a copy has a shorter file than was sent.
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f("")
	add(true, "after that", nil)
	f("kill_on after that (the gateways of one folder at here)|")
}

// TestAFullBookBeginsAnew, when Kafka has all of it.
func TestAFullBookBeginsAnew(t *testing.T) {
	dir := t.TempDir()
	b := acts.Open(dir)
	long := strings.Repeat("x", 600<<10)
	for range 2 {
		if err := b.Add(&understudyv1.Stage{Migration: "m", Action: stage.ActionKillOn, Id: "i", Reason: long}); err != nil {
			t.Fatal(err)
		}
	}
	_, end, _, err := b.Pending()
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Sent(end); err != nil {
		t.Fatal(err)
	}
	if all, _, _, err := b.Pending(); len(all) != 0 || err != nil {
		t.Errorf("%d pending, %v", len(all), err)
	}
	if info, err := os.Stat(filepath.Join(dir, "acts.jsonl.1")); err != nil || info.Size() != end {
		t.Errorf("the former file: %v, %v", info, err)
	}
}

// TestActsAreNoSteps: they change no state, and are told once however often they
// were written.
func TestActsAreNoSteps(t *testing.T) {
	step, err := (*stage.State)(nil).Step(stage.Order{Migration: "m", Action: stage.ActionCreate})
	if err != nil {
		t.Fatal(err)
	}
	on := acts.OfKill("m", "h", kill.Act{On: true, Time: time.Unix(2, 0)})
	off := acts.OfKill("m", "h", kill.Act{Time: time.Unix(3, 0)})
	records := []*understudyv1.Stage{off, on, step, on, off}
	now, counted := stage.Fold(records)
	if len(counted) != 1 || now.Version() != 1 || stage.IsAct(step) {
		t.Errorf("%d steps, version %d", len(counted), now.Version())
	}
	if got := stage.Acts(records); len(got) != 2 || got[0] != on || got[1] != off {
		t.Errorf("acts %v", got)
	}
}
