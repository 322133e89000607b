package engine

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"understudy.dev/embedded/sql"
)

// A killer ends a statement when its context ends. libchdb itself looks at a
// cancellation only between the portions of a result, so a statement that
// works for long without giving one is ended as KILL QUERY does it. The
// engine's own query ids cannot be chosen; a comment in the text is what the
// statement is found by.
type killer struct {
	mark    string        // the comment
	over    chan struct{} // the statement is over
	stopped chan struct{} // the killer is over
	unarm   func() bool
}

// killPause is how long to wait before looking again for a statement that KILL
// QUERY did not find or that has not ended.
const killPause = 100 * time.Millisecond

func (e *Engine) newKiller(ctx context.Context) *killer {
	k := &killer{
		mark: fmt.Sprintf("/* statement %d.%d */", os.Getpid(), e.last.Add(1)),
		over: make(chan struct{}), stopped: make(chan struct{}),
	}
	k.unarm = context.AfterFunc(ctx, func() {
		defer close(k.stopped)
		for {
			// Retry until the statement is over, whatever the outcome.
			_ = e.kill(k.mark)
			select {
			case <-k.over:
				return
			case <-time.After(killPause):
			}
		}
	})
	return k
}

// kill runs on its own connection, outside the bound on statements: they may
// all be busy.
func (e *Engine) kill(mark string) error {
	conn, err := e.connect()
	if err != nil {
		return err
	}
	defer e.lib.closeConn(conn)
	return e.run(conn, "KILL QUERY WHERE "+isMarked(mark)+" ASYNC")
}

// marked puts the comment into a statement: at its end, where it shifts no
// position that a syntax error tells, unless it would be taken for rows there.
func (k *killer) marked(statement string) string {
	if firstWord(statement) == "INSERT" {
		return k.mark + " " + statement
	}
	return statement + "\n" + k.mark
}

// exception reads an error text of the engine, without the comment.
func (k *killer) exception(text string) *Exception {
	return parseException(strings.ReplaceAll(text, k.mark, ""))
}

// stop returns when the killer does nothing any more. It is called once.
func (k *killer) stop() {
	if k.unarm() {
		return
	}
	close(k.over)
	<-k.stopped
}

// firstWord is the first word of a statement in upper case.
func firstWord(statement string) string {
	for t := range sql.Tokens(statement) {
		if t.Kind == sql.Word {
			return strings.ToUpper(t.Text)
		}
	}
	return ""
}
