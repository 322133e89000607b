//go:build !linux

package wire

import "net"

// Probe is not there: requests that cannot be repeated get connections of their
// own, and a client that is gone is noticed when it is written to.
type Probe struct{}

// ProbeOf is nil.
func ProbeOf(net.Conn) *Probe { return nil }

// Quiet is false: nothing is known.
func (*Probe) Quiet() bool { return false }

// HungUp is false: nothing is known.
func (*Probe) HungUp() (hung, broken bool) { return false, false }

// Probes says whether the system has probes.
const Probes = false
