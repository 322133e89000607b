// Package streamtest holds the tests of package stream that need a broker, so
// that the same tests run against the broker in one process and against a real
// one.
package streamtest
