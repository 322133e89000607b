package blocks

// single returns the layout of a type's only argument.
func single(kind string, args []string, s scope) (column, error) {
	if len(args) != 1 {
		return nil, Malformed("type %.200q needs one argument", kind)
	}
	return s.columnOf(args[0])
}

// arrayColumn: the running ends of the rows, then all elements.
type arrayColumn struct{ element column }

func buildArray(kind string, args []string, s scope) (column, error) {
	element, err := single(kind, args, s)
	if err != nil {
		return nil, err
	}
	return arrayColumn{element}, nil
}

func (c arrayColumn) prefix(t *Scanner) error { return c.element.prefix(t) }

func (c arrayColumn) data(t *Scanner, rows uint64) error {
	if rows == 0 {
		return nil
	}
	if err := t.skipMany(rows-1, 8); err != nil {
		return err
	}
	elements, err := t.uint64()
	if err != nil {
		return err
	}
	return c.element.data(t, elements)
}

// nullableColumn: one byte per row that says whether it is null, then values
// for all rows.
type nullableColumn struct{ value column }

func buildNullable(kind string, args []string, s scope) (column, error) {
	value, err := single(kind, args, s)
	if err != nil {
		return nil, err
	}
	return nullableColumn{value}, nil
}

func (c nullableColumn) prefix(t *Scanner) error { return c.value.prefix(t) }

func (c nullableColumn) data(t *Scanner, rows uint64) error {
	if err := t.skip(rows); err != nil {
		return err
	}
	return c.value.data(t, rows)
}

// tupleColumn: the elements one after the other; an empty tuple is a byte.
type tupleColumn struct{ elements []column }

func buildTuple(_ string, args []string, s scope) (column, error) {
	c := tupleColumn{}
	for _, arg := range args {
		element, err := s.columnOf(elementType(arg))
		if err != nil {
			return nil, err
		}
		c.elements = append(c.elements, element)
	}
	return c, nil
}

func (c tupleColumn) prefix(t *Scanner) error {
	for _, element := range c.elements {
		if err := element.prefix(t); err != nil {
			return err
		}
	}
	return nil
}

func (c tupleColumn) data(t *Scanner, rows uint64) error {
	if len(c.elements) == 0 {
		return t.skip(rows)
	}
	for _, element := range c.elements {
		if err := element.data(t, rows); err != nil {
			return err
		}
	}
	return nil
}

// buildMap: a map is an array of pairs.
func buildMap(kind string, args []string, s scope) (column, error) {
	if len(args) != 2 {
		return nil, Malformed("type %.200q needs a key and a value", kind)
	}
	key, err := s.columnOf(args[0])
	if err != nil {
		return nil, err
	}
	value, err := s.columnOf(args[1])
	if err != nil {
		return nil, err
	}
	return arrayColumn{tupleColumn{[]column{key, value}}}, nil
}

// buildNested: with flatten_nested off, an array of tuples.
func buildNested(kind string, args []string, s scope) (column, error) {
	tuple, err := buildTuple(kind, args, s)
	if err != nil {
		return nil, err
	}
	return arrayColumn{tuple}, nil
}

// lowCardinalityColumn: a version, then per block a dictionary and an index
// into it per row.
type lowCardinalityColumn struct{ key column }

// Bits of the flags that begin a block of a LowCardinality column
// (SerializationLowCardinality.cpp).
const (
	lowCardinalityVersion     = 1
	lowCardinalityIndexType   = 0xff
	lowCardinalityGlobal      = 1 << 8
	lowCardinalityHasKeys     = 1 << 9
	lowCardinalityLargestType = 3 // UInt64
)

func buildLowCardinality(kind string, args []string, s scope) (column, error) {
	if len(args) != 1 {
		return nil, Malformed("type %.200q needs one argument", kind)
	}
	// A null has its place in the dictionary: the keys themselves are plain.
	name, inner, err := splitType(args[0])
	if err != nil {
		return nil, err
	}
	if name == "Nullable" && len(inner) == 1 {
		args = inner
	}
	key, err := s.columnOf(args[0])
	if err != nil {
		return nil, err
	}
	return lowCardinalityColumn{key}, nil
}

func (c lowCardinalityColumn) prefix(t *Scanner) error {
	version, err := t.uint64()
	if err != nil {
		return err
	}
	if version != lowCardinalityVersion {
		return Malformed("LowCardinality has version %d, expected %d", version, lowCardinalityVersion)
	}
	return nil
}

func (c lowCardinalityColumn) data(t *Scanner, rows uint64) error {
	if rows == 0 {
		return nil
	}
	flags, err := t.uint64()
	if err != nil {
		return err
	}
	width := flags & lowCardinalityIndexType
	if width > lowCardinalityLargestType || flags&lowCardinalityGlobal != 0 || flags&lowCardinalityHasKeys == 0 {
		return Malformed("LowCardinality block has flags %#x: only a dictionary of its own is understood", flags)
	}
	keys, err := t.uint64()
	if err != nil {
		return err
	}
	if err := c.key.data(t, keys); err != nil {
		return err
	}
	indexes, err := t.uint64()
	if err != nil {
		return err
	}
	if indexes != rows {
		return Malformed("LowCardinality block has %d indexes for %d rows", indexes, rows)
	}
	return t.skipMany(rows, 1<<width)
}
