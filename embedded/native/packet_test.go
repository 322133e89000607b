package native

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	chproto "github.com/ClickHouse/ch-go/proto"
	"github.com/google/go-cmp/cmp"

	"understudy.dev/embedded/blocks"
)

// sampleQuery is a Query packet as ch-go writes it, without its number.
func sampleQuery(revision int) []byte {
	var b chproto.Buffer
	chproto.Query{
		ID: "id", Body: "SELECT {x:String}", Compression: chproto.CompressionEnabled,
		Info:       chproto.ClientInfo{Interface: chproto.InterfaceTCP, Query: chproto.ClientQueryInitial, ClientName: "test"},
		Settings:   []chproto.Setting{{Key: "max_threads", Value: "3", Important: true}, {Key: "c", Value: "UInt64_5", Custom: true}},
		Parameters: []chproto.Parameter{{Key: "x", Value: `'it\'s'`}},
	}.EncodeAware(&b, revision)
	return b.Buf[1:]
}

func TestReadQuery(t *testing.T) {
	for _, revision := range []int{54429, 54441, 54442, 54448, 54449, 54453, 54459, serverRevision} {
		got, err := readQuery(blocks.NewScanner(bytes.NewReader(sampleQuery(revision))), uint64(revision))
		if err != nil {
			t.Errorf("revision %d: %v", revision, err)
			continue
		}
		want := query{
			id: "id", text: "SELECT {x:String}", compressed: true,
			settings: []setting{{"max_threads", "3", true}, {"c", "5", false}},
		}
		if revision >= revisionParameters {
			want.parameters = map[string]string{"x": "it's"}
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(query{}, setting{})); diff != "" {
			t.Errorf("revision %d: %s", revision, diff)
		}
	}
}

func TestReadQueryRefuses(t *testing.T) {
	f := func(b []byte, want string) {
		t.Helper()
		if _, err := readQuery(blocks.NewScanner(bytes.NewReader(b)), serverRevision); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	good := sampleQuery(serverRevision)
	f(good[:len(good)-1], "unexpected EOF")
	f(binary.AppendUvarint(nil, 1<<40), "longer than the limit")
	f([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, "longer than 64 bits")
	stage := append(blocks.AppendString(nil, ""), 0, 0, 0, 1)
	f(stage, "stage 1")
	many := append(blocks.AppendString(nil, ""), 0)
	for range maxSettings + 1 {
		many = append(blocks.AppendString(many, "s"), 0, 0)
	}
	f(many, "more than 4096 settings")
}

func FuzzReadQuery(f *testing.F) {
	for _, revision := range []int{54429, serverRevision} {
		f.Add(sampleQuery(revision), uint64(revision))
	}
	f.Fuzz(func(t *testing.T, b []byte, revision uint64) {
		q, err := readQuery(blocks.NewScanner(bytes.NewReader(b)), revision)
		if err == nil && len(q.text) > len(b) {
			t.Fatalf("a query of %d bytes came out of %d", len(q.text), len(b))
		}
	})
}

func FuzzReadGreeting(f *testing.F) {
	f.Add(hello(serverRevision)[1:])
	f.Fuzz(func(t *testing.T, b []byte) {
		g, err := readGreeting(blocks.NewScanner(bytes.NewReader(b)))
		if err == nil && len(g.client)+len(g.database)+len(g.user) > len(b) {
			t.Fatalf("more came out of a hello than was in it")
		}
	})
}

func TestUndump(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		if got := undump(text); got != want {
			t.Errorf("undump(%q): got %q, want %q", text, got, want)
		}
	}
	f(`'a'`, "a")
	f(`''`, "")
	f(`'it\'s'`, "it's")
	f(`'it''s'`, "it's")
	f(`'a\\b\n\t\0'`, "a\\b\n\t\x00")
	f(`'a\\nb'`, `a\nb`)
	f(`UInt64_5`, "5")
	f(`Bool_1`, "1")
	f(`5`, "5")
	f(`'`, "'")
}
