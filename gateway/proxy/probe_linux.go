package proxy

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// probe looks at a connection without reading from it.
type probe struct {
	raw    syscall.RawConn
	look   func(fd uintptr)
	ask    [1]unix.PollFd
	events int16
}

func probeOf(c net.Conn) *probe {
	if over, ok := c.(interface{ NetConn() net.Conn }); ok { // TLS
		c = over.NetConn()
	}
	tcp, ok := c.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil
	}
	p := &probe{raw: raw}
	p.look = func(fd uintptr) {
		p.ask[0] = unix.PollFd{Fd: int32(fd), Events: p.events}
		_, err := unix.Poll(p.ask[:], 0)
		for err == unix.EINTR { // by the signals with which Go preempts threads
			_, err = unix.Poll(p.ask[:], 0)
		}
		if err != nil {
			p.ask[0].Revents = unix.POLLERR
		}
	}
	return p
}

func (p *probe) poll(events int16) int16 {
	p.events = events
	if p.raw.Control(p.look) != nil {
		return unix.POLLERR
	}
	return p.ask[0].Revents
}

// quiet reports whether nothing has come, no end of the connection either.
func (p *probe) quiet() bool { return p.poll(unix.POLLIN|unix.POLLRDHUP) == 0 }

// hungUp reports whether the other side sends no more, and whether the
// connection is broken.
func (p *probe) hungUp() (hung, broken bool) {
	got := p.poll(unix.POLLRDHUP)
	return got&(unix.POLLRDHUP|unix.POLLHUP|unix.POLLERR) != 0, got&unix.POLLERR != 0
}
