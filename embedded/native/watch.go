package native

import (
	"context"
	"errors"
	"os"
	"sync"
)

// A watch looks for the client's Cancel, or its leaving, while a statement
// runs. Only then is the connection read from two goroutines, one at a time.
type watch struct {
	c      *connection
	cancel context.CancelCauseFunc
	done   chan struct{}

	mu     sync.Mutex
	busy   bool  // a block is on its way, and is to be ended first
	reason error // why the statement must end
}

// errGone ends a statement whose client has left.
var errGone = &clientError{errors.New("the client left during a query")}

// newWatch returns a context that ends when the client cancels or leaves. The
// watch must be stopped before the connection is read again.
func newWatch(ctx context.Context, c *connection) (context.Context, *watch) {
	ctx, cancel := context.WithCancelCause(ctx)
	w := &watch{c: c, cancel: cancel, done: make(chan struct{})}
	go w.run()
	return ctx, w
}

func (w *watch) run() {
	defer close(w.done)
	for {
		b, err := w.c.in.Peek(1)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			if w.c.source.stopped.Load() || w.c.source.halted.Load() {
				return
			}
			continue // a client may wait for as long as its query takes
		case err != nil:
			w.end(errGone)
			return
		case b[0] == clientCancel:
			_, _ = w.c.in.Next(1) // it was shown
			w.c.in.Drop()
			w.end(errCancelled)
			return
		default:
			return // the next request of a hasty client: it is served in turn
		}
	}
}

func (w *watch) end(reason error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reason = reason
	if !w.busy || errors.Is(reason, errGone) {
		w.cancel(reason)
	}
}

// begin marks that a block is on its way, unless the client has cancelled or
// left.
func (w *watch) begin() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.busy = true
	return w.reason
}

// pause says that a block has ended.
func (w *watch) pause() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.busy = false
	if w.reason != nil {
		w.cancel(w.reason)
	}
	return w.reason
}

// why returns the client's reason for the end of a statement, or err.
func (w *watch) why(err error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil && w.reason != nil {
		return w.reason
	}
	return err
}

// stop ends the watch and the context.
func (w *watch) stop() {
	w.c.source.stop()
	<-w.done
	w.c.source.resume()
	w.cancel(nil)
}
