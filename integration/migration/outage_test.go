package migration

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"understudy.dev/integration/kafkatest"
)

// killGateway ends one as kill -9 does. Its load balancer notices at once; what was
// under way breaks.
func (g *instance) killGateway() {
	g.taking.Store(false)
	_ = g.cmd.Process.Kill()
	_ = g.cmd.Wait()
}

// attempt runs the program to its end, which may be a failure.
func attempt(t *testing.T, args ...string) (code int, said string) {
	t.Helper()
	c := exec.Command(binary, args...)
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	err := c.Run()
	exit := (*exec.ExitError)(nil)
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return c.ProcessState.ExitCode(), out.String()
}

// doubled is how many effects are there too often.
func (s *systems) doubled() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, times := range s.effects {
		if times != 1 {
			n++
		}
	}
	return n
}

// has waits until a gateway has a step.
func (g *instance) has(version int) time.Duration {
	g.t.Helper()
	begin := time.Now()
	for g.metric("understudy_gateway_stages_version") != float64(version) {
		if time.Since(begin) > 30*time.Second {
			g.t.Fatalf("step %d does not reach a gateway:\n%s", version, g.out)
		}
		time.Sleep(time.Millisecond)
	}
	return time.Since(begin)
}

// TestGatewaysDieDuringARollback: two of three, while it is written. The third has it
// within a second, and the two come back rolled back.
func TestGatewaysDieDuringARollback(t *testing.T) {
	cluster := kafkatest.Shared(t)
	kafka, prefix := strings.Join(cluster.Addrs(), ","), cluster.Prefix(t)
	where := []string{"--kafka", kafka, "--prefix", prefix}
	command(t, append([]string{"topics", "apply"}, where...)...)
	s, home := newSystems(t), t.TempDir()
	var gates []*instance
	for range 3 {
		g := newInstance(t, home, s.baseline.URL, s.candidate.URL, kafka, prefix)
		g.start()
		gates = append(gates, g)
	}
	command(t, append([]string{"migration", "create", "shop", "live"}, where...)...)
	for _, g := range gates {
		g.has(1)
	}
	const many = 300
	users := newClients("user", gates...)
	users.run(many, time.Second)
	users.round(many)
	if n, all, _ := users.look(); n != all {
		t.Errorf("%d of %d users are with the candidate", n, all)
	}
	written := make(chan time.Time, 1)
	go func() {
		command(t, append([]string{"migration", "rollback", "shop", "--reason", "two gateways are about to go"}, where...)...)
		written <- time.Now()
	}()
	for _, g := range gates[:2] {
		time.Sleep(20 * time.Millisecond)
		g.killGateway()
	}
	at := <-written
	gates[2].has(2)
	reached := time.Since(at)
	users.round(many)
	if n, all, _ := users.look(); n != 0 {
		t.Errorf("%d of %d users are with the candidate after the rollback", n, all)
	}
	for _, g := range gates[:2] {
		g.start()
		g.has(2)
	}
	users.round(many)
	if n, all, moves := users.look(); n != 0 || len(moves) > 0 {
		t.Errorf("%d of %d users are with the candidate after the others came back; %v moved", n, all, moves)
	}
	users.stop()
	if len(users.faults) > 0 || s.doubled() > 0 {
		t.Errorf("%d faults of %d requests, %d doubled effects: %.300s", len(users.faults), users.count.Load(), s.doubled(), users.faults)
	}
	t.Logf("%d requests at %d a second, %d of them broken by the two kills, %d client errors beside, %d doubled effects; the third gateway had the rollback %d ms after the command",
		users.count.Load(), many, users.broken, len(users.faults), s.doubled(), reached.Milliseconds())
	for _, g := range gates {
		g.stop()
	}
}

// TestKafkaIsAwayDuringSteps: a step that cannot be written fails and says so, and
// moves nobody, now or later. The kill switch needs no Kafka.
func TestKafkaIsAwayDuringSteps(t *testing.T) {
	cluster := kafkatest.Start(t, kafkatest.Options{})
	kafka, prefix := strings.Join(cluster.Addrs(), ","), cluster.Prefix(t)
	where := []string{"--kafka", kafka, "--prefix", prefix}
	command(t, append([]string{"topics", "apply"}, where...)...)
	s, home := newSystems(t), t.TempDir()
	gates := []*instance{newInstance(t, home, s.baseline.URL, s.candidate.URL, kafka, prefix), newInstance(t, home, s.baseline.URL, s.candidate.URL, kafka, prefix)}
	for _, g := range gates {
		g.start()
	}
	command(t, append([]string{"migration", "create", "shop", "canary:50%"}, where...)...)
	for _, g := range gates {
		g.has(1)
	}
	const many = 100
	users := newClients("user", gates...)
	users.run(many, 500*time.Millisecond)
	users.round(many)
	users.round(many)
	before, _, _ := users.look()
	stays := func(when string) {
		t.Helper()
		users.round(many)
		if n, all, moves := users.look(); n != before || len(moves) > 0 {
			t.Errorf("%s: %d of %d users with the candidate, %d before; moves: %v", when, n, all, before, moves)
		}
	}
	if before < 10 || before > many-10 {
		t.Fatalf("%d of %d users are with the candidate of 50%%", before, many)
	}
	cluster.KillBroker(t, 0)
	for _, args := range [][]string{{"promote", "shop", "live"}, {"rollback", "shop", "--reason", "it lies"}} {
		begin := time.Now()
		code, said := attempt(t, append(append([]string{"migration"}, args...), where...)...)
		if code != 4 || !strings.Contains(said, "kafka") || strings.Contains(said, "->") {
			t.Errorf("%v without Kafka: exit %d, %s", args, code, said)
		}
		t.Logf("%v without Kafka: exit %d after %.1f s: %.200s", args, code, time.Since(begin).Seconds(), said)
		stays(strings.Join(args, " ") + " without Kafka")
	}
	turn := func(how string) {
		for _, g := range gates {
			command(t, "gateway", "kill", how, "--migration", "shop", "--state-dir", g.dir, "--reason", "it lies and Kafka is away")
		}
		users.round(many)
		users.round(many)
	}
	turn("on")
	if n, all, _ := users.look(); n != 0 {
		t.Errorf("%d of %d users are with the candidate though the kill switch is on", n, all)
	}
	cluster.StartBroker(t, 0)
	command(t, append([]string{"migration", "rollback", "shop", "--reason", "it lied"}, where...)...)
	for _, g := range gates {
		g.has(2)
	}
	turn("off")
	if n, all, _ := users.look(); n != 0 {
		t.Errorf("%d of %d users are with the candidate after the rollback", n, all)
	}
	users.stop()
	history := command(t, append([]string{"migration", "history", "shop", "-o", "json"}, where...)...)
	if n := strings.Count(history, `"action": "rollback"`); n != 1 || strings.Contains(history, `"action": "promote"`) {
		t.Errorf("%d rollbacks: %s", n, history)
	}
	if len(users.faults) > 0 || s.doubled() > 0 {
		t.Errorf("%d faults of %d requests, %d doubled effects: %.300s", len(users.faults), users.count.Load(), s.doubled(), users.faults)
	}
	t.Logf("%d requests, %d client errors, %d doubled effects", users.count.Load(), len(users.faults), s.doubled())
	for _, g := range gates {
		g.stop()
	}
}

// TestAFaceEndsWhileKafkaIsSilent, within the time that it is given: what it has to say
// last waits for nobody for ever.
func TestAFaceEndsWhileKafkaIsSilent(t *testing.T) {
	cluster := kafkatest.Start(t, kafkatest.Options{})
	f := newFlightTestOn(t, cluster, "finish")
	f.g.killGateway() // begins again with a shorter time
	file := f.g.args[len(f.g.args)-1]
	config, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(config, "record: {drain_timeout: 2s, shutdown_timeout: 8s}\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	f.g.start()
	f.g.has(1)
	cluster.PauseBroker(t, 0)
	defer cluster.ResumeBroker(t, 0)
	time.Sleep(2 * time.Second) // it has noticed
	begin := time.Now()
	_ = f.g.cmd.Process.Signal(syscall.SIGTERM)
	ended := make(chan struct{})
	go func() { defer close(ended); _ = f.g.cmd.Wait() }()
	select {
	case <-ended:
		t.Logf("it ended after %.1f s of 8 s", time.Since(begin).Seconds())
	case <-time.After(9 * time.Second): // half of which it takes where nothing else runs
		_ = f.g.cmd.Process.Signal(syscall.SIGQUIT)
		<-ended
		t.Errorf("it does not end:\n%s", f.g.out)
	}
}
