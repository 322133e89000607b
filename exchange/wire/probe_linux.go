package wire

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// Probe looks at a connection without reading from it. It has one user at a time.
type Probe struct {
	raw    syscall.RawConn
	look   func(fd uintptr)
	ask    [1]unix.PollFd
	events int16
}

// ProbeOf is that of a connection, over TLS too; nil where the system has none.
func ProbeOf(c net.Conn) *Probe {
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
	p := &Probe{raw: raw}
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

func (p *Probe) poll(events int16) int16 {
	p.events = events
	if p.raw.Control(p.look) != nil {
		return unix.POLLERR
	}
	return p.ask[0].Revents
}

// Quiet reports whether nothing has come, no end of the connection either.
func (p *Probe) Quiet() bool { return p.poll(unix.POLLIN|unix.POLLRDHUP) == 0 }

// HungUp reports whether the other side sends no more, and whether the
// connection is broken.
func (p *Probe) HungUp() (hung, broken bool) {
	got := p.poll(unix.POLLRDHUP)
	return got&(unix.POLLRDHUP|unix.POLLHUP|unix.POLLERR) != 0, got&unix.POLLERR != 0
}

// Probes says whether the system has probes.
const Probes = true
