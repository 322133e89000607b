package snapshot_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"understudy.dev/gateway/snapshot"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

func step(version uint64, id string) *understudyv1.Stage {
	return &understudyv1.Stage{Migration: "m", Name: understudyv1.Stage_NAME_SHADOW, Version: version, Id: id, Reason: "täglich\n"}
}

func example() *snapshot.Snapshot {
	return &snapshot.Snapshot{
		Head:    snapshot.Head{Made: time.Unix(1e9, 0).UTC(), By: "v1", Migration: "m", Prefix: "p"},
		Stages:  []*understudyv1.Stage{step(1, "a"), step(2, "b")},
		Entries: []*understudyv1.InFlight{{Migration: "m", Id: "x", Location: "/jobs/1", State: understudyv1.InFlight_STATE_HELD}},
		Tallies: []*understudyv1.InFlightTally{{Migration: "m", Gateway: "g", Accepted: 1 << 60, Held: 1 << 60}},
		Offsets: []snapshot.Offset{{Group: "g", Topic: "t", TopicID: "i", Partition: 3, Offset: 1 << 60, Metadata: "next 7"}},
		State:   map[string][]byte{"ledger-1/name": []byte("N"), "killed": {}}, Files: map[string][]byte{"understudy.yaml": []byte("a: 1\n")},
	}
}

func written(t *testing.T, s *snapshot.Snapshot) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := snapshot.Write(&b, s); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestRoundTrip(t *testing.T) {
	want := example()
	got, err := snapshot.Read(bytes.NewReader(written(t, want)))
	if err != nil {
		t.Fatal(err)
	}
	if got.Head.Format != snapshot.Format || len(got.Head.Parts) != 7 {
		t.Errorf("head %+v", got.Head)
	}
	want.Head = got.Head
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
}

// remade is a snapshot with other files in its tar.
func remade(t *testing.T, data []byte, change func(name string, content []byte) (string, []byte), more ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	w, r := tar.NewWriter(&out), tar.NewReader(bytes.NewReader(data))
	put := func(name string, content []byte) {
		if err := w.WriteHeader(&tar.Header{Name: name, Size: int64(len(content)), Mode: 0o600}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		content, err2 := io.ReadAll(r)
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		if name, content := change(h.Name, content); name != "" {
			put(name, content)
		}
	}
	for _, name := range more {
		put(name, []byte("x"))
	}
	w.Close()
	return out.Bytes()
}

// TestDamaged: what is not as it was written is refused, whichever file it is.
func TestDamaged(t *testing.T) {
	whole := written(t, example())
	f := func(what string, data []byte) {
		t.Helper()
		if _, err := snapshot.Read(bytes.NewReader(data)); !errors.Is(err, snapshot.ErrDamaged) {
			t.Errorf("%s: got %v", what, err)
		}
	}
	f("nothing", nil)
	f("no tar", []byte(strings.Repeat("x", 2000)))
	f("cut", whole[:len(whole)/2])
	same := func(name string, content []byte) (string, []byte) { return name, content }
	names := 0
	remade(t, whole, func(name string, content []byte) (string, []byte) { names++; return name, content })
	if names != 9 {
		t.Fatalf("%d files", names)
	}
	remade(t, whole, func(target string, content []byte) (string, []byte) {
		f(target+" is missing", remade(t, whole, func(name string, c []byte) (string, []byte) {
			if name == target {
				return "", nil
			}
			return name, c
		}))
		f(target+" has another byte", remade(t, whole, func(name string, c []byte) (string, []byte) {
			if name == target {
				return name, append(bytes.Clone(c), ' ')
			}
			return name, c
		}))
		return target, content
	})
	f("one too many", remade(t, whole, same, "files/other"))
	f("one twice", remade(t, whole, same, "files/understudy.yaml"))
	other := example()
	other.Stages[0].Migration = "n"
	f("another migration", written(t, other))
}

// TestNames: nothing leads out of a folder.
func TestNames(t *testing.T) {
	for _, name := range []string{"", "../x", "/etc/passwd", "a/../../x", "a//b", `a\b`, "..", "c:x"} {
		s := example()
		s.Files = map[string][]byte{name: nil}
		if err := snapshot.Write(io.Discard, s); err == nil {
			t.Errorf("%q is taken", name)
		}
	}
}

// TestMissingStages: what is there must be the beginning of what is restored.
func TestMissingStages(t *testing.T) {
	s := example()
	f := func(want int, newer bool, fault string, have ...*understudyv1.Stage) {
		t.Helper()
		got, err := s.MissingStages(have)
		if len(got) != want || errors.Is(err, snapshot.ErrNewer) != newer || (err == nil) != (fault == "") || err != nil && !strings.Contains(err.Error(), fault) {
			t.Errorf("%v: got %v, %v", have, got, err)
		}
	}
	f(2, false, "")
	f(1, false, "", step(1, "a"))
	f(0, false, "", step(1, "a"), step(2, "b"))
	f(0, true, "is at step 3, the snapshot at step 2", step(1, "a"), step(2, "b"), step(3, "c"))
	f(0, false, "another history", step(1, "z"))
}
