// Package proxy forwards requests to an upstream as they came in.
//
// A Server is a reverse proxy for HTTP/1.1 on package wire: heads pass as they
// came, bodies in both directions at once. What it changes is listed in
// docs/record.md. HTTP/2 is left to NewUpstream and net/http.
//
// NewUpstream is a reverse proxy that changes as little as net/http lets it:
// the request target byte for byte, header values with their duplicates, what a
// load balancer in front added about the client, trailers in both directions,
// 1xx responses, Expect: 100-continue, upgrades with the bytes sent early, and
// flushes at the points where the upstream paused. A request is sent once; see
// upstream.go for the one exception net/http makes.
//
// net/http does not keep the order of different header names, the case of names
// on HTTP/1.1, a 304's Content-Type and Content-Length, or the absence of
// Content-Length on a POST, PUT or PATCH without a body (it becomes 0).
package proxy
