package watching

import (
	"log/slog"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
)

const alertsFile = "../../deployments/prometheus/alerts.yaml"

// exposed are the labels of each metric, by docs/metrics.md, which a test of the
// program writes.
func exposed(t *testing.T) map[string][]string {
	t.Helper()
	page, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{"process_cpu_seconds_total": {}}
	for _, m := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\| (.*?) \\|").FindAllStringSubmatch(string(page), -1) {
		labels := []string{}
		for _, l := range regexp.MustCompile("`(\\w+)`").FindAllStringSubmatch(m[2], -1) {
			labels = append(labels, l[1])
		}
		out[m[1]] = labels
	}
	if len(out) < 50 {
		t.Fatalf("only %d metrics in docs/metrics.md", len(out))
	}
	return out
}

// checkExpr parses an expression and looks up what it names. Prometheus itself adds
// job and instance.
func checkExpr(t *testing.T, where, expr string, known map[string][]string) {
	t.Helper()
	e, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	if err != nil {
		t.Errorf("%s: %v\n%s", where, err, expr)
		return
	}
	var all []string // labels of all metrics of the expression, for what it groups by
	parser.Inspect(e, func(n parser.Node, _ []parser.Node) error {
		v, ok := n.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		name := strings.TrimSuffix(v.Name, "_bucket")
		has, ok := known[name]
		if !ok {
			t.Errorf("%s: there is no metric %s", where, v.Name)
		}
		if name != v.Name {
			has = append(slices.Clone(has), "le")
		}
		has = append(slices.Clone(has), "job", "instance")
		all = append(all, has...)
		for _, m := range v.LabelMatchers {
			if m.Name != model.MetricNameLabel && !slices.Contains(has, m.Name) {
				t.Errorf("%s: metric %s has no label %s", where, v.Name, m.Name)
			}
		}
		return nil
	})
	parser.Inspect(e, func(n parser.Node, _ []parser.Node) error {
		if a, ok := n.(*parser.AggregateExpr); ok {
			for _, l := range a.Grouping {
				if !slices.Contains(all, l) {
					t.Errorf("%s: no metric of it has the label %s", where, l)
				}
			}
		}
		return nil
	})
}

func alerts(t *testing.T) map[string]rulefmt.Rule {
	t.Helper()
	groups, errs := rulefmt.ParseFile(alertsFile, false, model.UTF8Validation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	out := map[string]rulefmt.Rule{}
	for _, g := range groups.Groups {
		for _, r := range g.Rules {
			if _, ok := out[r.Alert]; ok || r.Alert == "" {
				t.Errorf("%q is no alert, or there are two", r.Alert)
			}
			out[r.Alert] = r
		}
	}
	return out
}

// TestAlerts: each parses, names metrics that there are, says how bad it is, and
// has its section in the runbooks; and there is no section without an alert.
func TestAlerts(t *testing.T) {
	known := exposed(t)
	page, err := os.ReadFile("../../docs/runbooks.md")
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string]string{}
	for _, s := range strings.Split(string(page), "\n## ")[1:] {
		name, body, _ := strings.Cut(s, "\n")
		sections[name] = body
	}
	all := alerts(t)
	for name, r := range all {
		checkExpr(t, name, r.Expr, known)
		if s := r.Labels["severity"]; s != "page" && s != "ticket" {
			t.Errorf("%s: severity %q", name, s)
		}
		if r.Annotations["summary"] == "" || r.Annotations["runbook"] != "docs/runbooks.md#"+strings.ToLower(name) {
			t.Errorf("%s: annotations %v", name, r.Annotations)
		}
		for _, part := range []string{"**Means.**", "**See.**", "**Do.**"} {
			if !strings.Contains(sections[name], part) {
				t.Errorf("docs/runbooks.md: %s has no %s", name, part)
			}
		}
		delete(sections, name)
	}
	for name := range sections {
		t.Errorf("docs/runbooks.md: there is no alert %s", name)
	}
}

// TestAlertsFire when they should, after their time, and not before.
func TestAlertsFire(t *testing.T) {
	all := alerts(t)
	// Series are a sample a minute, in promtool's notation.
	f := func(alert, series string, quiet, fires time.Duration) {
		t.Helper()
		r, ok := all[alert]
		if !ok {
			t.Errorf("there is no alert %s", alert)
			return
		}
		store := promqltest.LoadedStorage(t, "load 1m\n"+series)
		defer store.Close()
		engine := promqltest.NewTestEngine(t, false, 0, promqltest.DefaultMaxSamplesPerQuery)
		// active since when, looked at each 15 s, as Prometheus does.
		firing := func(at time.Duration) bool {
			since := time.Duration(-1)
			for now := time.Duration(0); now <= at; now += 15 * time.Second {
				q, err := engine.NewInstantQuery(t.Context(), store, nil, r.Expr, time.Unix(0, 0).Add(now))
				if err != nil {
					t.Fatal(err)
				}
				v, err := q.Exec(t.Context()).Vector()
				if err != nil {
					t.Fatal(err)
				}
				if q.Close(); !active(v) {
					since = -1
				} else if since < 0 {
					since = now
				}
			}
			return since >= 0 && at-since >= time.Duration(r.For)
		}
		if firing(quiet) {
			t.Errorf("%s fires after %s", alert, quiet)
		}
		if fires > 0 && !firing(fires) {
			t.Errorf("%s does not fire after %s", alert, fires)
		}
	}
	f("KillSwitchOn", `understudy_gateway_kill_switch{instance="a"} 0 0 0 1 1`, 2*time.Minute, 3*time.Minute)
	f("StagesOld", `understudy_gateway_stages_age_seconds{instance="a"} 1 1 45 105 165`, 2*time.Minute+45*time.Second, 4*time.Minute)
	f("StagesDiffer", `understudy_gateway_stages_version{job="shop",instance="a"} 3 4 4 4 4
understudy_gateway_stages_version{job="shop",instance="b"} 3 3 3 3 3
understudy_gateway_stages_version{job="other",instance="c"} 9 9 9 9 9`, time.Minute+30*time.Second, 3*time.Minute)
	f("StagesDiffer", `understudy_gateway_stages_version{job="shop",instance="a"} 3x10
understudy_gateway_stages_version{job="other",instance="b"} 9x10`, 9*time.Minute, 0)
	f("CandidateFails", `understudy_gateway_failures_total{instance="a",side="candidate",kind="timeout"} 0 0+6x20
understudy_gateway_decisions_total{instance="a",side="candidate",stage="canary",decision="bucket"} 0 0+100x20`, 2*time.Minute, 10*time.Minute)
	f("CandidateFails", `understudy_gateway_failures_total{instance="a",side="candidate",kind="timeout"} 0 0+1x20
understudy_gateway_decisions_total{instance="a",side="candidate",stage="canary",decision="bucket"} 0 0+1000x20`, 15*time.Minute, 0)
	f("ExchangesDropped", `understudy_recorder_dropped_total{instance="a",reason="kafka_error"} 0 0 0 7 7
understudy_recorder_dropped_total{instance="a",reason="sampled"} 0+10x10`, 2*time.Minute, 4*time.Minute)
	f("RolledBack", `understudy_controller_steps_total{job="shop",action="rollback"} 0 0 0 1 1`, 2*time.Minute, 4*time.Minute)
	f("NoControllerActs", `understudy_controller_acting{job="shop",instance="a"} 1 0 0 0
understudy_controller_acting{job="shop",instance="b"} 0 0 0 0`, 30*time.Second, 3*time.Minute)
	f("AdminRefused", `understudy_admin_refused_total{instance="a",reason="token"} 0 0 20 40 60`, time.Minute, 4*time.Minute)
	f("AdminRefused", `understudy_admin_refused_total{instance="a",reason="no_credentials"} 0 100 200 300 400`, 4*time.Minute, 0)
	f("InFlightHeld", `understudy_gateway_inflight_held{instance="a"} 0 0 2`, time.Minute, 2*time.Minute)
	f("CertificateExpires", `understudy_gateway_certificate_not_after_seconds{instance="a"} 605000x20`, 2*time.Minute, 10*time.Minute)
}

// active says whether an expression has any result, which is when an alert is.
func active(v promql.Vector) bool { return len(v) > 0 }
