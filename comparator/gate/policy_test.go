package gate_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"understudy.dev/comparator/gate"
	"understudy.dev/setting/source"
)

// read reads a policy as the command does; the error holds every mistake with its
// place.
func read(text string) (gate.Policy, error) {
	p, origins := gate.DefaultPolicy(), source.Origins{}
	err := source.Read([]byte(text), "gate.yaml", &p, origins)
	return p, source.Of(err).With(origins, p.Validate()).Err()
}

// TestMistakes: each is told with its place and its path.
func TestMistakes(t *testing.T) {
	f := func(text string, want ...string) {
		t.Helper()
		_, err := read(text)
		if err == nil {
			t.Errorf("%s\nis taken", text)
			return
		}
		if diff := cmp.Diff(want, strings.Split(err.Error(), "\n")); diff != "" {
			t.Errorf("%s\n%s", text, diff)
		}
	}
	const impossible = "is not a share above 0% and up to 100%, as 0.1% is; no traffic shows that something never happens"
	f("limits:\n  mismatsh: 1%\n", "gate.yaml:2:3: limits.mismatsh: unknown key; did you mean mismatch?")
	f("limits:\n  mismatch: 0%\n  lost: 101%\n", `gate.yaml:2:13: limits.mismatch: "0%" `+impossible, `gate.yaml:3:9: limits.lost: "101%" `+impossible)
	f("limits: {late: 0.001}", `gate.yaml:1:16: limits.late: "0.001" `+impossible)
	f("limits: {late: -1%}", `gate.yaml:1:16: limits.late: "-1%" `+impossible)
	f("limits: {late: ''}", `gate.yaml:1:16: limits.late: "" `+impossible)
	f("confidence: 100%", `gate.yaml:1:13: confidence: "100%" is not above 0% and below 100%, as 95% is`)
	f("confidence: 0%", `gate.yaml:1:13: confidence: "0%" is not above 0% and below 100%, as 95% is`)
	f("minimum: -1", "gate.yaml:1:10: minimum: -1 is not a whole number of 0 or more that fits")
	f("limits:\n  latency:\n    - {over: 500, share: 1%}", "gate.yaml:3:14: limits.latency[0].over: 500 has no unit; want a duration such as 5s")
	f("limits:\n  latency:\n    - share: 1%", "gate.yaml:3:7: limits.latency[0].over: 0s is not a time, as 500ms is")
	f("limits:\n  slower:\n    - {ratio: 0, plus: -1s, share: 50%}",
		"gate.yaml:3:15: limits.slower[0].ratio: 0 is not a ratio above 0, as 1.5 is", "gate.yaml:3:24: limits.slower[0].plus: -1s is negative")
	f("routes:\n  - limits: {late: 2%}", "gate.yaml:2:5: routes[0].route: is needed; limits of every route stand under limits")
	f("routes:\n  - route: GET /a[\n", `gate.yaml:2:12: routes[0].route: "GET /a[" is not a pattern`)
	f("routes:\n  - route: GET /a\n  - route: GET /a\n", `gate.yaml:3:12: routes[1].route: "GET /a" is used twice; the first holds`)
	f("routes:\n  - route: GET /a\n    exempt: not moved\n    minimum: 5\n", "gate.yaml:3:13: routes[0].exempt: asks for nothing; remove the limits and the minimum")
	f("audit: {recall: 100%}", `gate.yaml:1:17: audit.recall: "100%" is not above 0% and below 100%, as 99% is: no sample shows that all would be found`)
	f("limits: {mismatch: 100%, rejected: 100%, lost: 100%, error: 100%, contradictory: 100%, duplicate: 100%, late: 100%, out_of_order: 100%}",
		"gate.yaml:1:1: limits: limit nothing, so that everything would pass")
	f("limits:\n  slower: [{ratio: .nan, share: 1%}]", "gate.yaml:2:20: limits.slower[0].ratio: NaN is not a ratio above 0, as 1.5 is")
}

// TestThresholds: what is held against times is listed once, wherever it stands.
func TestThresholds(t *testing.T) {
	p, err := read(`
limits:
  latency: [{over: 2s, share: 1%}, {over: 1s, share: 100%}]
  slower: [{ratio: 1.5, plus: 20ms, share: 50%}]
routes:
  - route: GET /a
    limits:
      latency: [{over: 2s, share: 2%}, {over: 3s, share: 1%}]
`)
	if err != nil {
		t.Fatal(err)
	}
	want := []gate.Threshold{{Plus: 2 * time.Second}, {Ratio: 1.5, Plus: 20 * time.Millisecond}, {Plus: 3 * time.Second}}
	if diff := cmp.Diff(want, p.Thresholds()); diff != "" {
		t.Error(diff)
	}
}
