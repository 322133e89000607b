package kill

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"understudy.dev/comparator/clickhouse"
	"understudy.dev/embedded/embeddedtest"
	"understudy.dev/integration/kafkatest"
	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

// TestJudgeSaysWhatItCannotDo: records that have expired, a run that goes on or
// is unknown, a run of the same name from another prefix.
func TestJudgeSaysWhatItCannotDo(t *testing.T) {
	engine, cluster := embeddedtest.Start(t), kafkatest.Shared(t)
	database := "clickhouse://" + engine.Native + "/judge"
	if _, err := clickhouse.Migrate(t.Context(), clickhouse.Config{Address: database}); err != nil {
		t.Fatal(err)
	}
	p, err := stream.NewProducer(t.Context(), stream.Config{Brokers: cluster.Addrs()}, stream.DefaultProducerConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	// some writes the first replays of a run that has more, or none.
	some := func(prefix, run string, state understudyv1.Run_State, written uint64) place {
		t.Helper()
		names := topic.NamesFor(prefix)
		if _, err := stream.Apply(t.Context(), p.Client(), topic.Specs(names, topic.Sizing{Partitions: 2})); err != nil {
			t.Fatal(err)
		}
		put := func(r *kgo.Record, err error) {
			t.Helper()
			if err == nil {
				err = p.ProduceSync(t.Context(), r)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		now := time.Now()
		for i := range 3 {
			r := replay(i, now)
			r.Run = run
			put(stream.ReplayRecord(names, r))
		}
		put(stream.RunRecord(names, &understudyv1.Run{Name: run, State: state, Version: 1, StartUnixNano: now.UnixNano(), TimeUnixNano: now.UnixNano(),
			Selected: written, Replayed: written, Written: written}))
		return place{brokers: cluster.Addrs(), prefix: prefix, database: database}
	}
	f := func(p place, exit int, want string, args ...string) {
		t.Helper()
		out, err := p.command(t.Context(), args...).CombinedOutput()
		code := 0
		var e *exec.ExitError
		if errors.As(err, &e) {
			code = e.ExitCode()
		} else if err != nil {
			t.Fatal(err)
		}
		if code != exit || !strings.Contains(string(out), want) {
			t.Errorf("%v: exit %d, want %d and %q:\n%s", args, code, exit, want, out)
		}
	}
	prefix := cluster.Prefix(t)
	here := some(prefix, "whole", understudyv1.Run_STATE_COMPLETED, 3)
	some(prefix, "expired", understudyv1.Run_STATE_COMPLETED, 5)
	some(prefix, "going", understudyv1.Run_STATE_RUNNING, 3)
	f(here, 0, "3 replays judged under judgement", "judge", "whole")
	f(here, 0, "what is shown stays as it is", "judge", "whole", "--keep-current")
	f(here, 1, "Kafka holds 3 of its 5 replays any more", "judge", "expired")
	f(here, 2, "run going is still replayed", "judge", "going")
	f(here, 2, "unknown run absent", "judge", "absent")
	f(here, 2, "absent.yaml", "judge", "whole", "--rules", "absent.yaml")

	// Judged without compare it can be reported; compare and report then say the
	// same of it, of the judgement that was asked for and no other.
	f(here, 0, "The balance holds", "report", "whole")
	rules := filepath.Join(t.TempDir(), "rules.yaml")
	if err := os.WriteFile(rules, []byte("ignore_headers: [x-build]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f(here, 0, "views and report show the run under it", "judge", "whole", "--rules", rules)
	f(here, 1, "but the tables show it under judgement", "compare", "--run", "whole", "--fail-on", "mismatch>1000")
	// The remedy of broken books writes the judgement again that is shown, under
	// the rules that the tables keep of it, whatever those of now are.
	conn, err := clickhouse.Connect(t.Context(), clickhouse.Config{Address: database})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	current := func() (id string) {
		t.Helper()
		if err := conn.QueryRow(t.Context(), "SELECT judgement FROM current_judgements WHERE run = 'whole'").Scan(&id); err != nil {
			t.Fatal(err)
		}
		return id
	}
	shown := current()
	if err := conn.Exec(t.Context(), "ALTER TABLE stored_comparisons_by_minute DELETE WHERE run = 'whole' SETTINGS mutations_sync = 2"); err != nil {
		t.Fatal(err)
	}
	for _, command := range [][]string{{"report", "whole"}, {"report", "whole", "-o", "json"}, {"runs", "balance", "whole"}, {"runs", "balance", "whole", "-o", "json"}} {
		f(here, 3, " whole --judgement "+shown, command...)
	}
	if err := os.Remove(rules); err != nil {
		t.Fatal(err)
	}
	f(here, 0, "3 replays judged under judgement "+shown, "judge", "whole", "--judgement", shown)
	f(here, 0, "The balance holds", "report", "whole")
	if now := current(); now != shown {
		t.Errorf("the remedy shows judgement %s; want %s as before", now, shown)
	}
	f(here, 2, `judgement "absent" is unknown`, "judge", "whole", "--judgement", "absent")
	f(here, 0, "views and report show the run under it", "judge", "whole")
	f(here, 0, "Run whole: ", "compare", "--run", "whole", "--fail-on", "mismatch>1000")
	// A row that is deleted from the facts is missed by both, and judging brings
	// it back; one that is put into the totals stays too many.
	books := func(exit int, want string) {
		t.Helper()
		f(here, exit, "", "compare", "--run", "whole")
		f(here, exit, want, "report", "whole")
		f(here, exit, want, "runs", "balance", "whole")
	}
	for query, want := range map[string]string{
		"ALTER TABLE stored_comparisons DELETE WHERE run = 'whole' SETTINGS mutations_sync = 2":                               "in the table 0: 3 missing",
		"ALTER TABLE stored_comparison_totals DELETE WHERE run = 'whole' AND kafka_partition = 1 SETTINGS mutations_sync = 2": "sum of verdicts",
	} {
		if err := conn.Exec(t.Context(), query); err != nil {
			t.Fatal(err)
		}
		books(3, want)
		f(here, 0, "", "judge", "whole")
		books(0, "")
	}
	if err := conn.Exec(t.Context(), "INSERT INTO stored_comparison_totals SELECT * REPLACE (4000 AS block) FROM stored_comparison_totals WHERE (run, judgement) IN (SELECT run, judgement FROM current_judgements) AND run = 'whole' LIMIT 1"); err != nil {
		t.Fatal(err)
	}
	books(3, "too many")
	other := cluster.Prefix(t)
	there := some(other, "whole", understudyv1.Run_STATE_COMPLETED, 3)
	f(there, 2, `run "whole" is another run in this database`, "compare", "--run", "whole")
	f(there, 2, `run "whole" is another run in this database`, "judge", "whole")
	// It keeps no other run of its prefix waiting.
	some(other, "free", understudyv1.Run_STATE_COMPLETED, 3)
	f(there, 2, "Run free: ", "compare")
	f(there, 2, `run "whole" is another run in this database`, "compare")
	f(there, 0, "Run free: ", "compare", "--run", "free")
}
