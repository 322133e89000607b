// Package access says who may do what at the admin listener: by a bearer token, by
// a client certificate, or, where neither is configured, because they are on this
// machine. No web page can use it: not by a form, not from another origin, and not
// under a name of its own that leads here.
package access

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"understudy.dev/exchange/certificate"
	"understudy.dev/setting"
)

// Role is what somebody may do; a higher one may do all that a lower one may.
type Role int

// Roles.
const (
	Nobody Role = iota
	// View may look at metrics and states.
	View
	// Operate may turn kill switches and take profiles.
	Operate
)

// refusedLog is how often refusals are logged; all are counted.
const refusedLog = time.Second

// Guard stands before the handlers of one admin listener.
type Guard struct {
	cfg           Config
	view, operate *tokens // nil: no file
	tls           *tls.Config
	log           *slog.Logger
	refused       *prometheus.CounterVec
	operations    prometheus.Counter
	said          atomic.Int64 // when a refusal was logged last, Unix nanoseconds
}

// New reads the files that the configuration names; its error says which one
// cannot be used.
func New(cfg Config, log *slog.Logger, reg prometheus.Registerer) (*Guard, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	g := &Guard{
		cfg: cfg, log: log,
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "understudy_admin_refused_total", Help: "Requests that the admin listener refused: a web page's, under a foreign name, from another machine, without or with a bad token or certificate, or of a role that is not enough.",
		}, []string{"reason"}),
		operations: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "understudy_admin_operations_total", Help: "Requests of the admin listener that needed the role operate and had it.",
		}),
	}
	var err error
	if g.view, err = openTokens(cfg.ViewTokenFile, "view", log); err != nil {
		return nil, setting.Problems{{Path: "view_token_file", Fault: err.Error()}}
	}
	if g.operate, err = openTokens(cfg.OperateTokenFile, "operate", log); err != nil {
		return nil, setting.Problems{{Path: "operate_token_file", Fault: err.Error()}}
	}
	if cfg.CertFile != "" {
		if g.tls, err = (certificate.Files{CA: cfg.ClientCAFile, Cert: cfg.CertFile, Key: cfg.KeyFile}).Server(); err != nil {
			return nil, setting.Problems{{Path: "cert_file", Fault: err.Error()}}
		}
		g.tls.NextProtos = []string{"h2", "http/1.1"}
	}
	if err := errors.Join(reg.Register(g.refused), reg.Register(g.operations)); err != nil {
		return nil, fmt.Errorf("register admin metrics: %w", err)
	}
	for _, reason := range []string{"page", "host", "elsewhere", "no_credentials", "token", "certificate", "role"} {
		g.refused.WithLabelValues(reason)
	}
	return g, nil
}

// TLS is how the listener speaks it; nil is plain TCP.
func (g *Guard) TLS() *tls.Config { return g.tls }

// Require lets those through who have the role, under a name of this machine's
// own. What a handler behind it learns of them is Who.
func (g *Guard) Require(role Role, h http.Handler) http.Handler {
	return g.guard(role, false, h)
}

// RequireAnyHost is Require under any name: what is behind it has nothing that a
// page could use and is asked under names of services. Where nobody has to show
// who they are it is open to all.
func (g *Guard) RequireAnyHost(role Role, h http.Handler) http.Handler {
	if !g.cfg.Given() {
		return h
	}
	return g.guard(role, true, h)
}

func (g *Guard) guard(need Role, anyHost bool, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, role, no := g.judge(r, anyHost)
		if no == nil && role < need {
			no = &refusal{http.StatusForbidden, "role", "this role may look, but not do that"}
		}
		if no != nil {
			g.refuse(w, r, no)
			return
		}
		if need >= Operate {
			g.operations.Inc()
			g.log.Info("admin operation", "who", who, "method", short(r.Method), "path", short(r.URL.Path), "from", short(r.RemoteAddr))
		}
		h.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), whoKey{}, who)))
	})
}

type whoKey struct{}

// Who is who sent a request that a Guard has let through, for people: the name of
// a token, of a certificate, or that somebody on this machine did.
func Who(r *http.Request) string {
	who, _ := r.Context().Value(whoKey{}).(string)
	return who
}

// refusal is why not; text never holds what was shown.
type refusal struct {
	status       int
	reason, text string
}

func (g *Guard) judge(r *http.Request, anyHost bool) (who string, role Role, no *refusal) {
	switch {
	case fromPage(r):
		return "", Nobody, &refusal{http.StatusForbidden, "page", "web pages of other origins may not use this"}
	case !anyHost && !setting.IsOwnName(r.Host) && !slices.Contains(g.cfg.Hosts, setting.HostName(r.Host)):
		return "", Nobody, &refusal{http.StatusForbidden, "host", "shown under localhost, an address, or a name of admin_access.hosts only"}
	case !g.cfg.Given():
		if !onThisMachine(r) {
			return "", Nobody, &refusal{http.StatusForbidden, "elsewhere", "from this machine only, under a local name, unless there are tokens (admin_access.operate_token_file)"}
		}
		return "somebody on this machine", Operate, nil
	case r.Header.Get("Authorization") != "":
		return g.byToken(r)
	case r.TLS != nil && len(r.TLS.VerifiedChains) > 0:
		return g.byCertificate(r)
	}
	return "", Nobody, &refusal{http.StatusUnauthorized, "no_credentials", "show a bearer token, or a client certificate"}
}

func (g *Guard) byToken(r *http.Request) (who string, role Role, no *refusal) {
	bad := &refusal{http.StatusUnauthorized, "token", "the token is not one of those that are known"}
	all := r.Header.Values("Authorization")
	scheme, token, ok := strings.Cut(all[0], " ")
	if !ok || len(all) > 1 || !strings.EqualFold(scheme, "Bearer") {
		return "", Nobody, bad
	}
	token = strings.TrimSpace(token)
	if name, ok := g.operate.find(token); ok {
		return name, Operate, nil
	}
	if name, ok := g.view.find(token); ok {
		return name, View, nil
	}
	return "", Nobody, bad
}

func (g *Guard) byCertificate(r *http.Request) (who string, role Role, no *refusal) {
	subject := r.TLS.VerifiedChains[0][0].Subject
	names := append([]string{subject.CommonName}, subject.OrganizationalUnit...)
	has := func(allowed []string) bool {
		return slices.ContainsFunc(names, func(name string) bool { return name != "" && slices.Contains(allowed, name) })
	}
	switch who = short(subject.String()); {
	case has(g.cfg.Operate):
		return who, Operate, nil
	case has(g.cfg.View):
		return who, View, nil
	}
	return "", Nobody, &refusal{http.StatusForbidden, "certificate", "no name in the client certificate has a role here"}
}

func (g *Guard) refuse(w http.ResponseWriter, r *http.Request, no *refusal) {
	g.refused.WithLabelValues(no.reason).Inc()
	now := time.Now().UnixNano()
	if last := g.said.Load(); now-last >= int64(refusedLog) && g.said.CompareAndSwap(last, now) {
		g.log.Warn("the admin listener refused a request", "reason", no.reason, "method", short(r.Method), "path", short(r.URL.Path), "from", short(r.RemoteAddr), "at_most_every", refusedLog)
	}
	if no.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="understudy"`)
	}
	http.Error(w, no.text, no.status)
}

// fromPage says whether a browser sends it for a page of another origin. A page
// under a name that was pointed here says that it is of the same one: Host tells
// these.
func fromPage(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "none", "same-origin":
	default:
		return true
	}
	for _, origin := range r.Header.Values("Origin") {
		if u, err := url.Parse(origin); err != nil || u.Host != r.Host {
			return true
		}
	}
	return false
}

// onThisMachine says whether a client is on this machine, as far as can be seen,
// and speaks to it under a local name: what a proxy on it has passed on is not.
func onThisMachine(r *http.Request) bool {
	a, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !a.Addr().Unmap().IsLoopback() {
		return false
	}
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "Via"} {
		if len(r.Header.Values(name)) > 0 {
			return false
		}
	}
	host := setting.HostName(r.Host)
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// short bounds and quotes what a client chose, for a log.
func short(text string) string {
	return fmt.Sprintf("%.100q", text[:min(len(text), 400)])
}
