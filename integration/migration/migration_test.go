package migration

import (
	"context"
	"math"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"understudy.dev/gateway/stage"
	"understudy.dev/integration/kafkatest"
	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

// TestUsersMoveOverAndBack: off, shadow, canary 1, 10 and 50 percent, live, and
// back by hand from each, with two gateways of which one or the other is
// restarted in between. Nobody gets an answer that is wrong or none, nothing
// happens twice, and everybody is on one side until a step moves them.
func TestUsersMoveOverAndBack(t *testing.T) {
	cluster := kafkatest.Shared(t)
	kafka, prefix := strings.Join(cluster.Addrs(), ","), cluster.Prefix(t)
	where := []string{"--kafka", kafka, "--prefix", prefix}
	command(t, append([]string{"topics", "apply"}, where...)...)
	s, home := newSystems(t), t.TempDir()
	gates := []*instance{newInstance(t, home, s.baseline.URL, s.candidate.URL, kafka, prefix), newInstance(t, home, s.baseline.URL, s.candidate.URL, kafka, prefix)}
	for _, g := range gates {
		g.start()
	}
	users := newClients("user", gates...)
	const many = 300
	users.run(many, time.Second)

	version, restarted := 0, 0
	// step writes one and waits until every gateway has it and every user has
	// asked since.
	step := func(args ...string) (candidate, all int, moves []string) {
		t.Helper()
		users.look()
		command(t, append(append([]string{"migration"}, args...), where...)...)
		written := time.Now()
		version++
		for _, g := range gates {
			for g.metric("understudy_gateway_stages_version") != float64(version) {
				if time.Since(written) > 30*time.Second {
					t.Fatalf("%v does not reach a gateway:\n%s", args, g.out)
				}
				time.Sleep(time.Millisecond)
			}
		}
		reached := time.Since(written)
		users.round(many)
		candidate, all, moves = users.look()
		// From here on nobody may move until the next step.
		users.round(many)
		if _, _, later := users.look(); len(later) > 0 {
			t.Errorf("%v: moved without a step: %v", args, later)
		}
		t.Logf("%-40s %3d of %d users with the candidate; at every gateway %d ms after the command", strings.Join(args, " "), candidate, all, reached.Milliseconds())
		return candidate, all, moves
	}
	wider := func(to string, weight float64) {
		t.Helper()
		n, all, moves := step("promote", "shop", to)
		for _, m := range moves {
			if strings.HasSuffix(m, "baseline") {
				t.Errorf("%s moved a user back: %s", to, m)
			}
		}
		p := weight / 100
		if off, limit := math.Abs(float64(n)-p*float64(all)), 5*math.Sqrt(float64(all)*p*(1-p)); off > limit {
			t.Errorf("%s: %d of %d users, off by %.0f, more than %.0f", to, n, all, off, limit)
		}
	}
	back := func(from string) {
		t.Helper()
		if n, _, _ := step("rollback", "shop", "--reason", "to see whether it works"); n != 0 {
			t.Errorf("%d users are with the candidate after the rollback from %s", n, from)
		}
		if _, _, moves := step("resume", "shop", from); from == "off" && len(moves) > 0 {
			t.Errorf("moves: %v", moves)
		}
		g := gates[restarted%2]
		restarted++
		g.stop()
		g.start()
	}
	step("create", "shop")
	for _, to := range []struct {
		stage  string
		weight float64
	}{{"shadow", 0}, {"canary:1%", 1}, {"canary:10%", 10}, {"canary:50%", 50}, {"live", 100}} {
		wider(to.stage, to.weight)
		back(to.stage)
	}
	wider("complete", 100)
	users.stop()
	for _, g := range gates {
		g.stop()
	}

	if len(users.faults) > 0 {
		t.Errorf("%d faults, the first: %s", len(users.faults), users.faults[0])
	}
	doubled := 0
	for id, n := range s.effects {
		if n != 1 {
			doubled++
			t.Errorf("%s happened %d times", id, n)
		}
	}
	t.Logf("%d requests, %d orders, %d restarts of a gateway, %d client errors, %d doubled effects", users.count.Load(), len(s.effects), restarted, len(users.faults), doubled)
	recorded(t, kafka, prefix, users)
	command(t, append([]string{"recorder", "balance"}, where...)...)
	if history := command(t, append([]string{"migration", "history", "shop", "-o", "json"}, where...)...); strings.Count(history, `"action": "rollback"`) != 5 {
		t.Errorf("history %s", history)
	}
}

// recorded compares what Kafka has of every request with what the clients saw.
func recorded(t *testing.T, kafka, prefix string, users *clients) {
	t.Helper()
	snapshot, err := stream.OpenSnapshot(t.Context(), stream.Config{Brokers: strings.Split(kafka, ",")}, topic.NamesFor(prefix).Exchanges, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	defer snapshot.Close()
	bySide, sessions := map[string]int{}, map[string]bool{}
	err = snapshot.Each(t.Context(), 2000, 16<<20, 1, func(_ context.Context, b stream.Batch) error {
		for _, r := range b.Records {
			e, err := stream.DecodeExchange(r)
			if err != nil {
				return err
			}
			side := understudyv1.Label(e.GetServedBy())
			bySide[side]++
			sessions[e.GetSession()] = true
			if got := string(e.GetResponse().GetBody().GetContent()); !strings.HasPrefix(got, side+" ") || e.GetDecision() == "" || e.GetAttempts() != 1 {
				t.Errorf("recorded as %s's, %q after %d attempts: %q", side, e.GetDecision(), e.GetAttempts(), got)
			}
			at, err := stage.Parse(e.GetStage())
			if rolled := e.GetDecision() == "rolled_back"; e.GetDecision() != "unknown" && (err != nil || !rolled && at.Side("shop", e.GetSession()) != e.GetServedBy()) {
				t.Errorf("served by %s at %q, %s: %v", side, e.GetStage(), e.GetDecision(), err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(sessions) != len(users.sides) || bySide["baseline"] != users.bySide["baseline"] || bySide["candidate"] != users.bySide["candidate"] {
		t.Errorf("recorded %v of %d sessions, the clients saw %v of %d", bySide, len(sessions), users.bySide, len(users.sides))
	}
}

// TestWithoutKafka: what was known last holds, also after a restart; the kill
// switch works by file, HTTP and signal, wins, and outlives the restart.
func TestWithoutKafka(t *testing.T) {
	cluster := kafkatest.Shared(t)
	kafka, prefix := strings.Join(cluster.Addrs(), ","), cluster.Prefix(t)
	where := []string{"--kafka", kafka, "--prefix", prefix}
	command(t, append([]string{"topics", "apply"}, where...)...)
	s := newSystems(t)
	g := newInstance(t, t.TempDir(), s.baseline.URL, s.candidate.URL, kafka, prefix)
	g.start()
	command(t, append([]string{"migration", "create", "shop", "live"}, where...)...)
	users := newClients("user", g)
	turn := 0
	until := func(side string) {
		t.Helper()
		for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
			turn++
			users.ask("user", turn)
			if users.sides["user"] == side {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("it is not the %s's:\n%s", side, g.out)
			}
		}
	}
	stays := func(side string) {
		t.Helper()
		for range 20 {
			turn++
			users.ask("user", turn)
			if users.sides["user"] != side {
				t.Fatalf("it is not the %s's any more", side)
			}
		}
	}
	until("candidate")
	g.stop()
	for i, a := range g.args {
		if a == kafka {
			g.args[i] = free(t) // nobody
		}
	}
	g.start()
	stays("candidate")

	gate := []string{"--migration", "shop", "--state-dir", g.dir, "--reason", "it lies"}
	command(t, append([]string{"gateway", "kill", "on"}, gate...)...)
	until("baseline")
	_ = g.cmd.Process.Kill() // as a crash would
	_ = g.cmd.Wait()
	g.start()
	stays("baseline")
	command(t, append([]string{"gateway", "kill", "off"}, gate...)...)
	until("candidate")
	turned := func(method string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, "http://"+g.admin+"/gateway/kill", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Understudy-Reason", "it lies")
		a, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if a.Body.Close(); a.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s", method, a.Status)
		}
	}
	turned(http.MethodPost)
	stays("baseline")
	turned(http.MethodDelete)
	stays("candidate")
	if err := g.cmd.Process.Signal(syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	until("baseline")
	if n := g.metric("understudy_gateway_kill_switch"); n != 1 {
		t.Errorf("kill switch %v", n)
	}
	if age := g.metric("understudy_gateway_stages_age_seconds"); !math.IsInf(age, 1) {
		t.Errorf("age of the stages %v", age)
	}
	if len(users.faults) > 0 {
		t.Errorf("%d faults, the first: %s", len(users.faults), users.faults[0])
	}
	_ = g.cmd.Process.Kill()
	t.Log(strconv.Itoa(turn) + " requests")
}
