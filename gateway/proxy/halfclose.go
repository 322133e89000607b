package proxy

import (
	"context"
	"errors"
	"time"
)

// follow makes c.ctx, under which the request is sent, from the client's. On
// HTTP/1 net/http cancels the latter as soon as the client has closed its
// sending side, and cannot tell a client that waits for its answer from one
// that has gone: both have sent a FIN. So the request goes on, and with it the
// answer for as long as writes to the client succeed, which they do once or
// twice towards one that has gone; when none did for HalfCloseTimeout, the
// request is cancelled. An HTTP/2 client resets its stream, which is
// unmistakable, as is a cause that whoever runs the server has given.
func (c *call) follow(limit time.Duration) (stop func()) {
	client := c.in.Context()
	if c.in.ProtoMajor != 1 || limit == 0 {
		c.ctx = client
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(client))
	c.ctx, c.patience = ctx, limit
	ended := context.AfterFunc(client, func() {
		if !errors.Is(context.Cause(client), context.Canceled) {
			cancel()
			return
		}
		c.goodbye.Store(time.AfterFunc(limit, cancel))
	})
	return func() {
		ended()
		c.keep()
		cancel()
	}
}

// reached is called after bytes have gone to the client.
func (c *call) reached() {
	if t := c.goodbye.Load(); t != nil {
		t.Reset(c.patience)
	}
}

// keep ends the wait for the client to be gone.
func (c *call) keep() {
	if t := c.goodbye.Load(); t != nil {
		t.Stop()
	}
}
