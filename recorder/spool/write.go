package spool

import (
	"errors"
	"fmt"
	"os"
	"time"
)

// Sync writes what was appended, makes it safe, and tells who waits for it.
// Then it drops what is beyond the bounds.
func (l *Log) Sync() {
	l.disk.Lock()
	defer l.disk.Unlock()
	l.mu.Lock()
	data, waiting := l.gathered, l.waiting
	l.gathered, l.waiting = nil, nil
	l.mu.Unlock()
	if len(waiting) > 0 {
		err := l.write(data)
		for _, done := range waiting {
			done(err)
		}
		if err == nil { // only now they can be taken: nothing is taken that nobody knows to be safe
			l.mu.Lock()
			s := l.segments[len(l.segments)-1]
			s.size += uint64(len(data))
			s.frames += uint64(len(waiting))
			s.last = l.now()
			l.mu.Unlock()
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.boundLocked()
}

// write appends to the last segment and makes that safe, or leaves it as it
// was.
func (l *Log) write(data []byte) error {
	if err := l.roll(uint64(len(data))); err != nil {
		return l.failed(err)
	}
	_, err := l.active.Write(data)
	if err == nil {
		err = l.active.Sync()
	}
	if err == nil {
		return nil
	}
	l.mu.Lock()
	size := int64(l.segments[len(l.segments)-1].size)
	l.mu.Unlock()
	// After a failed sync nobody knows what is on disk (fsync forgets): what is
	// not known to be safe goes, so that it is not both lost and found.
	if cut := l.active.Truncate(size); cut != nil {
		err = errors.Join(err, cut)
	}
	l.closeActive()
	return l.failed(err)
}

func (l *Log) failed(err error) error {
	why := fmt.Errorf("%w: %w", ErrDisk, err)
	if full(err) {
		why = fmt.Errorf("%w: %w", ErrFull, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.broken, l.why = l.now().Add(pauseAfterError), why
	return why
}

// closeActive ends the last segment: the next write begins another.
func (l *Log) closeActive() {
	_ = l.active.Close() // what is to be safe was synced
	l.active = nil
}

// roll makes sure that there is a segment with room.
func (l *Log) roll(n uint64) error {
	l.mu.Lock()
	bound := min(maxSegment, max(uint64(l.cfg.MaxBytes)/16, 64<<10))
	next := l.head.Segment
	if len(l.segments) > 0 {
		last := l.segments[len(l.segments)-1]
		if next = last.number + 1; l.active != nil && last.size > headerSize && last.size+n > bound {
			l.closeActive()
		}
	}
	l.mu.Unlock()
	if l.active != nil {
		return nil
	}
	f, err := l.begin(next)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.active = f
	l.segments = append(l.segments, &segment{number: next, size: headerSize, last: l.now()})
	l.settleHead()
	return nil
}

// begin makes a segment. What a failed attempt has left under its name is not
// in use and goes.
func (l *Log) begin(number uint64) (file, error) {
	path := l.path(number)
	f, err := l.create(path)
	if errors.Is(err, os.ErrExist) {
		if err = os.Remove(path); err == nil {
			f, err = l.create(path)
		}
	}
	if err != nil {
		return nil, err
	}
	_, err = f.Write([]byte(header))
	if err == nil {
		err = syncDir(l.dir)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(path))
	}
	return f, nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// boundLocked drops the oldest segments while the log is too large or they are
// too old, but not the one that is being taken from.
func (l *Log) boundLocked() {
	expired := l.now().Add(-l.cfg.MaxAge)
	for {
		at := 0
		if l.taking {
			at = 1
		}
		if at >= len(l.segments) || l.segments[at].frames == 0 {
			return
		}
		oldest, why := l.segments[at], error(nil)
		switch {
		case oldest.last.Before(expired):
			why = ErrExpired
		case l.cfg.Policy == Oldest && len(l.segments) > at+1 && l.bytesLocked() > uint64(l.cfg.MaxBytes):
			why = ErrFull
		default:
			return
		}
		if at == len(l.segments)-1 && l.active != nil {
			l.closeActive()
		}
		l.full = false
		_ = os.Remove(l.path(oldest.number)) // the head moves past it, or it is removed by the next Open
		l.segments = append(l.segments[:at:at], l.segments[at+1:]...)
		if at == 0 {
			l.head = Position{oldest.number + 1, headerSize}
			l.settleHead()
		}
		l.lost(oldest.frames, why, l.head)
	}
}

// Prepend writes frames in front of all others, for what was appended before
// them. It may be called while nothing of the first segment was taken, and
// returns where the log begins then. The bounds leave them alone until they are
// taken or discarded.
func (l *Log) Prepend(contents [][]byte) (Position, error) {
	l.disk.Lock()
	defer l.disk.Unlock()
	l.mu.Lock()
	number := l.head.Segment - 1
	if l.head.Offset > headerSize {
		l.mu.Unlock()
		return Position{}, errors.New("spool: something of the first segment was taken")
	}
	l.mu.Unlock()
	var data []byte
	for _, c := range contents {
		data = appendFrame(data, c)
	}
	f, err := l.begin(number)
	if err == nil {
		if _, err = f.Write(data); err == nil {
			err = f.Sync()
		}
		err = errors.Join(err, f.Close())
		if err != nil {
			err = errors.Join(err, os.Remove(l.path(number)))
		}
	}
	if err != nil {
		return Position{}, l.failed(err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	s := &segment{number: number, size: headerSize + uint64(len(data)), frames: uint64(len(contents)), last: l.now()}
	l.segments = append([]*segment{s}, l.segments...)
	l.head, l.taking = Position{number, headerSize}, true
	return l.head, nil
}

// EndOfFirst is the end of the first segment, which Prepend has written.
func (l *Log) EndOfFirst() Position {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Position{l.segments[0].number, l.segments[0].size}
}

// Discard takes the first segment, which Prepend has written, out of the log.
func (l *Log) Discard() {
	l.mu.Lock()
	b := Batch{End: Position{l.segments[0].number, l.segments[0].size}, Lost: l.segments[0].frames}
	l.mu.Unlock()
	l.Advance(b)
}

// Close makes safe what was appended and closes the files. The folder stays.
func (l *Log) Close() error {
	l.Sync()
	l.disk.Lock()
	defer l.disk.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.broken, l.why = l.now().Add(1000*time.Hour), ErrFull
	if l.active == nil {
		return nil
	}
	err := l.active.Close()
	l.active = nil
	return err
}
