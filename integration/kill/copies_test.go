package kill

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"understudy.dev/comparator/clickhouse"
	"understudy.dev/embedded/embeddedtest"
	"understudy.dev/integration/kafkatest"
	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

// TestClonesAndLapsBalance: what is selected is what was recorded, for each clone
// in each lap; each is compared with the recorded answer and matches, none is taken
// for a repetition, and the books balance.
func TestClonesAndLapsBalance(t *testing.T) {
	const n, clones, laps = 300, 3, 2
	engine, cluster := embeddedtest.Start(t), kafkatest.Shared(t)
	here := place{brokers: cluster.Addrs(), prefix: cluster.Prefix(t), database: "clickhouse://" + engine.Native + "/copies"}
	names := topic.NamesFor(here.prefix)
	if _, err := clickhouse.Migrate(t.Context(), clickhouse.Config{Address: here.database}); err != nil {
		t.Fatal(err)
	}
	here.visits(t, n, 100, 20)
	s := &shop{asked: map[string]int{}}
	server := httptest.NewServer(s)
	defer server.Close()
	folder := t.TempDir()
	replay := func(args ...string) ([]byte, error) {
		c := exec.CommandContext(t.Context(), binary, append(args, "--candidate", server.URL, "--kafka", strings.Join(here.brokers, ","), "--prefix", here.prefix)...)
		c.Dir = folder
		return c.CombinedOutput()
	}
	for want, args := range map[string][]string{
		"contradicts speed":           {"replay", "--rate", "5/s", "--speed", "2"},
		"contradicts max":             {"replay", "--rate", "5/s", "--max"},
		"needs for":                   {"replay", "--loop"},
		"contradicts the mode open":   {"replay", "--users", "5"},
		"cannot be shared or resumed": {"runs", "start", "never", "--mode", "closed"},
		"shadow mode sends":           {"replay", "--follow", "--multiply", "2"},
		"want text or hdr":            {"replay", "-o", "json"},
	} {
		if args[0] == "replay" {
			args = append(args, "--run", "never")
		}
		out, err := replay(args...)
		if failed := (*exec.ExitError)(nil); !errors.As(err, &failed) || failed.ExitCode() != 2 || !strings.Contains(string(out), want) {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
	}
	out, err := replay("replay", "--run", "copies", "--multiply", fmt.Sprint(clones), fmt.Sprint("--loop=", laps), "--speed", "2", "-o", "hdr", "--isolated")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, name := range []string{"copies.intended.hgrm", "copies.service.hgrm"} {
		text, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil || !strings.Contains(string(text), "#[Max") || !strings.Contains(string(text), fmt.Sprint(n*clones*laps)) {
			t.Errorf("%s: %v\n%s", name, err, text)
		}
	}
	cfg := stream.Config{Brokers: here.brokers}
	run, err := stream.FindRun(t.Context(), cfg, names, "copies")
	if err != nil {
		t.Fatal(err)
	}
	if all := uint64(n * clones * laps); run.GetSelected() != all || run.GetReplayed() != all || run.GetWritten() != all || run.GetRepeated() != 0 ||
		run.GetSpec().GetMultiply() != clones || run.GetSpec().GetLaps() != laps || !strings.Contains(string(out), "each user as 3") {
		t.Errorf("selected %d, replayed %d, skipped %v, written %d, repeated %d of %d: %v\n%s", run.GetSelected(), run.GetReplayed(), run.GetSkipped(), run.GetWritten(),
			run.GetRepeated(), all, run.GetSpec(), out)
	}
	seen := map[string]bool{}
	err = stream.Replays(t.Context(), cfg, names, "copies", func(r *understudyv1.Replay) error {
		key := fmt.Sprint(r.GetExchange().GetId(), r.GetLap(), r.GetClone())
		if seen[key] || r.GetAttempt() != 1 {
			t.Errorf("%s is there twice, or is attempt %d", key, r.GetAttempt())
		}
		seen[key] = true
		return nil
	})
	if err != nil || len(seen) != n*clones*laps || len(s.wrong) > 0 {
		t.Errorf("%v: %d replays; asked wrongly for %v", err, len(seen), s.wrong)
	}
	for id, count := range s.asked {
		if count != clones*laps {
			t.Errorf("%s was sent %d times", id, count)
		}
	}
	for _, args := range [][]string{{"compare", "--run", "copies", "--fail-on", "mismatch>0,duplicate>0,lost>0"}, {"runs", "balance", "copies"}, {"show", "copies", "1800"}, {"explain", "copies", "1800"}} {
		out, err := here.command(t.Context(), args...).CombinedOutput()
		if err != nil || args[0] == "show" && !strings.Contains(string(out), "lap 2, clone ") {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
		t.Logf("%v\n%.3000s", args, out)
	}
}
