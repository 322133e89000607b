package text

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"understudy.dev/comparator/gate"
)

// TestMigrationOnAScreen: 80 columns and a screen whatever the names are, and one
// line for a log.
func TestMigrationOnAScreen(t *testing.T) {
	now := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	r := hostileGate()
	r.Scope = &gate.Scope{Migration: "shop", Stage: "canary:10%", Since: 4, Served: 1234}
	m := Migration{
		Name: "shop", Stage: "canary:10%", Step: 4, Since: now.Add(-26*time.Hour - time.Minute), Now: now, Gate: &r,
		Own: []OwnStage{{"GET /\x1b[31mred", "live"}},
	}
	for i := range 9 {
		m.Steps = append(m.Steps, MigrationStep{uint64(9 - i), now, "rollback", "GET /x", "canary:0.01%", "somebody-with-a-name@a-host-with-another", strings.Repeat("why\u202e ", 100)})
	}
	page := m.Screen()
	if strings.ContainsAny(page, "\x1b\x07\u202e") || strings.ContainsAny(m.Line(), "\x1b\x07\u202e\n") {
		t.Errorf("a control character\n%s%s", page, m.Line())
	}
	for _, line := range strings.Split(page, "\n") {
		if utf8.RuneCountInString(line) > width {
			t.Errorf("%d columns: %s", utf8.RuneCountInString(line), line)
		}
	}
	for _, want := range []string{"Migration shop: canary:10% for 1d2h, step 4", "Gate: ROLL BACK.", "the candidate has served 1,234", "all together", "limit 0.1%", "canary:0.01%"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q in\n%s", want, page)
		}
	}
	if line := m.Line(); !strings.HasPrefix(line, "shop canary:10% step 4; gate roll back, 1,120 requests of run r") || !strings.Contains(line, "all: mismatch 21.3%") {
		t.Errorf("line %s", line)
	}
	m.Gate, m.Fault = nil, "ClickHouse is away"
	for _, got := range []string{m.Screen(), m.Line()} {
		if !strings.Contains(got, "cannot be asked") || !strings.Contains(got, "ClickHouse is away") {
			t.Errorf("%s", got)
		}
	}
}
