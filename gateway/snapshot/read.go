package snapshot

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

func sorted(m map[string][]byte) []string { return slices.Sorted(maps.Keys(m)) }

// Read reads a snapshot and checks it whole. The error wraps ErrDamaged, or
// ErrNewer if a later version of the program wrote it.
func Read(r io.Reader) (*Snapshot, error) {
	parts, err := unpack(r)
	if err != nil {
		return nil, err
	}
	s := &Snapshot{State: map[string][]byte{}, Files: map[string][]byte{}}
	first := parts[manifest]
	if string(parts[sealOf]) != sum(first) {
		return nil, fmt.Errorf("%w: the manifest is not as it was written, or there is none", ErrDamaged)
	}
	if err := json.Unmarshal(first, &s.Head); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrDamaged, manifest, err)
	}
	if s.Head.Format > Format {
		return nil, fmt.Errorf("the snapshot has format %d, which is %w than this program (%d); use understudy %s or later", s.Head.Format, ErrNewer, Format, s.Head.By)
	}
	known := map[string]bool{manifest: true, sealOf: true}
	for _, p := range s.Head.Parts {
		data, there := parts[p.Name]
		if !there || int64(len(data)) != p.Size || sum(data) != p.SHA256 {
			return nil, fmt.Errorf("%w: %s is missing, or not as it was written", ErrDamaged, p.Name)
		}
		known[p.Name] = true
	}
	for name := range parts {
		if !known[name] {
			return nil, fmt.Errorf("%w: %s is not in the manifest", ErrDamaged, name)
		}
	}
	return s, s.fill(parts)
}

// unpack reads the files of a tar, each once.
func unpack(r io.Reader) (map[string][]byte, error) {
	const overhead = 16 << 20 // of heads and manifest
	in := tar.NewReader(io.LimitReader(r, MaxBytes+overhead))
	parts := map[string][]byte{}
	for {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return parts, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		if _, twice := parts[h.Name]; twice || h.Typeflag != tar.TypeReg || h.Size > MaxBytes {
			return nil, fmt.Errorf("%w: %+q is there twice, or no file", ErrDamaged, h.Name)
		}
		if parts[h.Name], err = io.ReadAll(in); err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrDamaged, h.Name, err)
		}
	}
}

// fill decodes the parts.
func (s *Snapshot) fill(parts map[string][]byte) error {
	var err [3]error
	s.Stages, err[0] = decode(stages, parts[stages], func() *understudyv1.Stage { return new(understudyv1.Stage) })
	s.Entries, err[1] = decode(entries, parts[entries], func() *understudyv1.InFlight { return new(understudyv1.InFlight) })
	s.Tallies, err[2] = decode(tallies, parts[tallies], func() *understudyv1.InFlightTally { return new(understudyv1.InFlightTally) })
	if failed := json.Unmarshal(parts[offsets], &s.Offsets); failed != nil {
		return fmt.Errorf("%w: %s: %w", ErrDamaged, offsets, failed)
	}
	for name, data := range parts {
		if rest, ok := strings.CutPrefix(name, inState); ok {
			s.State[rest] = data
			err[0] = errors.Join(err[0], checkName(rest))
		}
		if rest, ok := strings.CutPrefix(name, inFiles); ok {
			s.Files[rest] = data
			err[0] = errors.Join(err[0], checkName(rest))
		}
	}
	for _, step := range s.Stages {
		if step.GetMigration() != s.Head.Migration {
			err[0] = errors.Join(err[0], fmt.Errorf("%w: %s has a step of migration %+q", ErrDamaged, stages, step.GetMigration()))
		}
	}
	return errors.Join(err[:]...)
}

func decode[M proto.Message](name string, data []byte, make func() M) (out []M, err error) {
	number := 0
	for line := range bytes.Lines(data) {
		number++
		m := make()
		if err := protojson.Unmarshal(line, m); err != nil {
			// Also a field that this version does not know: to leave it out would be to
			// restore something else.
			return nil, fmt.Errorf("%w: %s:%d: %w", ErrDamaged, name, number, err)
		}
		out = append(out, m)
	}
	return out, nil
}

// MissingStages are the steps that those which are there lack. The error wraps
// ErrNewer if they have gone on since the snapshot, and says so if they are of
// another history.
func (s *Snapshot) MissingStages(have []*understudyv1.Stage) ([]*understudyv1.Stage, error) {
	for i, step := range have {
		switch {
		case i >= len(s.Stages):
			return nil, fmt.Errorf("migration %s has gone on since: it is at step %d, the snapshot at step %d, and what is %w is not taken back; roll it back by a step instead",
				s.Head.Migration, have[len(have)-1].GetVersion(), s.last(), ErrNewer)
		case step.GetId() != s.Stages[i].GetId() || step.GetVersion() != s.Stages[i].GetVersion():
			return nil, fmt.Errorf("migration %s has another history there: its step %d is not that of the snapshot; restore it under another prefix", s.Head.Migration, step.GetVersion())
		}
	}
	return s.Stages[len(have):], nil
}

func (s *Snapshot) last() uint64 {
	if len(s.Stages) == 0 {
		return 0
	}
	return s.Stages[len(s.Stages)-1].GetVersion()
}
