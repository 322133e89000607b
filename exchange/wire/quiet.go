package wire

import (
	"crypto/tls"
	"errors"
	"net"
	"time"
)

// IsQuiet reports whether nothing has come on an idle connection since the last
// answer, no end of it either: what has come is the answer to nothing that was
// asked. p is the connection's probe. What TLS has taken from the socket counts
// too. Afterwards reading has no deadline.
func IsQuiet(c net.Conn, p *Probe) bool {
	if p != nil && !p.Quiet() {
		return false
	}
	over, ok := c.(*tls.Conn)
	if !ok {
		return true
	}
	var one [1]byte
	_ = over.SetReadDeadline(time.Unix(1, 0)) // nothing is waited for
	_, err := over.Read(one[:])
	_ = over.SetReadDeadline(time.Time{})
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
}
