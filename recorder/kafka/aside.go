package kafka

import (
	"context"
	"time"

	"understudy.dev/recorder"
)

// Run writes to the disk and from there to Kafka until ctx ends. Call it after
// Open has succeeded, and end ctx after the recorder's Run has returned.
func (s *Spooled) Run(ctx context.Context) {
	draining, stop := context.WithCancel(ctx)
	defer stop()
	s.mu.Lock()
	s.stop = stop
	s.mu.Unlock()
	go func() { defer close(s.drained); s.drain(draining) }()
	tick := time.NewTicker(s.cfg.SyncInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			s.sync()
		case <-ctx.Done():
			stop()
			<-s.drained
			s.sync()
			return
		}
	}
}

func (s *Spooled) sync() {
	_, waiting := s.log.Len()
	s.log.Sync()
	if waiting > 0 {
		if err := s.books.Sync(); err != nil {
			s.say.Warn("the recorder's counts are not safe from a loss of power", "error", err)
		}
	}
}

// drain writes what is on disk to Kafka, and lets exchanges go there directly
// when nothing is left.
func (s *Spooled) drain(ctx context.Context) {
	d := drainer{producer: s.producer, names: s.names, log: s.log, books: s.books, rate: s.cfg.DrainRate, say: s.say}
	for {
		s.mu.Lock()
		wait, given := s.direct || s.out > 0, !s.direct && s.out > 0
		s.mu.Unlock()
		if wait {
			if given {
				s.copyGiven()
			}
			select {
			case <-s.changed:
			case <-ctx.Done():
				return
			}
			continue
		}
		s.dropCopies()
		n, err := d.batch(ctx, nil)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			s.say.Error("the spool cannot be read", "error", err)
			pause(ctx, time.Second)
		case n == 0:
			s.resume(d)
		}
	}
}

// copyGiven puts on disk what Kafka was given and leaves unanswered, for the
// case that the recorder dies before Kafka answers.
func (s *Spooled) copyGiven() {
	s.mu.Lock()
	if s.copied || s.out == 0 {
		s.mu.Unlock()
		return
	}
	var contents [][]byte
	for at := s.given.Front(); at != nil; at = at.Next() {
		contents = append(contents, at.Value.([]byte))
	}
	s.copied = true
	s.mu.Unlock() // nobody waits for the disk
	at, err := s.log.Prepend(contents)
	if err == nil {
		s.books.Rescue(uint64(len(contents)), at.Segment, at.Offset)
		return
	}
	s.say.Warn("what Kafka was given and has not acknowledged is in memory only", "exchanges", len(contents), "error", err)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.copied = false
	head := s.books.Head()
	s.books.Unrescue(head.Segment, head.Offset)
}

// dropCopies takes from the disk what copyGiven has put there, when Kafka has
// answered.
func (s *Spooled) dropCopies() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.copied {
		return
	}
	end := s.log.EndOfFirst()
	s.books.Unrescue(end.Segment, end.Offset)
	s.log.Discard()
	s.copied = false
}

// resume lets exchanges go to Kafka again if nothing is on disk. What waits for
// the disk goes there first.
func (s *Spooled) resume(d drainer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	contents, dones, empty := s.log.Withdraw()
	if !empty {
		return
	}
	s.direct = true
	s.say.Info("Kafka has taken what was on disk; exchanges go there directly again")
	for i, content := range contents {
		done := func(err error) { dones[i](withdrawn{err}) }
		if r, _, why := d.record(content); why == "" {
			s.produceLocked(r, done)
		} else {
			done(recorder.ErrInternal)
		}
	}
}

// withdrawn tells who waits for the disk that Kafka has decided.
type withdrawn struct{ err error }

// Error implements error.
func (w withdrawn) Error() string { return "withdrawn from the spool" }

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// Flush implements recorder.Sink. What Kafka does not take goes to disk; after
// that nothing more can be written.
func (s *Spooled) Flush(ctx context.Context) error {
	s.mu.Lock()
	stop, first := s.stop, !s.ending
	s.mu.Unlock()
	if stop == nil { // nothing is on disk, or can be
		return s.Sink.Flush(ctx)
	}
	if first {
		stop()
		<-s.drained
		s.settle(ctx)
		s.sync()
		return nil // tallies are waited for with the final one
	}
	return s.tallies.Flush(ctx)
}

// settle waits for Kafka to answer as long as it does answer, and takes the
// rest back.
func (s *Spooled) settle(ctx context.Context) {
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for {
		s.mu.Lock()
		over := s.out == 0 || s.awayLocked() || !s.direct
		s.mu.Unlock()
		if over || ctx.Err() != nil {
			break
		}
		select {
		case <-look.C:
		case <-ctx.Done():
		}
	}
	s.mu.Lock()
	s.ending = true
	out := s.out
	s.mu.Unlock()
	s.producer.Abandon()
	for out > 0 {
		<-look.C
		s.mu.Lock()
		out = s.out
		s.mu.Unlock()
	}
	s.dropCopies()
	s.mu.Lock()
	rescued := s.rescued
	s.mu.Unlock()
	if len(rescued) > 0 {
		s.rescue(rescued)
	}
}

// rescue puts what was taken back in front of what is on disk, for it came
// before that.
func (s *Spooled) rescue(all []rescue) {
	var contents [][]byte
	for _, r := range all {
		contents = append(contents, r.content)
	}
	result := recorder.ErrSpooled
	at, err := s.log.Prepend(contents)
	if err != nil {
		result = fromSpool(err)
	} else {
		s.books.Rescue(uint64(len(all)), at.Segment, at.Offset)
	}
	for _, r := range all {
		r.done(result)
	}
}

// Left says how many exchanges are on disk.
func (s *Spooled) Left() uint64 {
	if !s.isOpen() {
		return 0
	}
	safe, waiting := s.log.Len()
	return safe + waiting
}
