package spool

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Errors that say why a frame is lost.
var (
	// ErrFull: the log is at its bound, or its disk is full.
	ErrFull = errors.New("spool is full")
	// ErrExpired: it is older than Config.MaxAge.
	ErrExpired = errors.New("too old for the spool")
	// ErrDisk: the disk has failed.
	ErrDisk = errors.New("spool's disk failed")
)

// Position is a place between two frames.
type Position struct{ Segment, Offset uint64 }

// firstSegment leaves room for segments in front of it.
const firstSegment = 1 << 32

const (
	segmentSuffix = ".spool"
	// maxSegment bounds a segment in bytes, unless one frame alone is larger; a
	// log has 16 at its bound, so that dropping the oldest one costs little.
	maxSegment = 64 << 20
	// maxGathered bounds what waits in memory for the disk.
	maxGathered = 16 << 20
	// pauseAfterError is how long nothing is tried after the disk has failed.
	pauseAfterError = time.Second
)

// file is what a Log needs of a segment that it writes.
type file interface {
	Write([]byte) (int, error)
	Sync() error
	Truncate(int64) error
	Close() error
}

type segment struct {
	number uint64
	size   uint64 // bytes that are safe
	frames uint64 // that are safe, from the head on
	last   time.Time
}

// Log is a spool. Its methods are safe for concurrent use; one goroutine takes.
type Log struct {
	dir    string
	cfg    Config
	lost   func(frames uint64, why error, head Position)
	create func(path string) (file, error)
	now    func() time.Time

	disk   sync.Mutex // held while the disk is written
	active file       // nil until something is written; of the last segment

	mu       sync.Mutex
	segments []*segment
	head     Position
	taking   bool // between Next and Advance
	gathered []byte
	waiting  []func(error)
	broken   time.Time // until when nothing is tried
	why      error
	full     bool // Append has found no room, and none was made since
}

// Open opens the log in a folder that the caller has locked. What stands before
// head is removed, and what a crash has torn is cut off; the zero Position is
// the beginning. lost is called for frames that the log's bounds drop, with the
// position where the log begins then; it must not call the log.
func Open(dir string, cfg Config, head Position, lost func(frames uint64, why error, head Position)) (*Log, error) {
	l := &Log{dir: dir, cfg: cfg, lost: lost, create: createFile, now: time.Now, head: head}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	for _, e := range entries {
		number, ok := l.number(e.Name())
		if !ok {
			continue
		}
		if number < head.Segment {
			if err := os.Remove(l.path(number)); err != nil {
				return nil, fmt.Errorf("spool: %w", err)
			}
			continue
		}
		s, err := l.recover(number)
		if err != nil {
			return nil, err
		}
		l.segments = append(l.segments, s)
	}
	slices.SortFunc(l.segments, func(a, b *segment) int { return int(int64(a.number - b.number)) })
	l.settleHead()
	if len(l.segments) == 0 && head.Segment != 0 {
		l.head = Position{head.Segment + 1, headerSize} // what stood there was taken
	}
	return l, nil
}

// number is that of the segment in a file of the folder.
func (l *Log) number(name string) (n uint64, ok bool) {
	n, err := strconv.ParseUint(strings.TrimSuffix(name, segmentSuffix), 16, 64)
	return n, err == nil && name == filepath.Base(l.path(n))
}

// Holds reports whether a folder holds segments.
func Holds(dir string) bool {
	l := &Log{dir: dir}
	entries, _ := os.ReadDir(dir)
	return slices.ContainsFunc(entries, func(e os.DirEntry) bool { _, ok := l.number(e.Name()); return ok })
}

func createFile(path string) (file, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
}

func (l *Log) path(number uint64) string {
	return filepath.Join(l.dir, fmt.Sprintf("%016x", number)+segmentSuffix)
}

// recover counts the frames of a segment and cuts off what is not whole.
func (l *Log) recover(number uint64) (*segment, error) {
	f, err := os.OpenFile(l.path(number), os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	s := &segment{number: number, last: info.ModTime()}
	from := headerSize
	if number == l.head.Segment && l.head.Offset > headerSize {
		from = l.head.Offset
	}
	begin := make([]byte, headerSize)
	if n, _ := f.ReadAt(begin, 0); n < len(begin) || string(begin) != header || uint64(info.Size()) < from {
		s.size = uint64(info.Size()) // nothing of it can be read
		return s, nil
	}
	if _, err := f.Seek(int64(from), 0); err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	frames, bytes, _ := scan(newReader(f)) // an error is the end of what is whole
	s.frames, s.size = frames, from+bytes
	if s.size < uint64(info.Size()) {
		if err := f.Truncate(int64(s.size)); err != nil {
			return nil, fmt.Errorf("spool: cut a torn segment: %w", err)
		}
	}
	return s, nil
}

// settleHead removes segments of which nothing is left, and puts the head where
// the next frame is or will be.
func (l *Log) settleHead() {
	for len(l.segments) > 0 && l.segments[0].frames == 0 && (len(l.segments) > 1 || l.active == nil) {
		_ = os.Remove(l.path(l.segments[0].number)) // left behind, it is removed by the next Open
		l.head = Position{l.segments[0].number + 1, headerSize}
		l.segments = l.segments[1:]
	}
	if len(l.segments) > 0 && l.segments[0].number != l.head.Segment {
		l.head = Position{l.segments[0].number, headerSize}
	}
	if l.head.Segment == 0 {
		l.head = Position{firstSegment, headerSize}
	}
}

// Head is where the first frame that was not taken stands.
func (l *Log) Head() Position {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.head
}

// Len is how many frames are safe and not taken, and how many wait for the
// disk.
func (l *Log) Len() (safe, waiting uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.segments {
		safe += s.frames
	}
	return safe, uint64(len(l.waiting))
}

// Bytes is how much room the log takes on disk.
func (l *Log) Bytes() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return int64(l.bytesLocked())
}

func (l *Log) bytesLocked() (n uint64) {
	for _, s := range l.segments {
		n += s.size
	}
	return n + uint64(len(l.gathered))
}

// Refuses says why Append would take nothing now, nil if it would.
func (l *Log) Refuses() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.refusesLocked(0)
}

func (l *Log) refusesLocked(n int) error {
	switch {
	case l.now().Before(l.broken):
		return l.why
	case len(l.gathered)+n > maxGathered && len(l.gathered) > 0:
		return fmt.Errorf("%w: the disk is too slow", ErrFull)
	case l.full, l.cfg.Policy == Newest && l.bytesLocked()+uint64(n) > uint64(l.cfg.MaxBytes),
		l.bytesLocked()+uint64(n) > uint64(l.cfg.MaxBytes)+maxGathered: // what is being taken cannot give way
		return ErrFull
	}
	return nil
}

// Append takes a frame, which Sync writes. done is called exactly once, when it
// is safe (nil) or lost, unless Append returns an error. The content is copied.
func (l *Log) Append(content []byte, done func(error)) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(content) == 0 || len(content) > MaxFrame {
		return fmt.Errorf("spool: a frame of %d bytes", len(content))
	}
	if err := l.refusesLocked(frameHead + len(content)); err != nil {
		l.full = l.full || l.cfg.Policy == Newest && l.bytesLocked()+uint64(frameHead+len(content)) > uint64(l.cfg.MaxBytes)
		return err
	}
	l.gathered = appendFrame(l.gathered, content)
	l.waiting = append(l.waiting, done)
	return nil
}
