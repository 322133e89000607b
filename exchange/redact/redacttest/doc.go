// Package redacttest has secrets in every place and spelling, and values that
// look like some and are none, for whoever must show that no secret passes.
package redacttest
