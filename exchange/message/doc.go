// Package message holds what is known about HTTP messages, so that recorder,
// gateway, replayer and comparator read them alike: how a field is looked up,
// which fields belong to one connection only, which methods are safe, which
// content codings and media types are understood, and what kind of failure an
// error of net/http is.
package message
