package stage

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"

	"understudy.dev/exchange/file"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// fileMark begins the first line of a state on disk; the rest of that line is
// the SHA-256 of what follows: the steps that hold, one a line, as JSON.
const fileMark = "understudy stages 1 sha256 "

// maxFile bounds what is read of a file.
const maxFile = 4 << 20

// Save writes a state to a file, whole or not at all, and returns when it is on
// disk.
func Save(path string, s *State) error {
	var lines bytes.Buffer
	for _, step := range s.Steps() {
		line, err := protojson.Marshal(step)
		if err != nil {
			return fmt.Errorf("save the stages: %w", err)
		}
		lines.Write(append(line, '\n'))
	}
	sum := sha256.Sum256(lines.Bytes())
	if err := file.Write(path, append([]byte(fileMark+hex.EncodeToString(sum[:])+"\n"), lines.Bytes()...)); err != nil {
		return fmt.Errorf("save the stages: %w", err)
	}
	return nil
}

// Load reads what Save has written; no file is the state that knows nothing.
func Load(path string) (*State, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the stages: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return nil, fmt.Errorf("read the stages: %w", err)
	}
	head, lines, _ := strings.Cut(string(data), "\n")
	sum := sha256.Sum256([]byte(lines))
	if want, ok := strings.CutPrefix(head, fileMark); !ok || want != hex.EncodeToString(sum[:]) {
		return nil, fmt.Errorf("read the stages: %s:1: the file is damaged or not ours: its checksum does not agree", path)
	}
	s := &State{routes: map[string]*understudyv1.Stage{}}
	number := 1
	for line := range strings.Lines(lines) {
		number++
		step := &understudyv1.Stage{}
		err := protojson.UnmarshalOptions{DiscardUnknown: true}.Unmarshal([]byte(line), step)
		if err == nil {
			err = CheckMigration(step.GetMigration())
		}
		step = understood(step)
		if err == nil && s.migration != "" && s.migration != step.GetMigration() {
			err = fmt.Errorf("it is of migration %q, not of %q", step.GetMigration(), s.migration)
		}
		if err != nil {
			return nil, fmt.Errorf("read the stages: %s:%d: %w", path, number, err)
		}
		s.migration, s.version = step.GetMigration(), max(s.version, step.GetVersion())
		if step.GetRoute() == "" {
			s.whole = step
		} else {
			s.routes[step.GetRoute()] = step
		}
	}
	return s, nil
}
