// Package snapshot is a migration in one file: its steps, what is in flight, how
// far groups have read, and the files by which its commands run. It is a tar with
// a manifest of checksums, read whole or not at all.
//
// It also says what of a snapshot is missing where it is to be restored, and
// refuses to take back what has gone on since.
package snapshot

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Format is the version of the file that this program writes; it reads none that
// is higher.
const Format = 1

// MaxBytes bounds a snapshot.
const MaxBytes = 256 << 20

// Head says what a snapshot is of.
type Head struct {
	Format    int       `json:"format"`
	Made      time.Time `json:"made"`
	By        string    `json:"by"`
	Migration string    `json:"migration"`
	Prefix    string    `json:"prefix"`
	Parts     []Part    `json:"parts"`
}

// Part is one file within.
type Part struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// Snapshot is one in memory.
type Snapshot struct {
	Head    Head
	Stages  []*understudyv1.Stage
	Entries []*understudyv1.InFlight
	Tallies []*understudyv1.InFlightTally
	Offsets []Offset
	// State are files of the folder of state, by their paths within it, and Files
	// others, by their names.
	State, Files map[string][]byte
}

// Offset is how far a group has read a partition. TopicID tells a topic from one
// of the same name that was made later.
type Offset struct {
	Group     string `json:"group"`
	Topic     string `json:"topic"`
	TopicID   string `json:"topic_id"`
	Partition int32  `json:"partition"`
	Offset    int64  `json:"offset"`
	// Metadata is what the group has committed beside it.
	Metadata string `json:"metadata,omitempty"`
}

// Names of the parts.
const (
	manifest = "manifest.json"
	sealOf   = "manifest.sha256"
	stages   = "stages.jsonl"
	entries  = "inflight.jsonl"
	tallies  = "inflight-tallies.jsonl"
	offsets  = "offsets.json"
	inState  = "state/"
	inFiles  = "files/"
)

// ErrDamaged is wrapped by the errors of Read: it is no snapshot, or not as it was
// written.
var ErrDamaged = errors.New("the snapshot is damaged")

// ErrNewer is wrapped where something is newer than what would have to know it.
var ErrNewer = errors.New("newer")

// Write writes a snapshot, whose Head says all but the parts.
func Write(w io.Writer, s *Snapshot) error {
	parts := map[string][]byte{}
	var order []string
	add := func(name string, data []byte, err error) error {
		parts[name] = data
		order = append(order, name)
		return err
	}
	read, err := json.Marshal(s.Offsets)
	err = errors.Join(add(stages, nil, nil), add(entries, nil, nil), add(tallies, nil, nil), add(offsets, read, err))
	parts[stages], err = lines(s.Stages, err)
	parts[entries], err = lines(s.Entries, err)
	parts[tallies], err = lines(s.Tallies, err)
	for _, kind := range []struct {
		under string
		files map[string][]byte
	}{{inState, s.State}, {inFiles, s.Files}} {
		for _, name := range sorted(kind.files) {
			err = errors.Join(err, add(kind.under+name, kind.files[name], checkName(name)))
		}
	}
	if err != nil {
		return fmt.Errorf("write the snapshot: %w", err)
	}
	head, total := s.Head, int64(0)
	head.Format, head.Parts = Format, nil
	for _, name := range order {
		total += int64(len(parts[name]))
		head.Parts = append(head.Parts, Part{name, int64(len(parts[name])), sum(parts[name])})
	}
	if total > MaxBytes {
		return fmt.Errorf("write the snapshot: it would have %d bytes, and at most %d are read", total, MaxBytes)
	}
	first, err := json.MarshalIndent(head, "", "  ")
	if err != nil {
		return fmt.Errorf("write the snapshot: %w", err)
	}
	out := tar.NewWriter(w)
	put := func(name string, data []byte) {
		err = errors.Join(err, out.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(data)), ModTime: head.Made}))
		_, failed := out.Write(data)
		err = errors.Join(err, failed)
	}
	put(manifest, first)
	for _, name := range order {
		put(name, parts[name])
	}
	put(sealOf, []byte(sum(first)))
	return errors.Join(err, out.Close())
}

func lines[M proto.Message](list []M, err error) ([]byte, error) {
	var out bytes.Buffer
	for _, m := range list {
		line, failed := protojson.MarshalOptions{UseProtoNames: true}.Marshal(m)
		err = errors.Join(err, failed)
		out.Write(append(line, '\n'))
	}
	return out.Bytes(), err
}

func sum(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}

// checkName refuses what would lead out of a folder.
func checkName(name string) error {
	if name == "" || name != path.Clean(name) || path.IsAbs(name) || strings.HasPrefix(name, "..") || strings.ContainsAny(name, "\\\x00:") {
		return fmt.Errorf("%w: %+q is no name of a file in it", ErrDamaged, name)
	}
	return nil
}
