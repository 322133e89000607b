package spool

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
)

func newReader(r io.Reader) io.Reader { return bufio.NewReaderSize(r, 256<<10) }

// Batch is what Next takes.
type Batch struct {
	Contents [][]byte
	// End is the position behind it, and Lost how many frames in it cannot be
	// read any more.
	End  Position
	Lost uint64
}

// Next reads the first frames of the log, of one segment, at most so many and
// so many bytes but at least one. It is empty when nothing is safe that was not
// taken. They stay until Advance; Next again gives the same.
func (l *Log) Next(frames int, bytes int) (Batch, error) {
	l.mu.Lock()
	if len(l.segments) == 0 || l.segments[0].frames == 0 {
		l.mu.Unlock()
		return Batch{}, nil
	}
	l.taking = true
	s, at := *l.segments[0], l.head.Offset
	l.mu.Unlock()
	f, err := os.Open(l.path(s.number))
	if err != nil {
		return Batch{}, fmt.Errorf("spool: %w", err)
	}
	defer f.Close()
	r := newReader(io.NewSectionReader(f, int64(at), int64(s.size-at)))
	b := Batch{End: Position{s.number, at}}
	for size := 0; len(b.Contents) < frames && size < bytes && uint64(len(b.Contents)) < s.frames; {
		content, err := readFrame(r)
		if err != nil && len(b.Contents) > 0 {
			return b, nil // what is before it first
		}
		if err != nil { // the disk gives back something else than was written
			return Batch{End: Position{s.number, s.size}, Lost: s.frames}, nil
		}
		b.Contents = append(b.Contents, content)
		b.End.Offset += frameHead + uint64(len(content))
		size += len(content)
	}
	return b, nil
}

// Advance takes a batch out of the log, which Next has given.
func (l *Log) Advance(b Batch) {
	l.disk.Lock()
	defer l.disk.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.taking, l.full = false, false
	if len(l.segments) == 0 || l.segments[0].number != b.End.Segment {
		return
	}
	s := l.segments[0]
	s.frames -= uint64(len(b.Contents)) + b.Lost
	l.head.Offset = b.End.Offset
	if s.frames == 0 && len(l.segments) == 1 && l.active != nil && s.size > headerSize {
		l.closeActive() // an empty log takes no room
	}
	l.settleHead()
}

// Withdraw takes back what was appended and is not written yet, if nothing else
// is left in the log; empty says so. The caller then calls each done.
func (l *Log) Withdraw() (contents [][]byte, dones []func(error), empty bool) {
	l.disk.Lock() // nothing is being written
	defer l.disk.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.segments {
		if s.frames > 0 {
			return nil, nil, false
		}
	}
	for r := bytes.NewReader(l.gathered); r.Len() > 0; {
		content, err := readFrame(r)
		if err != nil {
			return nil, nil, false // it was framed here; the next Sync will tell
		}
		contents = append(contents, content)
	}
	dones = l.waiting
	l.gathered, l.waiting = nil, nil
	return contents, dones, true
}

// Remove ends a log of which nothing is left: its folder goes, with all that
// stands there.
func (l *Log) Remove() error {
	if safe, waiting := l.Len(); safe+waiting > 0 {
		return fmt.Errorf("spool %s: %d frames are left", l.dir, safe+waiting)
	}
	if err := l.Close(); err != nil {
		return err
	}
	return os.RemoveAll(l.dir)
}
