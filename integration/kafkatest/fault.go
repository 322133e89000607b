package kafkatest

import "testing"

// StopBroker shuts broker i (from 0) down in order.
func (c *Cluster) StopBroker(t testing.TB, i int) { t.Helper(); c.fault(t, i, "stop", node.stop) }

// KillBroker ends broker i at once, as a power cut would.
func (c *Cluster) KillBroker(t testing.TB, i int) { t.Helper(); c.fault(t, i, "kill", node.kill) }

// StartBroker starts broker i again on what it had stored, under its address,
// and waits until all brokers that run are one cluster again.
func (c *Cluster) StartBroker(t testing.TB, i int) {
	t.Helper()
	c.fault(t, i, "start", node.start)
	running := 0
	for _, n := range c.nodes {
		if n.running() {
			running++
		}
	}
	if err := c.wait(readyWithin, running, c.nodes[i]); err != nil {
		t.Fatalf("start broker %d: %v\n%s", i, err, c.nodes[i].log())
	}
}

// PauseBroker freezes broker i: its connections stay open and silent.
func (c *Cluster) PauseBroker(t testing.TB, i int) { t.Helper(); c.fault(t, i, "pause", node.pause) }

// ResumeBroker lets a paused broker go on.
func (c *Cluster) ResumeBroker(t testing.TB, i int) { t.Helper(); c.fault(t, i, "resume", node.resume) }

func (c *Cluster) fault(t testing.TB, i int, what string, do func(node) error) {
	t.Helper()
	if i >= len(c.nodes) {
		t.Fatalf("%s broker %d: this cluster (%s) has %d broker(s) of ours; start it with Options{Faults: true}", what, i, c.Kind, len(c.nodes))
	}
	if err := do(c.nodes[i]); err != nil {
		t.Fatalf("%s broker %d: %v", what, i, err)
	}
}
