package target

import (
	"cmp"

	"understudy.dev/exchange/operation"
	"understudy.dev/exchange/route"
)

// policies are those of all routes that have none of their own, and of Routes,
// in their order with the patterns that choose them.
func (cfg Config) policies() (all []Completion, routes []route.Pattern, err error) {
	base := cfg.Completion.whole()
	all = []Completion{base}
	for _, r := range cfg.Routes {
		p, err := route.ParsePattern(r.Route)
		if err != nil {
			return nil, nil, err
		}
		all, routes = append(all, r.over(base)), append(routes, p)
	}
	return all, routes, nil
}

// Policies are those of Routes, in their order, with what they inherit; nil if a
// route is no pattern.
func (cfg Config) Policies() []Completion {
	all, _, err := cfg.policies()
	if err != nil {
		return nil
	}
	return all[1:]
}

// policy gives the completion policy of a route.
func (c *Client) policy(name string) *Completion {
	for i, p := range c.routes {
		if p.Match(name) {
			return &c.policies[1+i]
		}
	}
	return &c.policies[0]
}

// whole is a policy that inherits nothing, with what its preset says.
func (c Completion) whole() Completion {
	known := presets[c.Preset]
	if known == nil {
		return c
	}
	if c.Channel == ChannelAuto {
		c.Channel = ""
	}
	return c.fill(*known)
}

// over fills what c leaves out from base. With a preset it has a protocol of its
// own, and inherits none.
func (c Completion) over(base Completion) Completion {
	if known := presets[c.Preset]; known != nil {
		c = c.fill(*known)
		base.Conventions, base.Topic, base.Stream, base.Callback, base.Cancel = operation.Conventions{}, Topic{Reply: base.Topic.Reply, Request: base.Topic.Request}, Stream{}, Callback{}, Cancel{}
	}
	return c.fill(base)
}

func (c Completion) fill(base Completion) Completion {
	c.Channel, c.Timeout, c.Deadline = cmp.Or(c.Channel, base.Channel), cmp.Or(c.Timeout, base.Timeout), cmp.Or(c.Deadline, base.Deadline)
	c.PollInterval, c.PollMax, c.PollBackoff = cmp.Or(c.PollInterval, base.PollInterval), cmp.Or(c.PollMax, base.PollMax), cmp.Or(c.PollBackoff, base.PollBackoff)
	if c.Linger == nil {
		c.Linger = base.Linger
	}
	c.Conventions = c.Conventions.Over(base.Conventions)
	c.CallbackHeader, c.CallbackQuery = cmp.Or(c.CallbackHeader, base.CallbackHeader), cmp.Or(c.CallbackQuery, base.CallbackQuery)
	c.CallbackPointer = cmp.Or(c.CallbackPointer, base.CallbackPointer)
	cb, own := &c.Callback, base.Callback
	if !cb.Success.Given() && !cb.Failure.Given() && !cb.Progress.Given() && !cb.Correlate.Given() {
		cb.Success, cb.Failure, cb.Progress, cb.Correlate = own.Success, own.Failure, own.Progress, own.Correlate
	}
	if cb.Methods == nil {
		cb.Methods = own.Methods
	}
	cb.Signature = cmp.Or(cb.Signature, own.Signature)
	t := &c.Topic
	t.Reply, t.ReplyTo, t.Request = cmp.Or(t.Reply, base.Topic.Reply), cmp.Or(t.ReplyTo, base.Topic.ReplyTo), cmp.Or(t.Request, base.Topic.Request)
	t.Correlate = cmp.Or(t.Correlate, base.Topic.Correlate)
	if !c.Stream.given() {
		c.Stream = base.Stream
	}
	c.Cancel = cmp.Or(c.Cancel, base.Cancel)
	c.Unordered = c.Unordered || base.Unordered
	return c
}
