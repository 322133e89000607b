package kafkatest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// EndpointsVar names the environment variable that gives host:port endpoints,
// separated by commas, of a Kafka that is already there. Topics are made on it
// under random prefixes and are not removed.
const EndpointsVar = "UNDERSTUDY_TEST_KAFKA"

// Version of Apache Kafka that is started, as an image or as jars.
const Version = "4.3.0"

// readyWithin bounds how long brokers that we start may take to come up, and
// answerWithin how long those that run already may take to answer.
const (
	readyWithin  = 2 * time.Minute
	answerWithin = 10 * time.Second
)

// Options says what a test needs.
type Options struct {
	// Brokers is the size of the cluster; 0 means 1. The first three are
	// controllers too when there are at least three, else only the first.
	Brokers int
	// Faults says that the test will stop, kill or pause brokers. Such a test
	// gets a cluster of its own, never the endpoints of EndpointsVar.
	Faults bool
	// Secure adds a listener that asks for TLS and SASL (Cluster.Secure), and
	// refuses there what no ACL allows; what comes by the others may do all. The
	// cluster is one broker on the JVM.
	Secure bool
}

// Cluster is a running Kafka.
type Cluster struct {
	// Kind says where the brokers come from: "endpoints", "docker" or "jvm".
	Kind string
	// Secure is set when Options.Secure is.
	Secure *Secure
	addrs  []string
	nodes  []node
}

// node is one broker that we started. Each method waits for its effect; start
// does not wait for the broker to be ready.
type node interface {
	start() error
	stop() error
	kill() error
	pause() error
	resume() error
	// running is false once the broker has ended; a paused one runs.
	running() bool
	// remove ends the node for good and removes what it stored.
	remove()
	// log is the end of what the broker said.
	log() string
}

// Start starts a cluster for one test and ends it with the test.
func Start(t testing.TB, o Options) *Cluster {
	t.Helper()
	c, err := open(o)
	if err != nil {
		missing(t, err)
	}
	t.Cleanup(c.remove)
	return c
}

var shared struct {
	sync.Mutex
	opened, managed bool
	cluster         *Cluster
	err             error
}

// Main runs the tests of a package that uses Shared and ends the shared
// broker. Use it in TestMain: os.Exit(kafkatest.Main(m)).
func Main(m *testing.M) int {
	shared.Lock()
	shared.managed = true
	shared.Unlock()
	code := m.Run()
	shared.Lock()
	defer shared.Unlock()
	if shared.cluster != nil {
		shared.cluster.remove()
	}
	return code
}

// Shared is one broker for all tests of the binary, because a start costs
// seconds. Tests keep apart by Prefix. The package's TestMain must call Main.
func Shared(t testing.TB) *Cluster {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if !shared.managed {
		t.Fatal("kafkatest.Shared needs a TestMain that calls kafkatest.Main")
	}
	if !shared.opened {
		shared.opened = true
		shared.cluster, shared.err = open(Options{})
	}
	if shared.err != nil {
		missing(t, shared.err)
	}
	return shared.cluster
}

// open takes the first source of brokers that is there and prints which.
func open(o Options) (*Cluster, error) {
	if o.Brokers == 0 {
		o.Brokers = 1
	}
	if list := os.Getenv(EndpointsVar); list != "" && !o.Faults && !o.Secure {
		c := &Cluster{Kind: "endpoints", addrs: strings.Split(list, ",")}
		say("kafka at %s, given by %s", list, EndpointsVar)
		return c, c.wait(answerWithin, o.Brokers)
	}
	c := &Cluster{Kind: "docker"}
	var err error
	reason := errors.New("a secure listener is wanted")
	if !o.Secure {
		reason = dockerAnswers()
	}
	if reason == nil {
		say("Apache Kafka %s in Docker, %d broker(s)", Version, o.Brokers)
		c.addrs, c.nodes, err = newContainers(o.Brokers)
	} else {
		c.Kind = "jvm"
		say("Apache Kafka %s on the JVM, %d broker(s) (no endpoints in %s; %v)", Version, o.Brokers, EndpointsVar, reason)
		c.addrs, c.nodes, err = newProcesses(o.Brokers, o.Secure)
	}
	if err != nil {
		return nil, err
	}
	if o.Secure {
		c.Secure = c.nodes[0].(*process).secure
	}
	for _, n := range c.nodes {
		if err := n.start(); err != nil {
			c.remove()
			return nil, err
		}
	}
	if err := c.wait(readyWithin, o.Brokers, c.nodes...); err != nil {
		err = fmt.Errorf("%w\n%s", err, c.logs())
		c.remove()
		return nil, err
	}
	return c, nil
}

func say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "kafkatest: "+format+"\n", args...)
}

// missing fails the test; only when a tool that is not installed is the reason,
// and this is not CI, the test is skipped instead.
func missing(t testing.TB, err error) {
	t.Helper()
	if isNotInstalled(err) && os.Getenv("CI") != "true" {
		say("SKIPPING %s: %v", t.Name(), err)
		t.Skipf("no Kafka: %v", err)
	}
	t.Fatalf("no Kafka: %v", err)
}

// wait returns when n brokers are up and there is a controller, or early when
// one of those that were just started ends.
func (c *Cluster) wait(within time.Duration, n int, started ...node) error {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(c.addrs...))
	if err != nil {
		return fmt.Errorf("kafka client: %w", err)
	}
	defer client.Close()
	for {
		try, cancel := context.WithTimeout(ctx, 5*time.Second)
		up, err := brokers(try, client)
		cancel()
		if err == nil && up >= n {
			return nil
		}
		if slices.ContainsFunc(started, func(n node) bool { return !n.running() }) {
			return fmt.Errorf("a broker ended instead of starting")
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("kafka at %v: %d of %d brokers: %w", c.addrs, up, n, errors.Join(ctx.Err(), err))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// brokers counts those that run, 0 while there is no controller. It asks by
// hand because kadm answers from a cache.
func brokers(ctx context.Context, client *kgo.Client) (int, error) {
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = []kmsg.MetadataRequestTopic{} // none; nil would be all
	m, err := req.RequestWith(ctx, client)
	if err != nil || m.ControllerID < 0 {
		return 0, err
	}
	return len(m.Brokers), nil
}

func (c *Cluster) logs() string {
	var b strings.Builder
	for i, n := range c.nodes {
		fmt.Fprintf(&b, "--- broker %d said:\n%s\n", i+1, n.log())
	}
	return b.String()
}

func (c *Cluster) remove() {
	for _, n := range c.nodes {
		n.remove()
	}
}

// Addrs are the host:port of all brokers, running or not.
func (c *Cluster) Addrs() []string { return append([]string(nil), c.addrs...) }

// Prefix is a topic prefix (or group name) that no other test has.
func (c *Cluster) Prefix(t testing.TB) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, filepath.Base(t.Name()))
	return strings.ToLower(name[:min(len(name), 40)] + "-" + rand.Text()[:8])
}
