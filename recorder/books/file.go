package books

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"time"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// maxName bounds a recorder's name in a file, in bytes.
const maxName = 4096 - pageBytes

// ErrFile says that a file does not hold books.
var ErrFile = errors.New("no books of a recorder")

// Keep moves the counts into a new file that is mapped into memory: they are
// exact to the last moment though the process is killed. What Sync has not
// written does not outlive the machine. The file is for its owner only.
func (b *Books) Keep(path string) error {
	if len(b.life.Recorder) > maxName {
		return fmt.Errorf("keep books: the recorder's name has %d bytes, %d fit", len(b.life.Recorder), maxName)
	}
	content := make([]byte, 4096) // written whole: a mapped page without a block on disk would be fatal
	b.mu.Lock()
	for i, v := range b.page {
		binary.NativeEndian.PutUint64(content[8*i:], v)
	}
	b.mu.Unlock()
	copy(content[pageBytes:], b.life.Recorder)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("keep books: %w", err)
	}
	defer f.Close()
	if _, err = f.Write(content); err == nil {
		err = f.Sync()
	}
	if err != nil {
		return fmt.Errorf("keep books: %w", errors.Join(err, os.Remove(path)))
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.attachLocked(f)
}

func (b *Books) attachLocked(f *os.File) error {
	mapped, unmap, err := mapPage(f)
	if err != nil {
		return fmt.Errorf("map books: %w", err)
	}
	if b.page != nil {
		copy(mapped, b.page) // what was counted while the file was written
	}
	b.page, b.unmap = mapped, unmap
	return nil
}

// closedNumbers is added to the numbers of a killed life's tallies, so that its
// exact books replace what a successor that knew less has written.
const closedNumbers = 1 << 32

// Resume opens the books of a life that has ended, and closes them: what was
// pending is dropped as killed unless they were closed before. found is how
// many exchanges its spool holds from the head on; those that had been written
// there and not been counted as spooled are so now, and those that are gone
// are dropped. The caller makes sure that nobody else has them.
func Resume(path string, found uint64) (*Books, error) {
	b, err := open(path)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.page
	if t := b.tallyLocked(); t.Excess() < 0 { // the end came between two counts
		p.drop(ReasonKilled, uint64(-t.Excess()))
	}
	if p[rescued] == 0 { // the copies were not in place yet
		p[again] = 0
	}
	p[again] = min(p[again], found)
	found -= p[again] // what is counted as recorded needs no place among the spooled
	switch more := found - p[spooled]; {
	case found < p[spooled]:
		p.drop(ReasonSpoolError, p[spooled]-found)
	case p[inSink] < more: // the page is older than the spool: the machine went down
		p[served] += more - p[inSink]
		p[inSink] = 0
	default:
		p[inSink] -= more
	}
	p[spooled] = found
	b.closed = true
	for _, at := range []place{underWay, queued, inSink} {
		if n := p[at]; n > 0 {
			p.drop(ReasonKilled, n)
			p[at] = 0
		}
	}
	if p[ended] == 0 {
		p[ended], p[killed] = 1, 1
		p[statements] += closedNumbers
	}
	return b, nil
}

// HeadOf reads where the unsettled part of a spool begins.
func HeadOf(path string) (Head, error) {
	b, err := open(path)
	if err != nil {
		return Head{}, err
	}
	defer func() { _ = b.Detach() }()
	return b.Head(), nil
}

func open(path string) (*Books, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("open books: %w", err)
	}
	defer f.Close()
	content := make([]byte, 4096)
	if n, err := f.ReadAt(content, 0); n < len(content) {
		return nil, fmt.Errorf("open books %s: %w: %w", path, ErrFile, err)
	}
	if binary.NativeEndian.Uint64(content) != pageMagic {
		return nil, fmt.Errorf("open books %s: %w", path, ErrFile)
	}
	name := content[pageBytes:]
	for len(name) > 0 && name[len(name)-1] == 0 {
		name = name[:len(name)-1]
	}
	b := &Books{}
	if err := b.attachLocked(f); err != nil {
		return nil, err
	}
	b.life = understudyv1.Life{Recorder: string(name), StartUnixNano: int64(b.page[startedAt])}
	return b, nil
}

// Sync writes the counts to disk, for the case that the machine goes down. It
// does nothing for books without a file.
func (b *Books) Sync() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.unmap == nil {
		return nil
	}
	return syncPage(b.page)
}

// Detach takes the counts back into memory; the file stays as it is.
func (b *Books) Detach() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.unmap == nil {
		return nil
	}
	b.page = append(page(nil), b.page...)
	unmap := b.unmap
	b.unmap = nil
	return unmap()
}

// Started is when the life began.
func (b *Books) Started() time.Time { return time.Unix(0, b.life.StartUnixNano) }
