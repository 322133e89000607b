package replayer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/operation"
	"understudy.dev/exchange/target"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/setting"
)

// Isolation says what a run may touch.
type Isolation struct {
	// Isolated says that the candidate has no effect outside the rehearsal. Without
	// it only requests with safe methods are sent, wherever the candidate is.
	Isolated bool `yaml:"isolated"`
	// Allow are the only places to which connections are made, those of the
	// candidate, its status monitors and the control: a host, *.host for all below
	// it, an address or a network (10.1.0.0/16), each with a port or without. Empty
	// allows all. Kafka is not among them.
	Allow []string `yaml:"allow"`
	// OntoBaseline lets a run go on whose candidate is, as far as it shows, the
	// system that was recorded, or leads to it.
	OntoBaseline bool `yaml:"onto_baseline"`
	// Mark is the header field that carries the name of the run on each request to
	// the candidate, by which a recorder knows it for no user's; off sends none.
	// Default Understudy-Run.
	Mark string `yaml:"mark"`
	// KillFile is the file of the kill switch: while it is there, nothing is sent. A
	// run that is under way is cut off and ends as canceled. Empty is no switch.
	KillFile string `yaml:"kill_file"`
}

// markOff is the Mark of requests that are not marked.
const markOff = "off"

func defaultIsolation() Isolation { return Isolation{Mark: message.RunMark} }

// problems are the mistakes in it.
func (i Isolation) problems() error {
	var ps setting.Problems
	for n, place := range i.Allow {
		if _, err := target.ParseAllowed([]string{place}); err != nil {
			ps.Under(setting.Index("allow", n), err)
		}
	}
	ps.Require(message.IsToken(i.Mark), "mark", i.Mark, "is not the name of a field; off sends none")
	for _, of := range append(message.HopByHop(), "Host", "Content-Length", message.ControlMark, message.HopMark) {
		ps.Require(!strings.EqualFold(i.Mark, of), "mark", i.Mark, "is a field with another meaning")
	}
	return ps.Err()
}

// mark is the field that marks requests to the candidate, "" for none.
func (i Isolation) mark() string {
	if i.Mark == markOff {
		return ""
	}
	return http.CanonicalHeaderKey(i.Mark)
}

// Refusal is why a run does not begin, or ends: it would touch what it must not.
type Refusal struct{ text string }

// Error implements error.
func (r *Refusal) Error() string { return r.text }

// Preflight says why a run of this configuration must not begin: a *Refusal.
// baselines are the URLs of the systems that recorders have recorded. Hosts are
// looked up, and nothing is connected to. What it finds holds for now; the run
// itself watches it, too.
func (cfg Config) Preflight(ctx context.Context, baselines []string) error {
	if k := cfg.killSwitch(nil); k != nil && k.On() {
		return &Refusal{fmt.Sprintf("the kill switch %s is on: nothing is sent", cfg.KillFile)}
	}
	allow, err := target.ParseAllowed(cfg.Allow)
	if err != nil {
		return err
	}
	candidate, err := target.Check(ctx, cfg.Candidate, allow)
	if errors.Is(err, operation.ErrForeign) {
		return &Refusal{"candidate: " + err.Error()}
	}
	if cfg.Control.On() {
		if _, err := target.Check(ctx, cfg.Control.URL, allow); errors.Is(err, operation.ErrForeign) {
			return &Refusal{"control: " + err.Error()}
		}
	}
	if cfg.OntoBaseline {
		return nil
	}
	for _, baseline := range baselines {
		// One that cannot be looked up from here is compared by its name.
		addresses, _ := target.Check(ctx, baseline, nil)
		if isSame := slices.ContainsFunc(addresses, func(a netip.AddrPort) bool { return slices.Contains(candidate, a) }); isSame || sameHost(baseline, cfg.Candidate) {
			return ontoBaseline(cfg.Candidate, "a recorder has recorded "+baseline)
		}
	}
	return nil
}

func ontoBaseline(candidate, because string) *Refusal {
	return &Refusal{fmt.Sprintf("the candidate %s is the recorded baseline, as far as it shows: %s; a replay would act on it again. If it is another system by now, or is meant, --onto-baseline replays onto it", candidate, because)}
}

// baseline knows requests that were recorded at the candidate's own address.
type baseline struct {
	candidate string
	hosts     map[string]bool // "host:port"
	// unported is whether one without a port may be the candidate.
	unported map[string]bool
}

// newBaseline knows the candidate by its URL and its addresses.
func newBaseline(candidate string, addresses []netip.AddrPort) *baseline {
	b := &baseline{candidate: candidate, hosts: map[string]bool{}, unported: map[string]bool{}}
	host, port := hostOf(candidate)
	names := []string{host}
	if isLoopback(host) {
		names = append(names, "localhost", "127.0.0.1", "::1")
	}
	for _, a := range addresses {
		names = append(names, a.Addr().String())
	}
	for _, name := range names {
		b.hosts[net.JoinHostPort(name, port)] = true
		// A proxy may have ended TLS before the recorder, so either port will do.
		b.unported[name] = port == "80" || port == "443"
	}
	return b
}

// recorded says whether a request was recorded at the candidate's address.
func (b *baseline) recorded(q *understudyv1.Request) bool {
	authority := strings.ToLower(q.GetAuthority())
	if authority == "" {
		return false
	}
	if b.hosts[authority] || b.unported[strings.Trim(authority, "[]")] {
		return true
	}
	host, port, err := net.SplitHostPort(authority)
	return err == nil && (port == "80" || port == "443") && b.unported[host]
}

// start begins with the candidate; stop ends it. It refuses what Preflight would.
func (r *Replayer) start(ctx context.Context) (stop func(), err error) {
	if r.isKilled() {
		return nil, &Refusal{fmt.Sprintf("the kill switch %s is on: nothing is sent", r.cfg.KillFile)}
	}
	if r.controls != nil {
		err = r.controls.direct.Pin(ctx)
	}
	if err == nil {
		stop, err = r.client.Start(ctx)
	}
	if errors.Is(err, operation.ErrForeign) {
		return nil, &Refusal{err.Error()}
	}
	if r.baseline != nil {
		r.baseline = newBaseline(r.cfg.Candidate, r.client.Addresses())
	}
	return stop, err
}

// watchBaseline ends the run if an exchange was recorded at the candidate's own
// address. It is called before the exchange is sent.
func (r *Replayer) watchBaseline(e *understudyv1.Exchange) {
	if r.baseline != nil && r.baseline.recorded(e.GetRequest()) {
		r.failing.stop(ontoBaseline(r.baseline.candidate, fmt.Sprintf("exchange %s was recorded at %q", e.GetId(), e.GetRequest().GetAuthority())))
	}
}

// hostOf is the host and port that a URL leads to, in lower case.
func hostOf(s string) (host, port string) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" {
		return "", ""
	}
	if host, port = strings.ToLower(u.Hostname()), u.Port(); port == "" {
		port = message.DefaultPort(u.Scheme)
	}
	return host, port
}

// sameHost says whether two URLs lead to one host and port, as far as they show.
func sameHost(a, b string) bool {
	hostA, portA := hostOf(a)
	hostB, portB := hostOf(b)
	return hostA != "" && portA == portB && (hostA == hostB || isLoopback(hostA) && isLoopback(hostB))
}
