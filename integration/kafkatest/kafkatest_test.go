package kafkatest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestMain(m *testing.M) { os.Exit(Main(m)) }

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// dial has a client on a fresh topic of one partition.
func dial(t *testing.T, c *Cluster, replicas int16) (*kgo.Client, string) {
	t.Helper()
	name := c.Prefix(t)
	client, err := kgo.NewClient(kgo.SeedBrokers(c.Addrs()...), kgo.ConsumeTopics(name), kgo.DefaultProduceTopic(name),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	if _, err := kadm.NewClient(client).CreateTopic(within(t), 1, replicas, nil, name); err != nil {
		t.Fatal(err)
	}
	return client, name
}

func produce(t *testing.T, client *kgo.Client, value string) {
	t.Helper()
	if err := client.ProduceSync(within(t), kgo.StringRecord(value)).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

func consume(t *testing.T, client *kgo.Client, n int) []string {
	t.Helper()
	var out []string
	for len(out) < n {
		fetches := client.PollFetches(within(t))
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		fetches.EachRecord(func(r *kgo.Record) { out = append(out, string(r.Value)) })
	}
	return out
}

func TestSharedBrokerTakesRecords(t *testing.T) {
	c := Shared(t)
	if again := Shared(t); again != c {
		t.Error("two calls gave two clusters")
	}
	client, _ := dial(t, c, -1)
	produce(t, client, "a")
	produce(t, client, "b")
	if diff := cmp.Diff([]string{"a", "b"}, consume(t, client, 2)); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}

func TestClusterSurvivesFaults(t *testing.T) {
	c := Start(t, Options{Brokers: 3, Faults: true})
	client, _ := dial(t, c, 3)
	produce(t, client, "all")
	c.StopBroker(t, 0)
	produce(t, client, "first stopped")
	c.StartBroker(t, 0)
	c.KillBroker(t, 1)
	produce(t, client, "second killed")
	c.StartBroker(t, 1)
	c.PauseBroker(t, 2)
	c.ResumeBroker(t, 2)
	produce(t, client, "third back")
	want := []string{"all", "first stopped", "second killed", "third back"}
	if diff := cmp.Diff(want, consume(t, client, len(want))); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}

// TestNoOrphan kills a test binary and looks whether its broker is gone.
func TestNoOrphan(t *testing.T) {
	if Shared(t).Kind != "jvm" {
		t.Skipf("brokers here are no children of ours (%s)", Shared(t).Kind)
	}
	const child = "UNDERSTUDY_KAFKATEST_CHILD"
	if file := os.Getenv(child); file != "" {
		pid := Shared(t).nodes[0].(*process).cmd.Process.Pid
		if err := os.WriteFile(file+".tmp", []byte(strconv.Itoa(pid)), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(file+".tmp", file); err != nil {
			t.Fatal(err)
		}
		select {} // until killed
	}
	file := filepath.Join(t.TempDir(), "pid")
	cmd := exec.Command(os.Args[0], "-test.run=^TestNoOrphan$")
	cmd.Env = append(os.Environ(), child+"="+file)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var text []byte
	for len(text) == 0 {
		time.Sleep(20 * time.Millisecond)
		text, _ = os.ReadFile(file)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Error("the killed binary ended well")
	}
	pid, err := strconv.Atoi(string(text))
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); alive(pid); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("broker process %d outlived its test", pid)
		}
	}
	left, err := filepath.Glob(filepath.Join(os.TempDir(), dataPrefix+strconv.Itoa(cmd.Process.Pid)+"-*"))
	if err != nil || len(left) != 1 {
		t.Fatalf("data of the killed binary: %v, %v, want one folder", left, err)
	}
	sweep()
	if _, err := os.Stat(left[0]); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("data of the killed binary still there after sweep: %v", err)
	}
}

// alive is false for a zombie that only waits for its parent.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err != nil || !strings.Contains(string(stat), ") Z ")
}

func TestEndpointsComeFirst(t *testing.T) {
	fake, err := kfake.NewCluster(kfake.NumBrokers(2))
	if err != nil {
		t.Fatal(err)
	}
	defer fake.Close()
	t.Setenv(EndpointsVar, strings.Join(fake.ListenAddrs(), ","))
	c := Start(t, Options{Brokers: 2})
	if c.Kind != "endpoints" || !slices.Equal(c.Addrs(), fake.ListenAddrs()) {
		t.Errorf("got %s at %v, want the endpoints %v", c.Kind, c.Addrs(), fake.ListenAddrs())
	}
	if _, err := open(Options{Brokers: 3}); err == nil {
		t.Error("two endpoints passed for three brokers")
	}
}

func TestWithoutJavaItSaysWhatToInstall(t *testing.T) {
	t.Setenv("PATH", "")
	_, _, err := newProcesses(1, false)
	if !isNotInstalled(err) || !strings.Contains(err.Error(), "java") || !strings.Contains(err.Error(), EndpointsVar) {
		t.Errorf("got %v, want an error that names java and %s", err, EndpointsVar)
	}
	err = fetch(t.TempDir(), "")
	if !isNotInstalled(err) || !strings.Contains(err.Error(), "mvn") {
		t.Errorf("got %v, want an error that names mvn", err)
	}
}

// outcome is a test that notes how it ended.
type outcome struct {
	testing.TB
	how string
}

func (o *outcome) Helper()                     {}
func (o *outcome) Name() string                { return "outcome" }
func (o *outcome) Skipf(f string, args ...any) { o.end("skipped: " + fmt.Sprintf(f, args...)) }
func (o *outcome) Fatalf(f string, args ...any) {
	o.end("failed: " + fmt.Sprintf(f, args...))
}

func (o *outcome) end(how string) { o.how = how; runtime.Goexit() }

// ended is how a test ends that does what f does.
func ended(f func(testing.TB)) string {
	o, done := &outcome{}, make(chan struct{})
	go func() { defer close(done); f(o) }()
	<-done
	return o.how
}

// TestOnlyAMissingToolSkips, and nothing does in CI.
func TestOnlyAMissingToolSkips(t *testing.T) {
	t.Setenv("PATH", "")
	_, notInstalled := program("java", "a Java runtime")
	f := func(ci string, err error, want string) {
		t.Helper()
		t.Setenv("CI", ci)
		if got := ended(func(tb testing.TB) { missing(tb, err) }); !strings.HasPrefix(got, want) {
			t.Errorf("CI=%s, %v: %s, want %s", ci, err, got, want)
		}
	}
	f("", notInstalled, "skipped: ")
	f("true", notInstalled, "failed: ")
	f("", io.EOF, "failed: ")
	f("true", io.EOF, "failed: ")
}

func TestFaultsNeedBrokersOfOurs(t *testing.T) {
	c := &Cluster{Kind: "endpoints"}
	if got := ended(func(tb testing.TB) { c.KillBroker(tb, 0) }); !strings.HasPrefix(got, "failed: kill broker 0: this cluster (endpoints) has 0 broker(s)") {
		t.Errorf("got %q", got)
	}
}

func TestSettings(t *testing.T) {
	f := func(id, n int, wantRoles, wantReplicas, wantInSync string) {
		t.Helper()
		m := settings(id, n, []string{"a:1", "b:2", "c:3"}[:controllers(n)])
		got := []string{m["process.roles"], m["default.replication.factor"], m["min.insync.replicas"]}
		if !slices.Equal(got, []string{wantRoles, wantReplicas, wantInSync}) {
			t.Errorf("settings(%d, %d) = %q", id, n, got)
		}
	}
	if got := settings(2, 3, []string{"a:1", "b:2", "c:3"}); got["node.id"] != "2" || got["controller.quorum.voters"] != "1@a:1,2@b:2,3@c:3" {
		t.Errorf("node %s of the voters %s", got["node.id"], got["controller.quorum.voters"])
	}
	f(1, 1, "broker,controller", "1", "1")
	f(2, 2, "broker", "2", "1")
	f(3, 3, "broker,controller", "3", "2")
	f(4, 4, "broker", "3", "2")
}

func TestEnvironment(t *testing.T) {
	got := environment(map[string]string{"node.id": "1", "a-b_c.d": "2"})
	want := map[string]string{"KAFKA_NODE_ID": "1", "KAFKA_A__B___C_D": "2"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("environment (-want +got):\n%s", diff)
	}
}

func TestVerify(t *testing.T) {
	if err := verify(t.TempDir()); err == nil {
		t.Error("an empty folder passed as the broker's jars")
	}
	dir := t.TempDir()
	for line := range strings.Lines(checksums) {
		if _, name, ok := strings.Cut(strings.TrimSpace(line), "  "); ok {
			if err := os.WriteFile(filepath.Join(dir, name), []byte("altered"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := verify(dir); err == nil || !strings.Contains(err.Error(), "has SHA-256") {
		t.Errorf("altered jars: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "unknown.jar"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := verify(dir); err == nil || !strings.Contains(err.Error(), "are expected") {
		t.Errorf("an unknown jar beside them: %v", err)
	}
}

func TestPrefixesDiffer(t *testing.T) {
	c := &Cluster{}
	t.Run("With Space/and slash", func(t *testing.T) {
		a, b := c.Prefix(t), c.Prefix(t)
		if a == b || strings.ContainsAny(a, " /_") {
			t.Errorf("prefixes %q, %q: want two different ones without separators", a, b)
		}
	})
}
