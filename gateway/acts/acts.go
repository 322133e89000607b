// Package acts keeps what was done to a gateway beside the steps of its migration,
// which is that its kill switch was turned: when, by whom and why. An act is
// written to a file in the folder of the state at once, so that it needs no Kafka,
// and from there to the topic of the stages when Kafka is there: a record without a
// number, which no reader takes for a step.
package acts

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"google.golang.org/protobuf/encoding/protojson"

	"understudy.dev/exchange/file"
	"understudy.dev/exchange/kill"
	"understudy.dev/gateway/stage"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Bounds of the file, in bytes.
const (
	// full is where it gives way to a new one, if all of it is in Kafka; the last
	// one is kept.
	full = 1 << 20
	// maxFile is how much is read of it.
	maxFile = 16 << 20
)

// Book is the file. Several processes may write to it; what they write goes behind
// what is there.
type Book struct {
	path string
	mu   sync.Mutex
}

// Open is the book of the gateways whose files are in dir; it reads nothing yet.
func Open(dir string) *Book { return &Book{path: filepath.Join(dir, "acts.jsonl")} }

// OfKill is the record of an act on the kill switch of a migration's gateway; at is
// the machine's name.
func OfKill(migration, at string, a kill.Act) *understudyv1.Stage {
	s := &understudyv1.Stage{
		Migration: migration, Action: stage.ActionKillOff, Who: a.Who, TimeUnixNano: a.Time.UnixNano(), Id: rand.Text(),
		Reason: fmt.Sprintf("%s (the gateways of one folder at %s)", a.Reason, at),
	}
	if a.On {
		s.Action = stage.ActionKillOn
	}
	if a.Err != nil {
		s.Reason += fmt.Sprintf("; it went wrong: %.200s", a.Err)
	}
	return s
}

// Add writes an act and returns when it is on disk.
func (b *Book) Add(act *understudyv1.Stage) error {
	line, err := protojson.Marshal(act)
	if err != nil {
		return fmt.Errorf("note an act: %w", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := os.MkdirAll(filepath.Dir(b.path), 0o700); err != nil {
		return fmt.Errorf("note an act: %w", err)
	}
	f, err := os.OpenFile(b.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("note an act: %w", err)
	}
	_, err = f.Write(append(line, '\n'))
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("note an act: %w", err)
	}
	return nil
}

// Pending are the acts that Kafka may not have, and where they end, which is for
// Sent. Lines that cannot be read, as one that a crash has torn, are counted and
// left out. Two processes may be given the same ones: an act has an id.
func (b *Book) Pending() (all []*understudyv1.Stage, end int64, torn int, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f, err := os.Open(b.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, 0, nil
	}
	if err != nil {
		return nil, 0, 0, fmt.Errorf("read the acts: %w", err)
	}
	defer f.Close()
	from := b.sent(f)
	data, err := io.ReadAll(io.LimitReader(io.NewSectionReader(f, from, maxFile), maxFile))
	if err != nil {
		return nil, 0, 0, fmt.Errorf("read the acts: %w", err)
	}
	whole := bytes.LastIndexByte(data, '\n') + 1 // the rest is being written
	for line := range bytes.Lines(data[:whole]) {
		act := &understudyv1.Stage{}
		if protojson.Unmarshal(line, act) != nil || act.GetVersion() != 0 || stage.CheckMigration(act.GetMigration()) != nil {
			torn++
			continue
		}
		all = append(all, act)
	}
	return all, from + int64(whole), torn, nil
}

// Sent says that Kafka has all up to end.
func (b *Book) Sent(end int64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if info, err := os.Stat(b.path); err == nil && end >= full && info.Size() == end {
		err := os.Remove(b.mark()) // first: what is sent twice does no harm
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			err = os.Rename(b.path, b.path+".1")
		}
		if err != nil {
			return fmt.Errorf("begin a new file of acts: %w", err)
		}
		return nil
	}
	if err := file.Write(b.mark(), []byte(strconv.FormatInt(end, 10)+"\n")); err != nil {
		return fmt.Errorf("note which acts Kafka has: %w", err)
	}
	return nil
}

func (b *Book) mark() string { return b.path + ".sent" }

// sent is how much of the file Kafka has; of one that is shorter, nothing.
func (b *Book) sent(f *os.File) int64 {
	text, err := os.ReadFile(b.mark())
	if err != nil {
		return 0
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	info, bad := f.Stat()
	if err != nil || bad != nil || n < 0 || n > info.Size() {
		return 0
	}
	return n
}
