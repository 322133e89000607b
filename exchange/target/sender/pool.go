package sender

import (
	"cmp"
	"crypto/tls"
	"net"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"understudy.dev/exchange/message"

	"understudy.dev/exchange/wire"
)

// origin is one server: its idle connections, and what is known of when it
// closes them.
//
// A request that is sent when its connection is just being closed ends in a
// reset, and nothing says whether the server has acted on it. So a connection is
// looked at before it is used; that leaves the time that a close needs on its
// way. A server closes just after an answer, or after some time without a
// request. Until a connection was seen to stay open, only those are used that have
// been idle for some time; once one was found closed, none that has been idle for
// half as long, for a while.
type origin struct {
	engine  *engine
	address string      // host:port
	tls     *tls.Config // nil: cleartext
	isHTTP2 atomic.Bool

	mu      sync.Mutex
	idle    map[string][]*conn // by session, the one that was used last at the end
	trusted bool
	warned  time.Time     // until then it is not
	limit   time.Duration // of idleness
	short   time.Duration // likewise, as long as it is not trusted; 0 is none
}

const (
	// settled is how long a connection is idle before it is taken to be one that
	// the server keeps open after an answer.
	settled = 20 * time.Millisecond
	// warning is how long a close is remembered.
	warning = 10 * time.Second
)

func (e *engine) newOrigin(u *url.URL) *origin {
	o := &origin{engine: e, address: Address(u), idle: map[string][]*conn{}, limit: maxIdle}
	if u.Scheme == "https" {
		o.tls = e.cfg.secure(o.address)
	}
	return o
}

// Address is the host:port of a URL.
func Address(u *url.URL) string {
	return net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), message.DefaultPort(u.Scheme)))
}

// take gives an idle connection that may be used, nil if there is none.
func (o *origin) take(session string) *conn {
	for {
		now := time.Now()
		c := o.pick(session, now)
		if c == nil {
			return nil
		}
		age := now.Sub(c.since)
		if wire.IsQuiet(c.Conn, c.probe) {
			if age >= settled {
				o.stays(now)
			}
			c.lend()
			return c
		}
		o.closed(now, age)
		c.Close()
	}
}

// pick takes one out of the idle ones: the one that was used last, if that may
// be used, else the one that has been idle longest.
func (o *origin) pick(session string, now time.Time) *conn {
	o.mu.Lock()
	defer o.mu.Unlock()
	for {
		list := o.idle[session]
		if len(list) == 0 {
			return nil
		}
		at := len(list) - 1
		if !o.trusted && list[at].probe != nil && now.Sub(list[at].since) < settled {
			if at = 0; now.Sub(list[0].since) < settled {
				return nil
			}
		}
		c := list[at]
		o.keepLocked(session, slices.Delete(list, at, at+1))
		o.engine.idle.Add(-1)
		limit := o.limit
		if !o.trusted && o.short > 0 {
			limit = min(limit, o.short)
		}
		if now.Sub(c.since) <= limit {
			return c
		}
		c.Close()
	}
}

func (o *origin) keepLocked(session string, list []*conn) {
	if len(list) == 0 && session != "" {
		delete(o.idle, session)
		return
	}
	o.idle[session] = list
}

// stays notes that the server keeps connections open.
func (o *origin) stays(now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !now.Before(o.warned) {
		o.trusted, o.short = true, 0
	}
}

// closed notes that the server has closed a connection that was idle so long.
func (o *origin) closed(now time.Time, age time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.short == 0 || age/2 < o.short {
		o.short = max(age/2, settled)
	}
	o.trusted, o.warned = false, now.Add(warning)
}

// put takes back a connection on which nothing is left.
func (o *origin) put(session string, c *conn) {
	c.unlend()
	if o.engine.idle.Add(1) > int64(o.engine.cfg.Connections) || o.engine.closed.Load() {
		o.engine.idle.Add(-1)
		c.Close()
		return
	}
	c.since = time.Now()
	o.mu.Lock()
	o.idle[session] = append(o.idle[session], c)
	o.mu.Unlock()
	o.engine.sweepLater()
}

// announced takes the field Keep-Alive of an answer, in which a server may say
// after how many seconds it closes an idle connection.
func (o *origin) announced(value []byte) {
	for element := range message.Elements([]string{string(value)}) {
		var seconds int
		var err error
		if rest, ok := cutFold(element, "timeout="); !ok {
			continue
		} else if seconds, err = strconv.Atoi(rest); err != nil || seconds < 0 {
			continue
		}
		o.mu.Lock()
		o.limit = min(maxIdle, time.Duration(min(seconds, 60))*time.Second/2)
		o.mu.Unlock()
	}
}

// sweep closes what has been idle for too long, or everything, and says whether
// anything is left.
func (o *origin) sweep(before time.Time) (left bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for session, list := range o.idle {
		n := 0
		for n < len(list) && list[n].since.Before(before) {
			list[n].Close()
			n++
		}
		o.engine.idle.Add(-int64(n))
		o.keepLocked(session, slices.Delete(list, 0, n))
		left = left || n < len(list)
	}
	return left
}
