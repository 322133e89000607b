package blocks

import (
	"fmt"
	"strconv"
)

// A column knows the layout of one type's values in the Native format
// (ClickHouse's src/DataTypes/Serializations): first the prefixes of the whole
// type, then the data. It passes over them with a Scanner and keeps only what
// later lengths depend on. A column is used for one block and then dropped.
type column interface {
	prefix(t *Scanner) error
	data(t *Scanner, rows uint64) error
}

// noPrefix is embedded by columns without a prefix.
type noPrefix struct{}

func (noPrefix) prefix(*Scanner) error { return nil }

type fixedColumn struct {
	noPrefix
	size uint64
}

func (c fixedColumn) data(t *Scanner, rows uint64) error { return t.skipMany(rows, c.size) }

type stringColumn struct{ noPrefix }

func (stringColumn) data(t *Scanner, rows uint64) error { return t.skipStrings(rows) }

// fixedSizes are the types whose every value has the same number of bytes.
var fixedSizes = map[string]uint64{
	"Int8": 1, "Int16": 2, "Int32": 4, "Int64": 8, "Int128": 16, "Int256": 32,
	"UInt8": 1, "UInt16": 2, "UInt32": 4, "UInt64": 8, "UInt128": 16, "UInt256": 32,
	"Float32": 4, "Float64": 8, "BFloat16": 2, "Bool": 1,
	"Date": 2, "Date32": 4, "DateTime": 4, "DateTime32": 4, "DateTime64": 8, "Time": 4, "Time64": 8,
	"Decimal32": 4, "Decimal64": 8, "Decimal128": 16, "Decimal256": 32,
	"Enum8": 1, "Enum16": 2, "UUID": 16, "IPv4": 4, "IPv6": 16, "Nothing": 1,
	"IntervalNanosecond": 8, "IntervalMicrosecond": 8, "IntervalMillisecond": 8,
	"IntervalSecond": 8, "IntervalMinute": 8, "IntervalHour": 8, "IntervalDay": 8,
	"IntervalWeek": 8, "IntervalMonth": 8, "IntervalQuarter": 8, "IntervalYear": 8,
}

// aliases are the types that are a name for another one.
var aliases = map[string]string{
	"Point":           "Tuple(Float64, Float64)",
	"Ring":            "Array(Point)",
	"LineString":      "Array(Point)",
	"MultiLineString": "Array(LineString)",
	"Polygon":         "Array(Ring)",
	"MultiPolygon":    "Array(Polygon)",
	"Geometry":        "Variant(LineString, MultiLineString, MultiPolygon, Point, Polygon, Ring)",
}

// An unsupportedTypeError names a type whose values cannot be delimited.
type unsupportedTypeError struct{ kind, reason string }

func (e *unsupportedTypeError) Error() string {
	return fmt.Sprintf("the type %.200s is not supported by the embedded platform's native protocol: %s", e.kind, e.reason)
}

// Exception says which of ClickHouse's it is.
func (*unsupportedTypeError) Exception() (code int32, name string) { return 48, "NOT_IMPLEMENTED" }

// A scope bounds what the types of one block may make of themselves, since
// they come from the network and may hold further types within their values.
type scope struct {
	depth int
	left  *int // columns that may still be made
}

func newScope() scope {
	left := maxBlockColumns
	return scope{left: &left}
}

// columnOf returns the layout of a type given by its ClickHouse name.
func (s scope) columnOf(kind string) (column, error) {
	s.depth++
	if *s.left--; s.depth > maxTypeDepth || *s.left < 0 {
		return nil, Malformed("the types of a block are nested deeper than %d or have more than %d parts", maxTypeDepth, maxBlockColumns)
	}
	name, args, err := splitType(kind)
	if err != nil {
		return nil, err
	}
	if size, ok := fixedSizes[name]; ok {
		return fixedColumn{size: size}, nil
	}
	if target, ok := aliases[name]; ok {
		return s.columnOf(target)
	}
	if build, ok := composites[name]; ok {
		return build(kind, args, s)
	}
	return nil, &unsupportedTypeError{kind, "its layout is not known"}
}

type builder func(kind string, args []string, s scope) (column, error)

var composites map[string]builder

// The map is filled here since its builders refer to columnOf, which reads it.
func init() {
	composites = map[string]builder{
		"String":         func(string, []string, scope) (column, error) { return stringColumn{}, nil },
		"FixedString":    buildFixedString,
		"Decimal":        buildDecimal,
		"Array":          buildArray,
		"Nullable":       buildNullable,
		"LowCardinality": buildLowCardinality,
		"Tuple":          buildTuple,
		"Map":            buildMap,
		"Nested":         buildNested,
		"Variant":        buildVariant,
		"Dynamic":        func(_ string, _ []string, s scope) (column, error) { return &dynamicColumn{scope: s}, nil },
		"JSON":           buildJSON,
		"QBit":           buildQBit,
		sharedVariant:    func(string, []string, scope) (column, error) { return stringColumn{}, nil },
		"SimpleAggregateFunction": func(kind string, args []string, s scope) (column, error) {
			if len(args) < 2 {
				return nil, Malformed("type %.200q lacks its value type", kind)
			}
			return s.columnOf(args[1])
		},
		"AggregateFunction": func(kind string, _ []string, _ scope) (column, error) {
			return nil, &unsupportedTypeError{kind, "states of aggregate functions have no delimited form; select finalizeAggregation(column) or hex(column) instead"}
		},
		"Object": func(kind string, _ []string, _ scope) (column, error) {
			return nil, &unsupportedTypeError{kind, "use the type JSON"}
		},
	}
}

func buildFixedString(kind string, args []string, _ scope) (column, error) {
	if len(args) != 1 {
		return nil, Malformed("type %.200q needs a length", kind)
	}
	size, err := strconv.ParseUint(args[0], 10, 32)
	if err != nil {
		return nil, Malformed("type %.200q: its length is not a number", kind)
	}
	return fixedColumn{size: size}, nil
}

// buildDecimal takes the width from the precision, as ClickHouse does.
func buildDecimal(kind string, args []string, _ scope) (column, error) {
	if len(args) == 0 {
		return nil, Malformed("type %.200q needs a precision", kind)
	}
	precision, err := strconv.ParseUint(args[0], 10, 8)
	if err != nil || precision > 76 {
		return nil, Malformed("type %.200q: its precision is not between 1 and 76", kind)
	}
	switch {
	case precision <= 9:
		return fixedColumn{size: 4}, nil
	case precision <= 18:
		return fixedColumn{size: 8}, nil
	case precision <= 38:
		return fixedColumn{size: 16}, nil
	default:
		return fixedColumn{size: 32}, nil
	}
}

// buildQBit: a vector is stored bit plane by bit plane, each plane as a
// FixedString that holds one bit per dimension.
func buildQBit(kind string, args []string, _ scope) (column, error) {
	if len(args) < 2 {
		return nil, Malformed("type %.200q needs an element type and a dimension", kind)
	}
	bits, ok := fixedSizes[args[0]]
	dimension, err := strconv.ParseUint(args[1], 10, 32)
	if !ok || err != nil {
		return nil, Malformed("type %.200q is not understood", kind)
	}
	return fixedColumn{size: bits * 8 * ((dimension + 7) / 8)}, nil
}
