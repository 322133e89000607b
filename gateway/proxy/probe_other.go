//go:build !linux

package proxy

import "net"

// probe is not there: requests that cannot be repeated get connections of their
// own, and a client that is gone is noticed when it is written to.
type probe struct{}

func probeOf(net.Conn) *probe { return nil }

func (*probe) quiet() bool                 { return false }
func (*probe) hungUp() (hung, broken bool) { return false, false }
