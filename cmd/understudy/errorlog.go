package main

import (
	"context"
	"log"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// libraryLogEvery is how often one kind of message is let through.
const libraryLogEvery = 10 * time.Second

// libraryLog takes what net/http says through package log: a line for each bad
// connection and 64 KiB of stack for each panic, as often as a hostile client
// or upstream likes. It lets one of a kind through in libraryLogEvery with the
// number of those it kept back, and cuts a message before what it quotes, which
// is what the other side has sent.
type libraryLog struct {
	log  *slog.Logger
	mu   sync.Mutex
	seen map[string]*libraryMessages
}

type libraryMessages struct {
	last time.Time
	kept int
}

// maxLibraryKinds bounds seen; net/http has some dozens of texts.
const maxLibraryKinds = 100

func newLibraryLog(to *slog.Logger) *log.Logger {
	return log.New(&libraryLog{log: to, seen: map[string]*libraryMessages{}}, "", 0)
}

// Write implements io.Writer for package log, which calls it once for a
// message.
func (l *libraryLog) Write(p []byte) (int, error) {
	text := strings.TrimSuffix(string(p), "\n")
	level := slog.LevelWarn
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
		return len(p), nil
	}
	kept := m.kept
	m.last, m.kept = now, 0
	l.mu.Unlock()
	l.log.Log(context.Background(), level, text, "alike_since_the_last", kept, "at_most_every", libraryLogEvery)
	return len(p), nil
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
