package migration

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"understudy.dev/integration/kafkatest"
)

// TestTheCandidateGoes in the stage live, in order, under users of HTTP/1.1 and
// HTTP/2: the baseline serves what the candidate cannot be given, and when it is
// back at its address it serves again. Nobody sees an error, nothing happens
// twice.
func TestTheCandidateGoes(t *testing.T) {
	cluster := kafkatest.Shared(t)
	kafka, prefix := strings.Join(cluster.Addrs(), ","), cluster.Prefix(t)
	where := []string{"--kafka", kafka, "--prefix", prefix}
	command(t, append([]string{"topics", "apply"}, where...)...)
	s := newSystems(t)
	g := newInstance(t, t.TempDir(), s.baseline.URL, s.candidate.URL, kafka, prefix)
	g.start()
	command(t, append([]string{"migration", "create", "shop", "live"}, where...)...)
	for g.metric("understudy_gateway_stages_version") != 1 {
		time.Sleep(10 * time.Millisecond)
	}
	one, two := newClients("one", g), newClients("two", g)
	transport := two.http.Transport.(*http.Transport)
	transport.Protocols = new(http.Protocols)
	transport.Protocols.SetUnencryptedHTTP2(true)
	const many = 20
	one.run(many, 200*time.Millisecond)
	two.run(many, 200*time.Millisecond)
	all := func(side string) {
		t.Helper()
		for _, c := range []*clients{one, two} {
			c.round(many)
			n, of, _ := c.look()
			if side == "candidate" && n != of || side == "baseline" && n != 0 {
				t.Errorf("%d of %d users are with the candidate, not all with the %s", n, of, side)
			}
		}
	}
	all("candidate")
	// Close waits for what is under way.
	address, handler := s.candidate.Listener.Addr().String(), s.candidate.Config.Handler
	s.candidate.Close()
	all("baseline")
	again := httptest.NewUnstartedServer(handler)
	again.Listener.Close()
	var err error
	if again.Listener, err = net.Listen("tcp", address); err != nil {
		t.Fatal(err)
	}
	again.Start()
	defer again.Close()
	all("candidate")
	one.stop()
	two.stop()
	for name, c := range map[string]*clients{"HTTP/1.1": one, "HTTP/2": two} {
		if len(c.faults) > 0 {
			t.Errorf("%s: %d faults of %d requests, the first: %s", name, len(c.faults), c.count.Load(), c.faults[0])
		}
	}
	doubled := 0
	for _, n := range s.effects {
		if n != 1 {
			doubled++
		}
	}
	fallbacks := g.metric("understudy_gateway_fallbacks_total")
	if doubled > 0 || fallbacks == 0 {
		t.Errorf("%d effects are there too often, %v fallbacks", doubled, fallbacks)
	}
	t.Logf("%d requests, %v of them went to the baseline because the candidate was not there, %d client errors, %d doubled effects",
		one.count.Load()+two.count.Load(), fallbacks, len(one.faults)+len(two.faults), doubled)
	g.stop()
}
