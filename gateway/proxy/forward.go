package proxy

import (
	"bytes"
	"net"
	"strings"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/trace"
	"understudy.dev/exchange/wire"
)

// lines writes the lines of a head. Those that follow each other go in one copy.
type lines struct {
	dst  []byte
	head *wire.Head
	from int // the first line that is not written yet
}

// upTo writes the lines before i and leaves i out.
func (l *lines) upTo(i int) {
	switch {
	case l.from >= i:
	case !l.head.Loose():
		l.dst = append(l.dst, l.head.Lines(l.from, i)...)
	default:
		for ; l.from < i; l.from++ {
			l.dst = append(append(l.dst, bytes.TrimRight(l.head.Line(l.from), "\r\n")...), "\r\n"...)
		}
	}
	l.from = i + 1
}

// instead writes another value under the name of line i.
func (l *lines) instead(i int, value []byte) {
	l.upTo(i)
	l.dst = append(append(l.dst, l.head.Name(i)...), ": "...)
	l.dst = append(append(l.dst, value...), "\r\n"...)
}

// appendRequest writes the head of a request for the upstream: as it came, but
// for the fields that are about the client's connection and what the
// configuration changes.
func (c *conn) appendRequest(dst []byte, target, authority []byte, own bool) []byte {
	r, cfg, asked := &c.req, &c.to.up.cfg, authority
	switch cfg.Host {
	case "":
	case HostUpstream:
		authority, own = []byte(c.to.up.url.Host), true
	default:
		authority, own = []byte(cfg.Host), true
	}
	dst = append(append(dst, r.Method...), ' ')
	dst = append(append(dst, target...), " HTTP/1."...)
	dst = append(dst, byte('0'+r.Minor), '\r', '\n')
	l := lines{dst: dst, head: &r.Head}
	hosts, coding, protocols := 0, false, upgradeTo(r)
	appending := cfg.Forwarded == ForwardedAppend
	var before []string // X-Forwarded-For
	var host, proto bool
	traced := false
	for i := range r.Len() {
		switch k := r.Kind(i); {
		case c.leg != nil && bytes.EqualFold(r.Name(i), []byte(trace.Header)):
			if traced {
				l.upTo(i)
			} else {
				l.instead(i, []byte(c.leg.Parent()))
			}
			traced = true
		case c.leg != nil && c.leg.NewTrace && bytes.EqualFold(r.Name(i), []byte(trace.StateHeader)):
			l.upTo(i)
		case k == wire.Host:
			if hosts++; own {
				l.instead(i, authority)
			}
		case k == wire.TE && !coding && r.Has(wire.TE, "trailers"):
			coding = true
			l.instead(i, []byte("trailers"))
		case k.HopByHop():
			l.upTo(i)
		case k == wire.ForwardedFor && appending:
			before = append(before, string(r.Value(i)))
			l.upTo(i)
		case k == wire.ForwardedHost:
			host = true
		case k == wire.ForwardedProto:
			proto = true
		}
	}
	l.upTo(r.Len())
	dst = l.dst
	add := func(name, value string) {
		dst = append(append(append(append(dst, name...), ": "...), value...), "\r\n"...)
	}
	if c.leg != nil && !traced {
		add(trace.Header, c.leg.Parent())
	}
	if mark := &c.s.serving.Mark; mark.Name != "" {
		add(mark.Name, mark.Value)
	}
	if hosts == 0 && own {
		add("Host", string(authority))
	}
	if protocols != "" {
		add("Connection", "Upgrade")
		add("Upgrade", protocols)
	}
	if appending {
		if client, _, err := net.SplitHostPort(c.remote); err == nil {
			before = append(before, client)
		}
		add("X-Forwarded-For", strings.Join(before, ", "))
		if !host {
			add("X-Forwarded-Host", string(asked))
		}
		if !proto {
			add("X-Forwarded-Proto", map[bool]string{false: "http", true: "https"}[c.secure])
		}
	}
	return append(dst, "\r\n"...)
}

// upgradeTo are the protocols that a client wants to switch to, as sent on; see
// upgradeOf.
func upgradeTo(r *wire.Request) string {
	if !r.Switch {
		return ""
	}
	var lists []string
	for i := range r.Len() {
		if r.Kind(i) == wire.Upgrade {
			lists = append(lists, string(r.Value(i)))
		}
	}
	return strings.Join(withoutHTTP2(lists), ", ")
}

// appendResponse writes the head of an answer for the client. whole leaves out
// nothing, as for a 101; plain leaves out the framing in chunks.
func appendResponse(dst []byte, r *wire.Response, whole, plain bool, connection string) []byte {
	dst = append(append(dst, r.StatusLine()...), "\r\n"...)
	l := lines{dst: dst, head: &r.Head}
	for i := range r.Len() {
		k := r.Kind(i)
		if k.HopByHop() && !whole || plain && (k == wire.TransferEncoding || k == wire.Trailer) {
			l.upTo(i)
		}
	}
	l.upTo(r.Len())
	dst = l.dst
	if connection != "" {
		dst = append(append(append(dst, "Connection: "...), connection...), "\r\n"...)
	}
	return append(dst, "\r\n"...)
}

// withoutHTTP2 are the protocols of lists of Upgrade that may be sent on.
func withoutHTTP2(lists []string) []string {
	if !message.HasToken(lists, "h2c") && !message.HasToken(lists, "h2") {
		return lists
	}
	var others []string
	for protocol := range message.Elements(lists) {
		if !strings.EqualFold(protocol, "h2c") && !strings.EqualFold(protocol, "h2") {
			others = append(others, protocol)
		}
	}
	return others
}
