// Package kill is a switch that stops what may do harm: a gateway sends everybody
// back to the baseline, a replay sends nothing more. It is a file: while that is
// there, it is on. So it survives every restart, and works without Kafka, without a
// control plane and without this program.
package kill

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"understudy.dev/exchange/file"
)

// Every is how often the switch looks at its file.
const Every = 100 * time.Millisecond

// Switch is one process's view of the file.
type Switch struct {
	path  string
	means string
	log   *slog.Logger
	on    atomic.Bool

	acts []func(Act)

	mu      sync.Mutex // of what changes the file
	unsaved bool       // it is on, and could not be written
	failing bool       // the file cannot be looked at
}

// Act is what somebody did to the switch.
type Act struct {
	On          bool
	Who, Reason string
	Time        time.Time
	// Err is why it was not done, or not as it should be; On without a file holds
	// in this process all the same.
	Err error
}

// New looks at the file at once. A file that cannot be looked at counts as
// there. means says what is so while the switch is on, for the log.
func New(path, means string, log *slog.Logger) *Switch {
	s := &Switch{path: path, means: means, log: log}
	s.look()
	return s
}

// On reports whether it is on.
func (s *Switch) On() bool { return s.on.Load() }

// File is where the switch is.
func (s *Switch) File() string { return s.path }

// OnAct lets f be told of every Turn, when it is done. It is called before the
// first.
func (s *Switch) OnAct(f func(Act)) { s.acts = append(s.acts, f) }

// Turn turns the switch as Set does and says so to the log and to those that
// OnAct named: who did it, and why.
func (s *Switch) Turn(on bool, who, reason string) error {
	err := s.Set(on, who+": "+reason)
	if err != nil {
		s.log.Error("kill switch", "on", on, "who", who, "reason", reason, "error", err)
	} else {
		s.log.Warn("the kill switch was turned", "on", on, "who", who, "reason", reason)
	}
	for _, f := range s.acts {
		f(Act{On: on, Who: who, Reason: reason, Time: time.Now(), Err: err})
	}
	return err
}

// Set turns the switch; on works at once, even if the file cannot be written,
// which the error then says. text goes into the file, for people.
func (s *Switch) Set(on bool, text string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if on {
		s.turn(true)
		err := file.Write(s.path, []byte(text+"\n"))
		if s.unsaved = err != nil; s.unsaved {
			return fmt.Errorf("the kill switch is on in this process only: %w", err)
		}
		return nil
	}
	if err := os.Remove(s.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the kill switch stays on: %w", err)
	}
	s.unsaved = false
	s.turn(false)
	return nil
}

// Run follows the file until ctx ends.
func (s *Switch) Run(ctx context.Context) {
	again := time.NewTicker(Every)
	defer again.Stop()
	for {
		select {
		case <-again.C:
			s.look()
		case <-ctx.Done():
			return
		}
	}
}

// look turns the switch on while the file cannot be looked at: what is safe is
// to stop.
func (s *Switch) look() {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := os.Stat(s.path)
	failing := err != nil && !errors.Is(err, fs.ErrNotExist)
	if failing && !s.failing {
		s.log.Error("the file of the kill switch cannot be looked at, which counts as being there", "file", s.path, "error", err)
	}
	s.failing = failing
	s.turn(failing || s.unsaved || err == nil)
}

func (s *Switch) turn(on bool) {
	if s.on.Swap(on) == on {
		return
	}
	if on {
		s.log.Warn("the kill switch is on: "+s.means, "file", s.path)
	} else {
		s.log.Warn("the kill switch is off", "file", s.path)
	}
}
