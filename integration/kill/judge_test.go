package kill

import (
	"errors"
	"os/exec"
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
	there := some(cluster.Prefix(t), "whole", understudyv1.Run_STATE_COMPLETED, 3)
	f(there, 2, `run "whole" is another run in this database`, "compare", "--run", "whole")
	f(there, 2, `run "whole" is another run in this database`, "judge", "whole")
}
