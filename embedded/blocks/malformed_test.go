package blocks

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"
)

// oneColumn is a block of revision 0 with one column, whose bytes are given.
func oneColumn(kind string, rows uint64, data ...[]byte) []byte {
	b := AppendStart(nil, Shape{Columns: 1, Rows: rows}, Layout{})
	return append(AppendString(AppendString(b, "x"), kind), slices.Concat(data...)...)
}

func u64(n uint64) []byte { return binary.LittleEndian.AppendUint64(nil, n) }

func texts(words ...string) []byte {
	b := binary.AppendUvarint(nil, uint64(len(words)))
	for _, word := range words {
		b = AppendString(b, word)
	}
	return b
}

// TestMoveRefuses: what no engine sends, but somebody else may.
func TestMoveRefuses(t *testing.T) {
	f := func(want, kind string, data ...[]byte) {
		t.Helper()
		if _, err := move(oneColumn(kind, 1, data...), 1<<20, Layout{}, Layout{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", kind, err, want)
		}
	}
	f("mode 1, expected 0", "Variant(Int64, String)", u64(1))
	f("discriminator 2 is out of range for 2 types", "Variant(Int64, String)", u64(variantBasic), []byte{2})
	f("version 2, expected 1", "LowCardinality(String)", u64(2))
	one, few := u64(lowCardinalityVersion), slices.Concat(u64(1), texts("a")[1:])
	f("has flags 0x204", "LowCardinality(String)", one, u64(lowCardinalityHasKeys|4), few, u64(1), make([]byte, 16))
	f("has flags 0x300", "LowCardinality(String)", one, u64(lowCardinalityHasKeys|lowCardinalityGlobal), few, u64(1), []byte{0})
	f("has flags 0x0", "LowCardinality(String)", one, u64(0), few, u64(1), []byte{0})
	f("2 indexes for 1 rows", "LowCardinality(String)", one, u64(lowCardinalityHasKeys), few, u64(2), []byte{0, 0})
	f("Dynamic has version 9", "Dynamic", u64(9))
	f("Dynamic has 200001 types", "Dynamic", u64(dynamicV2), binary.AppendUvarint(nil, maxBlockColumns+1))
	long := strings.Repeat(" ", MaxTypeBytes/2) + "Int8"
	f("the types of a Dynamic need more than", "Dynamic", u64(dynamicFlattened), texts(long, long), []byte{2})
	f("JSON has version 7", "JSON", u64(7))
	f("do not fit a block", "Array(Int64)", u64(1<<61))
	f("longer than 64 bits", "String", bytes.Repeat([]byte{0xff}, 9), []byte{2})
	f("longer than 64 bits", "String", bytes.Repeat([]byte{0xff}, 10), []byte{0})
}

// TestMoveRare moves what clickhouse-go does not encode; the end of each column
// is found when a second block can follow.
func TestMoveRare(t *testing.T) {
	f := func(kind string, rows uint64, data ...[]byte) {
		t.Helper()
		twice := bytes.Repeat(oneColumn(kind, rows, data...), 2)
		if got, err := move(twice, 1<<20, Layout{}, Layout{}); err != nil || !bytes.Equal(got, twice) {
			t.Errorf("%s: %d of %d bytes, %v", kind, len(got), len(twice), err)
		}
	}
	// Typed paths stand in the order of their names, not of the type.
	f("JSON(b String, a UInt8)", 1, u64(objectFlattened), texts(), []byte{5}, texts("hello!")[1:])
	f("JSON", 2, u64(objectString), texts("{}", `{"a":1}`)[1:])
	// With 256 types and null a discriminator no longer fits a byte.
	kinds := slices.Repeat([]string{"UInt8"}, 300)
	f("Dynamic", 3, u64(dynamicFlattened), texts(kinds...), []byte{43, 1, 44, 1, 0, 0}, []byte{7, 8})
	f("Dynamic", 2, u64(dynamicFlattened), texts(kinds[:255]...), []byte{255, 254}, []byte{7})
}
