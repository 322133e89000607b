package understudyv1_test

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	_ "understudy.dev/schemas/understudy/v1"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestGoldenBytes pins the wire format: what one version wrote to Kafka, the
// next must read. Every message of the package is filled field by field, so a
// new field shows up as a changed golden, and a changed number as well.
func TestGoldenBytes(t *testing.T) {
	messages := 0
	protoregistry.GlobalTypes.RangeMessages(func(mt protoreflect.MessageType) bool {
		if mt.Descriptor().ParentFile().Package() != "understudy.v1" || mt.Descriptor().IsMapEntry() {
			return true
		}
		messages++
		name := string(mt.Descriptor().Name())
		t.Run(name, func(t *testing.T) {
			want := mt.New()
			fill(want, 0)
			got, err := proto.MarshalOptions{Deterministic: true}.Marshal(want.Interface())
			if err != nil {
				t.Fatal(err)
			}
			compareGolden(t, name, got)
			back := mt.New().Interface()
			if err := proto.Unmarshal(got, back); err != nil {
				t.Fatal(err)
			}
			if !proto.Equal(want.Interface(), back) {
				t.Errorf("round trip changed the message:\n got %v\nwant %v", back, want)
			}
		})
		return true
	})
	if messages < 15 {
		t.Fatalf("found %d messages of understudy.v1, expected at least 15: is the package registered?", messages)
	}
}

// TestGoldenEnums pins the numbers of all enumerations, which the messages
// above do not: they hold the same value whatever it is called.
func TestGoldenEnums(t *testing.T) {
	var got []string
	protoregistry.GlobalTypes.RangeEnums(func(et protoreflect.EnumType) bool {
		if et.Descriptor().ParentFile().Package() != "understudy.v1" {
			return true
		}
		for i := range et.Descriptor().Values().Len() {
			v := et.Descriptor().Values().Get(i)
			got = append(got, fmt.Sprintf("%s %d %s\n", et.Descriptor().Name(), v.Number(), v.Name()))
		}
		return true
	})
	slices.Sort(got)
	if len(got) < 5 {
		t.Fatalf("found only %d values: is the package registered?", len(got))
	}
	file := filepath.Join("testdata", "enums.txt")
	if *update {
		if err := os.WriteFile(file, []byte(strings.Join(got, "")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v (run with -update)", err)
	}
	if have := strings.Join(got, ""); have != string(want) {
		t.Errorf("enumerations changed\n got:\n%s\nwant:\n%s", have, want)
	}
}

// compareGolden keeps raw bytes beside a hex twin that a diff can show.
func compareGolden(t *testing.T, name string, got []byte) {
	t.Helper()
	raw := filepath.Join("testdata", name+".raw")
	dump := filepath.Join("testdata", name+".hex")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		for file, data := range map[string][]byte{raw: got, dump: []byte(hex.Dump(got))} {
			if err := os.WriteFile(file, data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	want, err := os.ReadFile(raw)
	if err != nil {
		t.Fatalf("%v (run with -update)", err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: wire bytes changed\n got:\n%s\nwant:\n%s", name, hex.Dump(got), hex.Dump(want))
	}
	twin, err := os.ReadFile(dump)
	if err != nil {
		t.Fatal(err)
	}
	if string(twin) != hex.Dump(want) {
		t.Errorf("%s is not the hex dump of %s", dump, raw)
	}
}

// fill sets every field to a value that depends on its number, so that two
// fields swapped give other bytes.
func fill(m protoreflect.Message, depth int) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		if depth > 3 && f.Message() != nil {
			continue
		}
		switch {
		case f.IsMap():
			mp := m.Mutable(f).Map()
			mp.Set(protoreflect.ValueOfString("reason").MapKey(), scalar(f.MapValue()))
		case f.IsList():
			list := m.Mutable(f).List()
			for range 2 {
				if f.Message() != nil {
					fill(list.AppendMutable().Message(), depth+1)
				} else {
					list.Append(scalar(f))
				}
			}
		case f.Message() != nil:
			fill(m.Mutable(f).Message(), depth+1)
		default:
			m.Set(f, scalar(f))
		}
	}
}

func scalar(f protoreflect.FieldDescriptor) protoreflect.Value {
	n := int64(f.Number())
	switch f.Kind() {
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(strings.Repeat(string(f.Name())[:1], int(n)))
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes([]byte{0xff, byte(n), 0x00})
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(true)
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(1)
	case protoreflect.Int32Kind:
		return protoreflect.ValueOfInt32(int32(-n))
	case protoreflect.Int64Kind:
		return protoreflect.ValueOfInt64(-n)
	case protoreflect.Uint32Kind:
		return protoreflect.ValueOfUint32(uint32(1000 + n))
	case protoreflect.Uint64Kind:
		return protoreflect.ValueOfUint64(uint64(9007199254740993 + n))
	case protoreflect.DoubleKind:
		return protoreflect.ValueOfFloat64(float64(n) + 0.25)
	default:
		panic("golden test has no value for " + f.Kind().String())
	}
}
