// Package message holds what Understudy knows about HTTP messages, so that
// recorder, gateway, replayer and comparator read them alike: how a field, a
// list or a query is read, which fields are about one connection only, which
// methods are safe, which content codings and media types are understood, and
// what kind of failure an error of net/http is.
package message
