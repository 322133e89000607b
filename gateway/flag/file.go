package flag

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/open-feature/go-sdk/openfeature"

	"understudy.dev/exchange/file"
)

// fileEvery is how often a file is read again: by its content, which says more
// than its time, and works on every file system.
const fileEvery = 250 * time.Millisecond

// maxFile bounds a file of flags.
const maxFile = 1 << 20

// File is the provider that answers from a file in flagd's JSON format.
type File struct {
	text
	path, kept, key string
	log             *slog.Logger
	now             func() time.Time

	rules atomic.Pointer[rules] // nil: none was ever good
	last  []byte
	fault error // of last
	bad   atomic.Bool
}

// NewFile reads the file at path, of which the flag named key is wanted. The last
// good content is kept at kept and holds while the file has none, also when the
// process starts again; with none at all nothing is known.
func NewFile(path, kept, key string, log *slog.Logger) *File {
	f := &File{text: text{"understudy/file"}, path: path, kept: kept, key: key, log: log, now: time.Now}
	f.look()
	if f.rules.Load() != nil {
		return f
	}
	data, err := read(kept)
	if err == nil {
		r, fault := parse(data, kept, key)
		if fault == nil {
			f.rules.Store(r)
			log.Warn("flags: the last good file is used", "file", kept)
			return f
		}
		err = fault
	}
	log.Error("flags: no file was ever good: everything goes to the baseline", "kept", kept, "error", err)
	return f
}

// Good reports whether what is in the file now is what holds.
func (f *File) Good() bool { return !f.bad.Load() }

// Run reads the file again when it changes, until ctx ends.
func (f *File) Run(ctx context.Context) {
	again := time.NewTicker(fileEvery)
	defer again.Stop()
	for {
		select {
		case <-again.C:
			f.look()
		case <-ctx.Done():
			return
		}
	}
}

func read(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err == nil && len(data) > maxFile {
		return nil, fmt.Errorf("%s is larger than %d bytes", path, maxFile)
	}
	return data, err
}

// look takes what is in the file if that is new and good. What is wrong is said
// once.
func (f *File) look() {
	data, err := read(f.path)
	if err != nil {
		f.last = nil // read it when it is back, the same or not
		f.failed(err)
		return
	}
	if f.last != nil && bytes.Equal(data, f.last) {
		return
	}
	f.last = data
	r, err := parse(data, f.path, f.key)
	if err != nil {
		f.failed(err)
		return
	}
	f.rules.Store(r)
	f.fault = nil
	f.bad.Store(false)
	f.log.Info("flags are read", "file", f.path, "flag", f.key)
	if err := file.Write(f.kept, data); err != nil {
		f.log.Error("flags: the last good file cannot be kept", "file", f.kept, "error", err)
	}
}

func (f *File) failed(err error) {
	if f.fault == nil || f.fault.Error() != err.Error() {
		f.log.Error("flags: the file is not used, what was good last holds", "error", err)
	}
	f.fault = err
	f.bad.Store(true)
}

// StringEvaluation implements openfeature.FeatureProvider.
func (f *File) StringEvaluation(_ context.Context, flag, value string, about openfeature.FlattenedContext) openfeature.StringResolutionDetail {
	r := f.rules.Load()
	if r == nil || flag != f.key {
		return missing(flag, value)
	}
	return r.evaluate(flag, value, about, f.now())
}
