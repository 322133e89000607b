// Package importer makes exchanges of recordings that people already have.
//
// An import reads its file once, in bounded memory, and emits exchanges in the
// order of the file. What cannot be understood is counted and reported with
// its place; what can be is kept.
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

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/redact"
	"understudy.dev/exchange/route"
	"understudy.dev/exchange/session"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Format reads one file format. emit is called once for each exchange; its
// error ends the import and is returned. An error of r, a file that ends within
// an entry, and a mistake after which nothing can be told apart are returned
// too, with the summary of what was imported before.
type Format func(ctx context.Context, r io.Reader, o Options, emit func(*understudyv1.Exchange) error) (Summary, error)

// Formats by name; har and gor are to come.
func Formats() map[string]Format {
	return map[string]Format{"combined": Combined, "nock": Nock}
}

// ByName finds a format.
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
	// Redactor is nil to keep everything as it is.
	Redactor *redact.Redactor
	// Authority and Scheme stand where the format does not say them.
	Authority, Scheme string
	// CaptureLimit cuts bodies, as live; 0 means 512 KiB.
	CaptureLimit int64
	// MaxEntry bounds one line or one JSON element; 0 means 16 MiB.
	MaxEntry int
	// Start and Interval give arrival times to what has none: the first at
	// Start (default: the Unix epoch), each next one Interval (default 1 s)
	// after the one before.
	Start    time.Time
	Interval time.Duration
	// Sequence is the last sequence number used under this Recorder: 0, or
	// what a previous file's Summary says.
	Sequence uint64
	// Bad is called for each entry that is not understood; nil ignores them.
	Bad func(Mistake)
}

func (o Options) withDefaults() (Options, error) {
	if o.Recorder == "" || o.Routes == nil || o.Sessions == nil {
		return o, errors.New("import: Recorder, Routes and Sessions must be set")
	}
	if o.CaptureLimit == 0 {
		o.CaptureLimit = message.DefaultCaptureLimit
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
	// Reason quotes nothing of the file: it may hold secrets.
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
