package text

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"understudy.dev/comparator/gate"
)

// hostileGate has names from payloads that mean something to a terminal, to
// Markdown, to XML, and to a person who reads from left to right.
func hostileGate() gate.Result {
	e := gate.Evidence{Run: "r\x1b[31m", Judgement: "j", Routes: []gate.Counts{
		{Route: "GET /a|b<script>_`x`[y](z)\u202e\x1b]0;x\x07", First: 1, Requests: 1000, Findings: map[string]uint64{"mismatch": 300}},
		{Route: "GET /quiet", First: 2, Requests: 20000, Findings: map[string]uint64{}},
	}}
	for i := range 40 {
		e.Routes = append(e.Routes, gate.Counts{Route: fmt.Sprint("GET /", strings.Repeat("long", 20), i), First: uint64(i + 3), Requests: 3, Findings: map[string]uint64{}})
	}
	p := gate.DefaultPolicy()
	p.Routes = []gate.Route{{Route: "GET /quiet", Exempt: "because |<b>"}, {Route: "GET /nothing\x1b"}}
	return gate.Decide(p, e)
}

func written(t *testing.T, r gate.Result, format string) string {
	t.Helper()
	var b bytes.Buffer
	if err := Gate(&b, r, format); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestGateOfHostileNames: no format lets a name act.
func TestGateOfHostileNames(t *testing.T) {
	r := hostileGate()
	for _, format := range GateFormats() {
		got := written(t, r, format)
		if strings.ContainsAny(got, "\x1b\x07\u202e") {
			t.Errorf("%s: a control character\n%s", format, got)
		}
	}
	for _, line := range strings.Split(written(t, r, Table), "\n") {
		if n := len([]rune(line)); n > width {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	page := written(t, r, Markdown)
	if strings.Contains(page, "<script>") || strings.Contains(page, "<b>") || !strings.Contains(page, `GET /a\|b&lt;script>\_'x'\[y]`) {
		t.Errorf("Markdown is not escaped:\n%s", page)
	}
	for _, line := range strings.Split(page, "\n") {
		if cells := strings.Count(strings.ReplaceAll(line, `\|`, ""), "|"); strings.HasPrefix(line, "| ") && cells != 10 {
			t.Errorf("%d bars: %s", cells, line)
		}
	}
	var object struct {
		Decision string `json:"decision"`
		Routes   []struct {
			Route string `json:"route"`
		} `json:"routes"`
		Warnings, Exempt []any
	}
	if err := json.Unmarshal([]byte(written(t, r, JSON)), &object); err != nil || object.Decision != "roll_back" || len(object.Routes) != 41 || len(object.Exempt) != 1 || len(object.Warnings) != 1 {
		t.Errorf("%+v, %v", object, err)
	}
	if object.Routes[0].Route != r.Routes[0].Route {
		t.Errorf("JSON has another name: %q", object.Routes[0].Route)
	}
}

// TestGateJUnit: what is not promoted has failed, what has too little traffic is
// skipped, and the sums are right.
func TestGateJUnit(t *testing.T) {
	text := written(t, hostileGate(), JUnit)
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	var suites junitSuites
	if err := xml.Unmarshal([]byte(text), &suites); err != nil {
		t.Fatal(err)
	}
	tests, failures := 0, 0
	for _, s := range suites.Suites {
		tests += len(s.Cases)
		for _, c := range s.Cases {
			if c.Failure != nil {
				failures++
			}
			if c.Failure != nil && c.Skipped != nil {
				t.Errorf("%s %s is both", s.Name, c.Name)
			}
		}
	}
	if tests != suites.Tests || failures != suites.Failures || len(suites.Suites) != 43 {
		t.Errorf("%d tests, %d failures, %d suites; says %d, %d", tests, failures, len(suites.Suites), suites.Tests, suites.Failures)
	}
	last := suites.Suites[42]
	if last.Skipped != 8 || last.Failures != 0 {
		t.Errorf("a route with three requests: %+v", last)
	}
	good := gate.Decide(gate.DefaultPolicy(), gate.Evidence{Run: "r", Routes: []gate.Counts{{Route: "a", Requests: 9000}}})
	if got := written(t, good, JUnit); strings.Contains(got, "<failure") || !strings.Contains(got, `failures="0"`) {
		t.Errorf("a promotion has failures:\n%s", got)
	}
}

// TestGateOfAStage says of which one, in every format.
func TestGateOfAStage(t *testing.T) {
	r := gate.Decide(gate.DefaultPolicy(), gate.Evidence{
		Run: "shadow", Scope: &gate.Scope{Migration: "shop", Stage: "canary:10%", Since: 4, Served: 77}, Routes: []gate.Counts{{Route: "a", Requests: 9000}},
	})
	for format, want := range map[string][]string{
		Table:    {"Gate of migration shop, canary:10% since step 4, run shadow: PROMOTE", "The candidate served 77 requests of this stage"},
		Markdown: {"## Gate of migration shop, canary:10% since step 4, run shadow: promote"},
		JSON:     {`"migration": "shop"`, `"since": 4`, `"served": 77`},
		JUnit:    {`name="understudy gate shop"`},
	} {
		got := strings.Join(strings.Fields(written(t, r, format)), " ")
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Errorf("%s has no %q:\n%s", format, w, got)
			}
		}
	}
	none := written(t, gate.Decide(gate.DefaultPolicy(), gate.Evidence{Scope: &gate.Scope{Migration: "shop", Stage: "shadow", Since: 2}}), Table)
	if !strings.Contains(none, "no_data: no exchange since step 2 of migration shop is judged") {
		t.Errorf("without evidence:\n%s", none)
	}
}
