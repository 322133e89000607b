// Package demo compares two small systems that keep one interface: the order
// service of package baseline, which answers when the work is done, and its
// successor of package candidate, which accepts work and tells the result
// later, and which makes the mistakes of package fault. Package traffic is
// their users.
package demo
