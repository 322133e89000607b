// Package importer turns recordings that people already have, such as access
// logs, into exchanges.
//
// An import reads its file once, in bounded memory, and emits exchanges in the
// order of the file. An entry that it does not understand is counted and
// reported with its position; the others are kept.
package importer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"understudy.dev/exchange/redact"
	"understudy.dev/exchange/route"
	"understudy.dev/exchange/session"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Format reads one file format. emit is called once for each exchange. An error
// of emit or of r, a file that ends within an entry, and a mistake after which
// the next entry cannot be found end the import; they are returned with the
// summary of what was imported until then.
type Format func(ctx context.Context, r io.Reader, o Options, emit func(*understudyv1.Exchange) error) (Summary, error)

// Formats returns the formats by name.
func Formats() map[string]Format {
	return map[string]Format{"combined": Combined, "nock": Nock}
}

// ByName returns a format; the error lists the names there are.
func ByName(name string) (Format, error) {
	f, ok := Formats()[name]
	if !ok {
		return nil, fmt.Errorf("import format %q is not one of %s", name, strings.Join(slices.Sorted(maps.Keys(Formats())), ", "))
	}
	return f, nil
}

// Options are common to all formats. Routes and Sessions are required.
type Options struct {
	// Recorder is the instance name that the exchanges carry. Importing the
	// same file under the same name gives the same exchange ids.
	Recorder string
	// Routes and Sessions work as they do for live traffic.
	Routes   *route.Templater
	Sessions *session.Extractor
	// Redactor may be nil: nothing is redacted then.
	Redactor *redact.Redactor
	// IndexHeaders are names of request headers that belong into the tables, as
	// for live traffic.
	IndexHeaders []string
	// Authority and Scheme are used where the format does not give them; Scheme
	// "" means http.
	Authority, Scheme string
	// CaptureLimit is how many bytes of a body are kept, as for live traffic; 0
	// keeps none.
	CaptureLimit int64
	// CaptureLimits are limits by route.
	CaptureLimits map[string]int64
	// MaxEntry bounds the bytes of one line or one JSON element; 0 means 16 MiB.
	MaxEntry int
	// Start and Interval give arrival times to entries that have none: Start
	// (default: the Unix epoch) to the first, and to each other one Interval
	// (default 1 s) after the one before it.
	Start    time.Time
	Interval time.Duration
	// Sequence is the last sequence number used under this Recorder: 0, or the
	// Sequence of a previous file's Summary.
	Sequence uint64
	// Bad is called for each entry that is not understood; nil ignores them.
	Bad func(Mistake)
}

func (o Options) withDefaults() (Options, error) {
	if o.Recorder == "" || o.Routes == nil || o.Sessions == nil {
		return o, errors.New("import: Recorder, Routes and Sessions must be set")
	}
	for _, limit := range append(slices.Collect(maps.Values(o.CaptureLimits)), o.CaptureLimit) {
		if limit < 0 {
			return o, fmt.Errorf("import: the capture limit %d is negative", limit)
		}
	}
	if o.MaxEntry == 0 {
		o.MaxEntry = 16 << 20
	}
	if o.Interval == 0 {
		o.Interval = time.Second
	}
	if o.Start.IsZero() {
		o.Start = time.Unix(0, 0)
	}
	if o.Scheme == "" {
		o.Scheme = "http"
	}
	if o.Bad == nil {
		o.Bad = func(Mistake) {}
	}
	return o, nil
}

// Mistake is an entry that was not understood. Lines and columns count from 1,
// columns and offsets in bytes.
type Mistake struct {
	Line, Column int
	Offset       int64
	// Reason does not quote the file, which may hold secrets.
	Reason string
}

// Error implements error.
func (m Mistake) Error() string {
	return fmt.Sprintf("line %d, column %d (byte %d): %s", m.Line, m.Column, m.Offset, m.Reason)
}

// Summary counts an import: entries = imported + bad.
type Summary struct {
	Entries, Imported, Bad uint64
	// First and Last are the earliest and the latest arrival.
	First, Last time.Time
	// Sequence is the last number used.
	Sequence uint64
}

// String is one line for people.
func (s Summary) String() string {
	return fmt.Sprintf("%d entries: %d imported, %d not understood", s.Entries, s.Imported, s.Bad)
}
