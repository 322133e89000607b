package main

import (
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// logQueue bounds the log lines that wait for whoever reads standard error, in
// bytes.
const logQueue = 1 << 20

// logFlush bounds the wait for them at the end.
const logFlush = 2 * time.Second

// logWriter writes log lines in the background, because the live path must not
// wait for whoever reads them: a pipe that nobody empties, a terminal that was
// stopped by Ctrl-S or a full disk would stop every request that has something
// to say, and the recording, and the end of the process. What does not fit
// into the queue, or cannot be written, is dropped and counted, and said as
// soon as a line goes through again.
type logWriter struct {
	out     io.Writer
	dropped atomic.Uint64
	// onRecovery is told how many lines were dropped since it was last told.
	onRecovery func(lines uint64)

	mu      sync.Mutex
	change  sync.Cond
	waiting []byte
	lines   uint64 // in waiting
	closed  bool
	idle    chan struct{} // closed when the writer has ended
}

func newLogWriter(out io.Writer, onRecovery func(lines uint64)) *logWriter {
	w := &logWriter{out: out, onRecovery: onRecovery, idle: make(chan struct{})}
	w.change.L = &w.mu
	go w.run()
	return w
}

// Write implements io.Writer for whole lines. It does not wait and does not
// fail.
func (w *logWriter) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || len(w.waiting)+len(line) > logQueue {
		w.dropped.Add(1)
		return len(line), nil
	}
	w.waiting = append(w.waiting, line...)
	w.lines++
	w.change.Signal()
	return len(line), nil
}

// run writes until close; one write takes all that waits.
func (w *logWriter) run() {
	defer close(w.idle)
	var batch []byte
	told := uint64(0)
	for {
		w.mu.Lock()
		for len(w.waiting) == 0 && !w.closed {
			w.change.Wait()
		}
		var lines uint64
		batch, w.waiting = w.waiting, batch[:0]
		lines, w.lines = w.lines, 0
		w.mu.Unlock()
		if len(batch) == 0 {
			return
		}
		if _, err := w.out.Write(batch); err != nil {
			w.dropped.Add(lines)
			continue
		}
		if n := w.dropped.Load(); n > told {
			w.onRecovery(n - told)
			told = n
		}
	}
}

// close waits, at most for logFlush, until everything is written. Lines that
// come later are dropped.
func (w *logWriter) close() {
	w.mu.Lock()
	w.closed = true
	w.change.Signal()
	w.mu.Unlock()
	late := time.NewTimer(logFlush)
	defer late.Stop()
	select {
	case <-w.idle:
	case <-late.C:
	}
}

// Describe implements prometheus.Collector.
func (w *logWriter) Describe(ch chan<- *prometheus.Desc) { ch <- descLogDropped }

// Collect implements prometheus.Collector.
func (w *logWriter) Collect(ch chan<- prometheus.Metric) {
	ch <- prometheus.MustNewConstMetric(descLogDropped, prometheus.CounterValue, float64(w.dropped.Load()))
}

var descLogDropped = prometheus.NewDesc("understudy_log_lines_dropped_total",
	"Log lines that standard error did not take: its reader is too slow or gone.", nil, nil)

// shared lets several goroutines write to w. It keeps w's file descriptor in
// sight, by which a terminal is known.
type shared struct {
	mu sync.Mutex
	w  io.Writer
}

// Write implements io.Writer.
func (s *shared) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.w.Write(p)
}

// Fd is that of w, or one that is none.
func (s *shared) Fd() uintptr { return fdOf(s.w) }

// dataWriter is standard output. When its reader has gone (understudy sql |
// head) the command stops, and its end is as quiet as SIGPIPE would make it.
type dataWriter struct {
	w    io.Writer
	gone atomic.Bool
	stop func()
}

// Write implements io.Writer.
func (d *dataWriter) Write(p []byte) (int, error) {
	n, err := d.w.Write(p)
	if errors.Is(err, syscall.EPIPE) {
		d.gone.Store(true)
		d.stop()
	}
	return n, err
}

// Fd is that of w, or one that is none.
func (d *dataWriter) Fd() uintptr { return fdOf(d.w) }

func fdOf(w io.Writer) uintptr {
	if f, ok := w.(interface{ Fd() uintptr }); ok {
		return f.Fd()
	}
	return ^uintptr(0)
}
