// Package unaltered sends what real clients of other protocols than plain HTTP/1.1
// send to a baseline, directly and through `understudy record`, and compares what
// both sides see: gRPC, WebSocket, and the frames of HTTP/2 that its conformance
// suite sends.
package unaltered
