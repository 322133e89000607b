package main

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kfake"

	"understudy.dev/comparator/clickhouse"
	"understudy.dev/exchange/access"
	"understudy.dev/gateway/controller"
	"understudy.dev/gateway/face"
	"understudy.dev/gateway/listener"
	"understudy.dev/gateway/plan"
	"understudy.dev/gateway/proxy"
	"understudy.dev/recorder"
	"understudy.dev/replayer"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

// metric is one that the program exposes.
type metric struct {
	name, help string
	labels     []string
	commands   []string
}

// TestMetricsPage: docs/metrics.md lists every metric of every command, with its
// labels. What dashboards and alerts name is looked up there.
func TestMetricsPage(t *testing.T) {
	a := newApp(strings.NewReader(""), t.Output(), t.Output())
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	a.cfg.Kafka.Brokers = cluster.ListenAddrs()
	all := map[string]*metric{}
	for _, command := range []struct {
		name string
		fill func(*testing.T, *app, *admin)
	}{
		{"record", func(t *testing.T, a *app, ad *admin) { fillRecording(t, a, ad, false) }},
		{"gateway", func(t *testing.T, a *app, ad *admin) { fillRecording(t, a, ad, true) }},
		{"replay", fillReplaying}, {"compare", fillComparing}, {"controller", fillControlling},
	} {
		ad := newAdmin(access.Config{}, a.logs)
		if _, err := ad.guard(a.log); err != nil {
			t.Fatal(err)
		}
		command.fill(t, a, ad)
		descs := make(chan *prometheus.Desc)
		go func() { defer close(descs); ad.registry.Describe(descs) }()
		for d := range descs {
			describe(t, all, d.String(), command.name)
		}
	}
	page := metricsPage(all)
	const path = "../../docs/metrics.md"
	if *update {
		if err := os.WriteFile(path, []byte(page), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if have, err := os.ReadFile(path); err != nil || string(have) != page {
		t.Errorf("docs/metrics.md is not what the commands expose (%v): go test ./cmd/understudy -run TestMetricsPage -update", err)
	}
}

var descText = regexp.MustCompile(`^Desc\{fqName: "(.*?)", help: "(.*)", unit: ".*", constLabels: \{(.*?)\}, variableLabels: \{(.*?)\}\}$`)

func describe(t *testing.T, all map[string]*metric, text, command string) {
	t.Helper()
	m := descText.FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("not a description as it was known: %s", text)
	}
	if !strings.HasPrefix(m[1], "understudy_") {
		return
	}
	x := all[m[1]]
	if x == nil {
		x = &metric{name: m[1], help: strings.ReplaceAll(m[2], `\"`, `"`)}
		all[m[1]] = x
	}
	for _, l := range strings.FieldsFunc(m[4], func(r rune) bool { return r == ',' }) {
		x.labels = append(x.labels, strings.TrimSpace(l))
	}
	for _, l := range strings.FieldsFunc(m[3], func(r rune) bool { return r == ',' }) {
		name, _, _ := strings.Cut(l, "=")
		x.labels = append(x.labels, name)
	}
	x.commands = append(x.commands, command)
	slices.Sort(x.labels)
	x.labels, x.commands = slices.Compact(x.labels), slices.Compact(x.commands)
}

func metricsPage(all map[string]*metric) string {
	var b strings.Builder
	b.WriteString(`# Metrics

What the admin listener (` + "`--admin`" + `) shows at ` + "`/metrics`" + `, beside those of Go and of the
process (` + "`go_…`, `process_…`" + `). This page is made by
` + "`go test ./cmd/understudy -run TestMetricsPage -update`" + `; alerts and dashboards are in
[deployments/](../deployments/README.md#watching), what to do is in
[runbooks.md](runbooks.md).

| metric | labels | of | |
|---|---|---|---|
`)
	names := make([]*metric, 0, len(all))
	for _, m := range all {
		names = append(names, m)
	}
	slices.SortFunc(names, func(x, y *metric) int { return cmp.Compare(x.name, y.name) })
	for _, m := range names {
		labels := ""
		if len(m.labels) > 0 {
			labels = "`" + strings.Join(m.labels, "`, `") + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", m.name, labels, strings.Join(m.commands, ", "), strings.ReplaceAll(m.help, "|", "\\|"))
	}
	return b.String()
}

// fillRecording registers what record and gateway do.
func fillRecording(t *testing.T, a *app, ad *admin, gated bool) {
	t.Helper()
	fatal := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	cfg := a.cfg.Record
	cfg.Upstream.URL, cfg.Key, cfg.Spool.Dir = "http://127.0.0.1:1", "0123456789abcdef0123456789abcdef", t.TempDir()
	a.cfg.Record = cfg
	up, err := proxy.NewUpstream(cfg.Upstream, a.log, ofSide(ad.registry, understudyv1.Side_SIDE_BASELINE, gated))
	fatal(err)
	w, err := a.openWriting(cfg)
	fatal(err)
	defer w.close()
	rec, err := recorder.New(cfg.Config, w.sink, a.log, ad.registry)
	fatal(err)
	if gated {
		a.cfg.Tracing.Endpoint = "http://127.0.0.1:4318"
		g := &a.cfg.Gateway
		g.Migration, g.StateDir, g.Candidate.URL, g.FlagFile = "shop", t.TempDir(), "http://127.0.0.1:2", writeFile(t, "{}")
		g.Face.Routes = []face.Route{{Route: "POST /orders"}}
		s, err := a.openSides(t.Context(), rec, up, ad)
		fatal(err)
		t.Cleanup(func() { s.face.producer.Close(); _ = s.face.lock.Close() })
	}
	tlsConfig := listener.Config{}
	tlsConfig.TLS.CertFile, tlsConfig.TLS.KeyFile, _ = certificateFiles(t)
	_, err = listener.Wrap(nopListener{}, tlsConfig, a.log, ad.registry)
	fatal(err)
	newHop(ad.registry)
	newRefusals(ad.registry)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	a.watchKafka(ctx, ad, nil)
	w.begin(a, rec, ad)
	w.stop()
	w.disk.Wait()
	w.heir.Wait()
}

func fillReplaying(t *testing.T, a *app, ad *admin) {
	t.Helper()
	cfg := a.cfg.Replay
	cfg.Candidate, cfg.Run, cfg.Control.URL, cfg.Control.Share, cfg.Isolated = "http://127.0.0.1:1", "r", "http://127.0.0.1:2", 0.1, true
	if _, err := replayer.New(cfg, &understudyv1.RunSpec{}, nil, nil, a.log, ad.registry); err != nil {
		t.Fatal(err)
	}
}

func fillComparing(t *testing.T, a *app, ad *admin) {
	t.Helper()
	cc := stream.DefaultConsumerConfig()
	cc.Group, cc.Topics = "g", []string{"t"}
	if _, err := stream.NewConsumer(a.cfg.Kafka.Config, cc, nil, a.log, ad.registry); err != nil {
		t.Fatal(err)
	}
	if _, err := clickhouse.NewIngest(nil, clickhouse.IngestConfig{Names: a.names()}, nil, nil, ad.registry); err != nil {
		t.Fatal(err)
	}
}

func fillControlling(t *testing.T, a *app, ad *admin) {
	t.Helper()
	if _, err := controller.New(plan.Plan{}, controller.World{}, a.log, ad.registry); err != nil {
		t.Fatal(err)
	}
}

type nopListener struct{ net.Listener }
