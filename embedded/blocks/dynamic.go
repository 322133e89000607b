package blocks

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"
)

// Versions of the prefixes (SerializationVariant.h, SerializationDynamic.h,
// SerializationObject.h).
const (
	variantBasic = 0

	dynamicV1        = 1
	dynamicV2        = 2
	dynamicFlattened = 3

	objectV1        = 0
	objectString    = 1
	objectV2        = 2
	objectFlattened = 3
)

// variantColumn: a discriminator per row, then a column of each type with the
// rows that have it.
type variantColumn struct{ variants []column }

func buildVariant(_ string, args []string, s scope) (column, error) {
	return newVariant(slices.Clone(args), s)
}

// newVariant sorts the types by name, as ClickHouse numbers them.
func newVariant(kinds []string, s scope) (variantColumn, error) {
	slices.Sort(kinds)
	c := variantColumn{}
	for _, kind := range kinds {
		variant, err := s.columnOf(kind)
		if err != nil {
			return c, err
		}
		c.variants = append(c.variants, variant)
	}
	return c, nil
}

func (c variantColumn) prefix(t *Scanner) error {
	mode, err := t.uint64()
	if err != nil {
		return err
	}
	if mode != variantBasic {
		return Malformed("discriminators of a Variant have mode %d, expected %d", mode, variantBasic)
	}
	return prefixes(t, c.variants)
}

func (c variantColumn) data(t *Scanner, rows uint64) error {
	return discriminated(t, rows, 1, c.variants, math.MaxUint8)
}

func prefixes(t *Scanner, columns []column) error {
	for _, c := range columns {
		if err := c.prefix(t); err != nil {
			return err
		}
	}
	return nil
}

// discriminated passes over rows discriminators of width bytes, then over each
// column with as many rows as discriminators named it; null names none.
func discriminated(t *Scanner, rows, width uint64, columns []column, null uint64) error {
	counts := make([]uint64, len(columns))
	for left := rows; left > 0; {
		step := min(left, ScannerSize/width)
		b, err := t.Next(int(step * width))
		if err != nil {
			return err
		}
		for i := uint64(0); i < step; i++ {
			which := discriminator(b[i*width:], width)
			switch {
			case which == null:
			case which >= uint64(len(columns)):
				return Malformed("discriminator %d is out of range for %d types", which, len(columns))
			default:
				counts[which]++
			}
		}
		left -= step
	}
	for i, c := range columns {
		if err := c.data(t, counts[i]); err != nil {
			return err
		}
	}
	return nil
}

func discriminator(b []byte, width uint64) uint64 {
	switch width {
	case 1:
		return uint64(b[0])
	case 2:
		return uint64(binary.LittleEndian.Uint16(b))
	default:
		return uint64(binary.LittleEndian.Uint32(b))
	}
}

// dynamicColumn: the types that occur are named in the prefix of the block.
// Values of further types are strings in a type of their own, SharedVariant,
// unless the form is flattened, where every type is named.
type dynamicColumn struct {
	scope     scope
	flattened bool
	inner     variantColumn
}

func (c *dynamicColumn) prefix(t *Scanner) error {
	version, err := t.uint64()
	if err != nil {
		return err
	}
	switch version {
	case dynamicV1:
		if _, err := t.Uvarint(); err != nil { // the type's own limit of types
			return err
		}
	case dynamicV2:
	case dynamicFlattened:
		c.flattened = true
	default:
		return Malformed("Dynamic has version %d, which is not understood", version)
	}
	kinds, err := typeNames(t)
	if err != nil {
		return err
	}
	if c.flattened {
		for _, kind := range kinds {
			variant, err := c.scope.columnOf(kind)
			if err != nil {
				return err
			}
			c.inner.variants = append(c.inner.variants, variant)
		}
		return prefixes(t, c.inner.variants)
	}
	if c.inner, err = newVariant(append(kinds, sharedVariant), c.scope); err != nil {
		return err
	}
	return c.inner.prefix(t)
}

// sharedVariant sorts among the other types by this name.
const sharedVariant = "SharedVariant"

func typeNames(t *Scanner) ([]string, error) {
	n, err := t.Uvarint()
	if err != nil {
		return nil, err
	}
	if n > maxBlockColumns {
		return nil, Malformed("Dynamic has %d types, more than %d", n, maxBlockColumns)
	}
	var names []string
	total := 0
	for range n {
		name, err := t.Str("the name of a type", MaxTypeBytes)
		if err != nil {
			return nil, err
		}
		if total += len(name); total > MaxTypeBytes {
			return nil, Malformed("the types of a Dynamic need more than %d bytes", MaxTypeBytes)
		}
		names = append(names, name)
	}
	return names, nil
}

func (c *dynamicColumn) data(t *Scanner, rows uint64) error {
	if !c.flattened {
		return c.inner.data(t, rows)
	}
	null := uint64(len(c.inner.variants)) // nulls have the number after the last type
	width := uint64(4)
	switch {
	case null <= math.MaxUint8:
		width = 1
	case null <= math.MaxUint16:
		width = 2
	}
	return discriminated(t, rows, width, c.inner.variants, null)
}

// jsonColumn: typed paths in the order of their names, then dynamic paths that
// the prefix names, then the other paths as pairs of strings.
type jsonColumn struct {
	scope   scope
	version uint64
	typed   []column
	dynamic []column
}

func buildJSON(kind string, args []string, s scope) (column, error) {
	type path struct{ name, kind string }
	var paths []path
	for _, arg := range args {
		if strings.HasPrefix(arg, "max_dynamic_") || strings.HasPrefix(arg, "SKIP ") {
			continue
		}
		element := elementType(arg)
		name := strings.TrimSpace(strings.TrimSuffix(arg, element))
		if name == "" {
			return nil, Malformed("type %.200q has a path without a type", kind)
		}
		paths = append(paths, path{strings.ReplaceAll(name, "`", ""), element})
	}
	slices.SortFunc(paths, func(a, b path) int { return strings.Compare(a.name, b.name) })
	c := &jsonColumn{scope: s}
	for _, p := range paths {
		typed, err := s.columnOf(p.kind)
		if err != nil {
			return nil, err
		}
		c.typed = append(c.typed, typed)
	}
	return c, nil
}

func (c *jsonColumn) prefix(t *Scanner) error {
	var err error
	if c.version, err = t.uint64(); err != nil {
		return err
	}
	switch c.version {
	case objectString:
		return nil
	case objectV1:
		if _, err := t.Uvarint(); err != nil { // the type's own limit of paths
			return err
		}
	case objectV2, objectFlattened:
	default:
		return Malformed("JSON has version %d, which is not understood", c.version)
	}
	paths, err := t.Uvarint()
	if err != nil {
		return err
	}
	if err := t.skipStrings(paths); err != nil {
		return err
	}
	for range paths {
		dynamic, err := c.scope.columnOf("Dynamic")
		if err != nil {
			return err
		}
		c.dynamic = append(c.dynamic, dynamic)
	}
	if err := prefixes(t, c.typed); err != nil {
		return err
	}
	return prefixes(t, c.dynamic)
}

// sharedPaths is how a JSON column keeps the paths without a column of their
// own, as Map(String, String).
var sharedPaths = arrayColumn{tupleColumn{[]column{stringColumn{}, stringColumn{}}}}

func (c *jsonColumn) data(t *Scanner, rows uint64) error {
	if c.version == objectString {
		return t.skipStrings(rows)
	}
	for _, path := range slices.Concat(c.typed, c.dynamic) {
		if err := path.data(t, rows); err != nil {
			return err
		}
	}
	if c.version == objectFlattened {
		return nil
	}
	return sharedPaths.data(t, rows)
}
