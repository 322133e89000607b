package main

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// libraryLogEvery is how often one kind of message is let through.
const libraryLogEvery = 10 * time.Second

// libraryLog is the slog.Handler for what net/http says through package log: a line for each bad
// connection and 64 KiB of stack for each panic, as often as a hostile client
// or upstream likes. It lets one of a kind through in libraryLogEvery with the
// number of those it kept back, and cuts a message before what it quotes, which
// is what the other side has sent.
type libraryLog struct {
	slog.Handler
	mu   sync.Mutex
	seen map[string]*libraryMessages
}

type libraryMessages struct {
	last time.Time
	kept int
}

// maxLibraryKinds bounds seen; net/http has some dozens of texts.
const maxLibraryKinds = 100

func newLibraryLog(to *slog.Logger) *libraryLog {
	return &libraryLog{Handler: to.Handler(), seen: map[string]*libraryMessages{}}
}

// Enabled implements slog.Handler; the level is known when the text is.
func (l *libraryLog) Enabled(context.Context, slog.Level) bool { return true }

// Handle implements slog.Handler.
func (l *libraryLog) Handle(ctx context.Context, r slog.Record) error {
	text, level := r.Message, slog.LevelWarn
	if strings.Contains(text, "panic serving") {
		level = slog.LevelError // the stack stays: it is of this program
	} else {
		text, _, _ = strings.Cut(text, `"`)
		text = strings.TrimSpace(text)
	}
	kind := firstWords(text, 3)
	l.mu.Lock()
	m := l.seen[kind]
	if m == nil && len(l.seen) >= maxLibraryKinds {
		kind = ""
		m = l.seen[kind]
	}
	if m == nil {
		m = new(libraryMessages)
		l.seen[kind] = m
	}
	now := time.Now()
	if !m.last.IsZero() && now.Sub(m.last) < libraryLogEvery {
		m.kept++
		l.mu.Unlock()
		return nil
	}
	kept := m.kept
	m.last, m.kept = now, 0
	l.mu.Unlock()
	if !l.Handler.Enabled(ctx, level) {
		return nil
	}
	out := slog.NewRecord(r.Time, level, text, 0)
	out.AddAttrs(slog.Int("alike_since_the_last", kept), slog.Duration("at_most_every", libraryLogEvery))
	return l.Handler.Handle(ctx, out)
}

func firstWords(s string, n int) string {
	end := 0
	for range n {
		i := strings.IndexByte(s[end:], ' ')
		if i < 0 {
			return s
		}
		end += i + 1
	}
	return s[:end]
}
