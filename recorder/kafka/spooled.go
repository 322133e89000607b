package kafka

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/twmb/franz-go/pkg/kgo"
	"google.golang.org/protobuf/proto"

	"understudy.dev/recorder"
	"understudy.dev/recorder/books"
	"understudy.dev/recorder/spool"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

// awayAfter is how long Kafka may leave what it was given unanswered before
// exchanges go to disk.
const awayAfter = 2 * time.Second

// Spooled is a Sink that puts exchanges on disk while Kafka does not take them,
// and writes them to Kafka when it does, in the order in which they came: while
// something is on disk, all goes there.
//
// The producer must not give a record up by itself: what is both given up and
// in Kafka would be there twice.
type Spooled struct {
	*Sink
	cfg   spool.Config
	log   *spool.Log // nil until Open
	books *books.Books
	lock  *os.File
	say   *slog.Logger

	mu       sync.Mutex
	direct   bool       // exchanges go to Kafka, the disk is empty
	given    *list.List // contents of what Kafka has been given directly, in order
	copied   bool       // what was given is on disk too
	out      int        // given to Kafka directly and not answered
	progress time.Time
	ending   bool
	rescued  []rescue
	changed  chan struct{} // capacity 1: direct or out has changed

	stop    context.CancelFunc // of the drain, once Run has begun
	drained chan struct{}
}

// rescue is an exchange that Kafka was given and did not acknowledge.
type rescue struct {
	content []byte
	done    func(error)
}

// NewSpooled returns a sink that has a disk behind it after Open; before, and
// when that fails, it is a plain Sink.
func NewSpooled(sink *Sink, cfg spool.Config, say *slog.Logger) *Spooled {
	return &Spooled{Sink: sink, cfg: cfg, say: say, direct: true, given: list.New(), changed: make(chan struct{}, 1), drained: make(chan struct{})}
}

// Open makes the folder of one life, whose books it keeps there. It may come
// while the recorder runs, so that traffic does not wait for a disk; what Kafka
// was given before and does not take goes there too.
func (s *Spooled) Open(b *books.Books) (err error) {
	dir := filepath.Join(s.cfg.Dir, folder(b.Life()))
	lock, err := spool.Lock(dir)
	if err != nil {
		return err
	}
	log, err := spool.Open(dir, s.cfg, spool.Position{}, func(n uint64, why error, at spool.Position) { Lost(b, n, why, at) })
	if err == nil {
		err = b.Keep(filepath.Join(dir, BooksFile))
	}
	if err != nil {
		return errors.Join(err, lock.Close(), os.RemoveAll(dir))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log, s.books, s.lock = log, b, lock
	return nil
}

// folder is the name of a life's folder.
func folder(life understudyv1.Life) string {
	name := strings.Map(func(r rune) rune {
		if r < 128 && (r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r)) {
			return r
		}
		return '_'
	}, life.Recorder)
	return fmt.Sprintf("%s-%d", name[:min(len(name), 100)], life.StartUnixNano)
}

// Close ends what Open began. told says that Kafka has the final tally: if it
// also has all exchanges, nothing is left for a successor.
func (s *Spooled) Close(told bool) error {
	if !s.isOpen() {
		return nil
	}
	err := s.books.Sync()
	err = errors.Join(err, s.books.Detach(), s.log.Close())
	if told && s.Left() == 0 {
		err = errors.Join(err, s.log.Remove())
	}
	return errors.Join(err, s.lock.Close())
}

var (
	_ recorder.Sink    = (*Spooled)(nil)
	_ recorder.Refuser = (*Spooled)(nil)
)

func (s *Spooled) isOpen() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log != nil
}

// Refuses implements recorder.Refuser.
func (s *Spooled) Refuses() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.log == nil {
		return s.Sink.Refuses()
	}
	if s.direct && !s.awayLocked() && !s.producer.Full() {
		return nil
	}
	return fromSpool(s.log.Refuses())
}

// awayLocked says whether Kafka leaves what it has unanswered.
func (s *Spooled) awayLocked() bool { return s.out > 0 && time.Since(s.progress) > awayAfter }

// Exchange implements recorder.Sink.
func (s *Spooled) Exchange(e *understudyv1.Exchange, done func(error)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.log != nil && s.direct && (s.awayLocked() || s.producer.Full()) {
		s.aside("Kafka does not take what it is given")
	}
	if !s.direct {
		content, err := proto.Marshal(e)
		if err != nil {
			return err
		}
		return s.appendLocked(content, done)
	}
	r, err := stream.ExchangeRecord(s.names, e)
	if err != nil {
		return err
	}
	s.produceLocked(r, done)
	return nil
}

// produceLocked gives a record to Kafka directly.
func (s *Spooled) produceLocked(r *kgo.Record, done func(error)) {
	if s.out == 0 {
		s.progress = time.Now()
	}
	s.out++
	at := s.given.PushBack(r.Value)
	s.producer.TryProduce(context.Background(), r, func(_ *kgo.Record, err error) { s.answered(at, reason(err), done) })
}

// aside begins to put exchanges on disk.
func (s *Spooled) aside(why string) {
	s.direct = false
	s.say.Warn("exchanges go to disk until Kafka has taken what is there", "reason", why)
	s.tell()
}

func (s *Spooled) tell() {
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// answered is called when Kafka has taken or refused what it was given.
func (s *Spooled) answered(at *list.Element, err error, done func(error)) {
	s.mu.Lock()
	s.out--
	content := s.given.Remove(at).([]byte)
	s.tell()
	if err == nil || errors.Is(err, recorder.ErrTooLarge) {
		s.progress = time.Now()
		copied := s.copied
		s.mu.Unlock()
		done(err)
		if copied {
			s.books.Again()
		}
		return
	}
	if s.log == nil { // there is no disk, or not yet
		s.mu.Unlock()
		done(err)
		return
	}
	defer s.mu.Unlock()
	if s.ending {
		s.rescued = append(s.rescued, rescue{content, done})
		return
	}
	if s.direct {
		s.aside("Kafka refuses what it is given: " + err.Error())
	}
	if err := s.appendLocked(content, done); err != nil {
		done(err)
	}
}

func (s *Spooled) appendLocked(content []byte, done func(error)) error {
	return fromSpool(s.log.Append(content, func(err error) {
		other := withdrawn{}
		switch {
		case errors.As(err, &other):
			done(other.err)
		case err == nil:
			done(recorder.ErrSpooled)
		default:
			done(fromSpool(err))
		}
	}))
}

// fromSpool expresses why the spool did not take an exchange as an error of the
// recorder.
func fromSpool(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, spool.ErrFull):
		return fmt.Errorf("%w: %w", recorder.ErrSpoolFull, err)
	}
	return fmt.Errorf("%w: %w", recorder.ErrSpoolFailed, err)
}

// Bytes says how much room they take.
func (s *Spooled) Bytes() int64 {
	if !s.isOpen() {
		return 0
	}
	return s.log.Bytes()
}
