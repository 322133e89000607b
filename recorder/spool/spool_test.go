package spool

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func config() Config {
	c := DefaultConfig()
	c.MaxBytes = 1 << 20
	return c
}

// bin counts what becomes of frames.
type bin struct {
	safe, failed int
	err          error
	lost         map[string]uint64
}

func (b *bin) done(err error) {
	if err == nil {
		b.safe++
		return
	}
	b.failed++
	b.err = err
}

func (b *bin) drop(n uint64, why error, _ Position) { b.lost[why.Error()] += n }

func open(t *testing.T, dir string, cfg Config, head Position) (*Log, *bin) {
	t.Helper()
	b := &bin{lost: map[string]uint64{}}
	l, err := Open(dir, cfg, head, b.drop)
	if err != nil {
		t.Fatal(err)
	}
	return l, b
}

func appendAll(t *testing.T, l *Log, b *bin, contents ...string) {
	t.Helper()
	for _, c := range contents {
		if err := l.Append([]byte(c), b.done); err != nil {
			t.Fatal(err)
		}
	}
}

// take takes everything and returns where the log begins then.
func take(t *testing.T, l *Log, frames int) (got []string, end Position) {
	t.Helper()
	for {
		b, err := l.Next(frames, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		if len(b.Contents) == 0 && b.Lost == 0 {
			return got, end
		}
		for _, c := range b.Contents {
			got = append(got, string(c))
		}
		end = b.End
		l.Advance(b)
	}
}

func TestFramesComeOutAsTheyWentIn(t *testing.T) {
	dir := t.TempDir()
	l, b := open(t, dir, config(), Position{})
	appendAll(t, l, b, "a", "b")
	if batch, _ := l.Next(9, 9); len(batch.Contents) != 0 || b.safe != 0 {
		t.Error("what is not safe can be taken")
	}
	l.Sync()
	if got, _ := take(t, l, 1); b.safe != 2 || !cmp.Equal(got, []string{"a", "b"}) {
		t.Errorf("%d safe, got %q", b.safe, got)
	}
	if l.Bytes() != 0 {
		t.Errorf("an empty log takes %d bytes", l.Bytes())
	}
	var want []string
	for i := range 2000 {
		want = append(want, fmt.Sprintf("%d-%s", i, bytes.Repeat([]byte{'x'}, i%997)))
	}
	appendAll(t, l, b, want...)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l, _ = open(t, dir, config(), l.Head())
	if n, _ := l.Len(); n != 2000 {
		t.Errorf("%d frames after opening it again", n)
	}
	batch, err := l.Next(700, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	if same, _ := l.Next(700, 1<<30); !cmp.Equal(batch, same) {
		t.Error("what was not taken does not come again")
	}
	l.Advance(batch)
	l, _ = open(t, dir, config(), batch.End)
	rest, _ := take(t, l, 300)
	var got []string
	for _, c := range batch.Contents {
		got = append(got, string(c))
	}
	if diff := cmp.Diff(want, append(got, rest...)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if err := l.Remove(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is still there: %v", err)
	}
}

// TestATornTailIsCut at every byte: what is before it is whole, and what is
// appended after it is found.
func TestATornTailIsCut(t *testing.T) {
	origin := t.TempDir()
	l, b := open(t, origin, config(), Position{})
	appendAll(t, l, b, "first", "second", "third")
	l.Sync()
	name := filepath.Base(l.path(firstSegment))
	whole, err := os.ReadFile(l.path(firstSegment))
	if err != nil {
		t.Fatal(err)
	}
	ends := []int{len(header), len(header) + 8 + 5, len(header) + 16 + 11, len(whole)}
	for size := range len(whole) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, name), whole[:size], 0o600); err != nil {
			t.Fatal(err)
		}
		want := []string{}
		for i, c := range []string{"first", "second", "third"} {
			if size >= ends[i+1] {
				want = append(want, c)
			}
		}
		l, b := open(t, dir, config(), Position{})
		if n, _ := l.Len(); int(n) != len(want) {
			t.Fatalf("of %d bytes %d frames are whole, want %d", size, n, len(want))
		}
		appendAll(t, l, b, "later")
		l.Sync()
		if got, _ := take(t, l, 10); !cmp.Equal(got, append(want, "later")) {
			t.Errorf("of %d bytes came %q", size, got)
		}
	}
}

// TestADamagedByteEndsTheSegment and nothing else.
func TestADamagedByteEndsTheSegment(t *testing.T) {
	dir := t.TempDir()
	l, b := open(t, dir, config(), Position{})
	appendAll(t, l, b, "first", "second", "third")
	l.Sync()
	path := l.path(firstSegment)
	damage := func(at int64) {
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteAt([]byte{0xff}, at); err != nil {
			t.Fatal(err)
		}
	}
	damage(int64(len(header)) + 8 + 5 + 8 + 2)
	batch, err := l.Next(10, 1<<20)
	if err != nil || len(batch.Contents) != 1 {
		t.Fatalf("%d frames, %v", len(batch.Contents), err)
	}
	l.Advance(batch)
	batch, err = l.Next(10, 1<<20)
	if err != nil || batch.Lost != 2 {
		t.Fatalf("%+v, %v", batch, err)
	}
	l.Advance(batch)
	appendAll(t, l, b, "later")
	l.Sync()
	if got, _ := take(t, l, 10); !cmp.Equal(got, []string{"later"}) {
		t.Errorf("after the damage came %q", got)
	}
}

// TestForeignFilesAreLeftAlone, whatever their names look like.
func TestForeignFilesAreLeftAlone(t *testing.T) {
	dir := t.TempDir()
	l, b := open(t, dir, config(), Position{})
	appendAll(t, l, b, "a", "b")
	l.Sync()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	foreign := []string{"00000099.spool", "99.spool", "00000001000000AB.spool", "x.spool"}
	for _, name := range foreign {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("something"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l, _ = open(t, dir, config(), Position{Segment: firstSegment, Offset: headerSize})
	if got, _ := take(t, l, 10); len(got) != 2 {
		t.Errorf("took %q", got)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range foreign {
		if content, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(content) != "something" {
			t.Errorf("%s: %q, %v", name, content, err)
		}
	}
}

func TestBounds(t *testing.T) {
	frame := string(bytes.Repeat([]byte("x"), 10_000))
	fill := func(policy string) (l *Log, b *bin, refused int) {
		c := config()
		c.Policy = policy
		l, b = open(t, t.TempDir(), c, Position{})
		for range 300 { // three times what fits
			switch err := l.Append([]byte(frame), b.done); {
			case errors.Is(err, ErrFull):
				refused++
			case err != nil:
				t.Fatal(err)
			}
			l.Sync()
		}
		if l.Bytes() > c.MaxBytes+20_000 {
			t.Errorf("%s: %d bytes", policy, l.Bytes())
		}
		return l, b, refused
	}
	l, b, refused := fill(Newest)
	if n, _ := l.Len(); int(n)+refused != 300 || n < 100 || len(b.lost) != 0 {
		t.Errorf("newest: %d kept, %d refused, lost %v", n, refused, b.lost)
	}
	if err := l.Refuses(); !errors.Is(err, ErrFull) {
		t.Errorf("a full log: %v", err)
	}
	l, b, refused = fill(Oldest)
	if n, _ := l.Len(); n+b.lost[ErrFull.Error()] != 300 || n < 90 || refused != 0 {
		t.Errorf("oldest: %d kept, %d refused, lost %v", n, refused, b.lost)
	}

	// What is being taken stays, however large the log grows.
	batch, err := l.Next(1, 1)
	if err != nil {
		t.Fatal(err)
	}
	before, _ := l.Len()
	gone := b.lost[ErrFull.Error()]
	for range 150 {
		appendAll(t, l, b, frame)
		l.Sync()
	}
	same, err := l.Next(1, 1)
	if err != nil || !cmp.Equal(batch, same) {
		t.Errorf("what was being taken is gone: %v", err)
	}
	if n, _ := l.Len(); n+b.lost[ErrFull.Error()]-gone != before+150 {
		t.Errorf("%d of %d are kept, %d more lost", n, before+150, b.lost[ErrFull.Error()]-gone)
	}

	l, b, _ = fill(Oldest)
	n, _ := l.Len()
	l.now = func() time.Time { return time.Now().Add(l.cfg.MaxAge + time.Hour) }
	l.Sync()
	if left, _ := l.Len(); left != 0 || b.lost[ErrExpired.Error()] != n {
		t.Errorf("of %d expired %d are left, lost %v", n, left, b.lost)
	}
	l.now = time.Now
	appendAll(t, l, b, "new")
	l.Sync()
	if got, _ := take(t, l, 9); !cmp.Equal(got, []string{"new"}) {
		t.Errorf("after expiry came %d frames", len(got))
	}
}

// weak is a file on a disk that fills up, or whose sync fails.
type weak struct {
	file
	room *int
	sync error
}

func (w weak) Write(p []byte) (int, error) {
	n := min(len(p), *w.room)
	*w.room -= n
	if n, err := w.file.Write(p[:n]); err != nil || n < len(p) {
		return n, errors.Join(err, syscall.ENOSPC)
	}
	return n, nil
}

func (w weak) Sync() error {
	if w.sync != nil {
		return w.sync
	}
	return w.file.Sync()
}

// TestAFullDiskAndAFailedSyncLoseWhatTheySay: every frame is either safe and
// comes out, or is said to be lost and does not.
func TestAFullDiskAndAFailedSyncLoseWhatTheySay(t *testing.T) {
	f := func(failure error, want error) {
		t.Helper()
		dir := t.TempDir()
		l, b := open(t, dir, config(), Position{})
		now := time.Now()
		l.now = func() time.Time { return now }
		room, sync := 1<<30, error(nil)
		l.create = func(path string) (file, error) {
			f, err := createFile(path)
			return weak{f, &room, sync}, err
		}
		appendAll(t, l, b, "a", "b")
		l.Sync()
		if errors.Is(failure, syscall.ENOSPC) {
			room = 13 // within the second frame
		} else {
			l.active = weak{l.active.(weak).file, &room, failure}
		}
		appendAll(t, l, b, "lost", "lost too")
		l.Sync()
		if b.safe != 2 || b.failed != 2 || !errors.Is(b.err, want) || !errors.Is(b.err, failure) {
			t.Errorf("%v: %d safe, %d failed: %v", failure, b.safe, b.failed, b.err)
		}
		if err := l.Append([]byte("x"), b.done); !errors.Is(err, want) || !errors.Is(l.Refuses(), want) {
			t.Errorf("%v: right after it: %v", failure, err)
		}
		now, room = now.Add(2*pauseAfterError), 1<<30
		appendAll(t, l, b, "c")
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		l, _ = open(t, dir, config(), Position{})
		if got, _ := take(t, l, 9); b.safe != 3 || !cmp.Equal(got, []string{"a", "b", "c"}) {
			t.Errorf("%v: %d safe, came %q", failure, b.safe, got)
		}
	}
	f(syscall.ENOSPC, ErrFull)
	f(syscall.EIO, ErrDisk)
}

func TestWhatIsPrependedComesFirst(t *testing.T) {
	dir := t.TempDir()
	l, b := open(t, dir, config(), Position{})
	appendAll(t, l, b, "c")
	l.Sync()
	at, err := l.Prepend([][]byte{[]byte("a"), []byte("b")})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l, b = open(t, dir, config(), at)
	batch, _ := l.Next(1, 1)
	l.Advance(batch)
	if _, err := l.Prepend([][]byte{[]byte("x")}); err == nil {
		t.Error("frames were put before others that are taken")
	}
	if got, _ := take(t, l, 9); !cmp.Equal(got, []string{"b", "c"}) {
		t.Errorf("came %q", got)
	}
	appendAll(t, l, b, "d")
	l.Sync()
	if _, err := l.Prepend([][]byte{[]byte("again")}); err != nil {
		t.Error(err)
	}
	if got, _ := take(t, l, 9); !cmp.Equal(got, []string{"again", "d"}) {
		t.Errorf("came %q", got)
	}
}

func TestTwoNeverShareAFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "life")
	lock, err := Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Lock(dir); !errors.Is(err, ErrLocked) {
		t.Errorf("a second lock: %v", err)
	}
	lock.Close()
	if lock, err = Lock(dir); err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	for path, want := range map[string]os.FileMode{dir: 0o700 | os.ModeDir, filepath.Join(dir, "lock"): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
}

// TestAnyHistoryIsTold appends, takes, crashes and opens again at random:
// nothing is lost, comes twice or out of order.
func TestAnyHistoryIsTold(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		dir, head := t.TempDir(), Position{}
		l, b := open(t, dir, config(), head)
		var want, got []string
		var waiting []string
		for i := range 400 {
			switch r.IntN(6) {
			case 0, 1, 2:
				c := fmt.Sprint(i, string(bytes.Repeat([]byte("y"), r.IntN(3000))))
				waiting = append(waiting, c)
				appendAll(t, l, b, c)
			case 3:
				l.Sync()
				want, waiting = append(want, waiting...), nil
			case 4:
				batch, err := l.Next(1+r.IntN(20), 1<<20)
				if err != nil {
					t.Fatal(err)
				}
				if len(batch.Contents) == 0 {
					break
				}
				for _, c := range batch.Contents {
					got = append(got, string(c))
				}
				head = batch.End
				if r.IntN(4) > 0 {
					l.Advance(batch)
					break
				}
				fallthrough // killed between the two
			case 5: // what is not synced is gone with the process
				waiting = nil
				l, b = open(t, dir, config(), head)
			}
		}
		rest, _ := take(t, l, 50)
		if diff := cmp.Diff(want, append(got, rest...)); diff != "" {
			t.Fatalf("seed %d: -want +got\n%s", seed, diff)
		}
	}
}

func TestConfig(t *testing.T) {
	if err := DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
	err := Config{Policy: "some"}.Validate()
	for _, want := range []string{"max_bytes", "max_age", "policy", "drain_rate", "sync_interval"} {
		if err == nil || !bytes.Contains([]byte(err.Error()), []byte(want)) {
			t.Errorf("want %q in %v", want, err)
		}
	}
}

// FuzzRead: whatever stands in a segment, opening it ends, and what comes out
// was framed.
func FuzzRead(f *testing.F) {
	good := appendFrame(appendFrame([]byte(header), []byte("a")), bytes.Repeat([]byte("b"), 300))
	f.Add(good)
	f.Add(good[:len(good)-1])
	f.Add([]byte(header + "\xff\xff\xff\x7f\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%016x", firstSegment)+segmentSuffix), data, 0o600); err != nil {
			t.Fatal(err)
		}
		l, b := open(t, dir, config(), Position{})
		n, _ := l.Len()
		got, _ := take(t, l, 1000)
		if uint64(len(got)) != n {
			t.Fatalf("%d frames were counted, %d came", n, len(got))
		}
		framed := []byte(header)
		for _, c := range got {
			framed = appendFrame(framed, []byte(c))
		}
		if len(got) > 0 && !bytes.HasPrefix(data, framed) {
			t.Fatal("something came out that does not stand there")
		}
		appendAll(t, l, b, "later")
		l.Sync()
		if got, _ := take(t, l, 9); !cmp.Equal(got, []string{"later"}) {
			t.Fatalf("afterwards came %q", got)
		}
	})
}

// TestWhatIsNotWrittenCanBeWithdrawn, in order and with whom it concerns, but
// not past what is on disk.
func TestWhatIsNotWrittenCanBeWithdrawn(t *testing.T) {
	dir := t.TempDir()
	l, b := open(t, dir, config(), Position{})
	appendAll(t, l, b, "a")
	l.Sync()
	appendAll(t, l, b, "b", "c")
	if _, _, empty := l.Withdraw(); empty {
		t.Error("something was withdrawn though more is on disk")
	}
	batch, _ := l.Next(9, 9)
	l.Advance(batch)
	contents, dones, empty := l.Withdraw()
	if !empty || len(dones) != 2 || !cmp.Equal(contents, [][]byte{[]byte("b"), []byte("c")}) {
		t.Errorf("withdrawn %q, %d concerned, empty %t", contents, len(dones), empty)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l, _ = open(t, dir, config(), batch.End)
	if got, _ := take(t, l, 9); len(got) != 0 || b.safe != 1 || b.failed != 0 {
		t.Errorf("%q is there all the same, %d safe", got, b.safe)
	}
}
