// Package demo compares two small systems that keep one interface: the order
// service of package baseline, which answers when the work is done, and its
// successor of package candidate, which accepts work and tells the result
// later, and which makes the mistakes of package fault. Package traffic is
// their users.
package demo

import _ "embed"

// Settings is the configuration file of Understudy for this pair of systems:
// how the candidate tells the end of what it accepted, and by when.
//
//go:embed demo.yaml
var Settings []byte

// Credential is the value of the Authorization header that the demo gives to
// its candidate and, by --header, to the replay. It guards nothing.
const Credential = "Bearer demo-candidate"
