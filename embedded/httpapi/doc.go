// Package httpapi serves ClickHouse's HTTP interface over an engine in this
// process, so that curl, Grafana and HTTP drivers need not know the
// difference. Source: ClickHouse documentation, "HTTP Interface".
//
// There are no users: a client that reaches the listener may do anything, so it
// belongs on the loopback address.
package httpapi
