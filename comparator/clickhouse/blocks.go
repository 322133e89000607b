package clickhouse

import "context"

// blockBytes is how large the rows of one table may grow before they are sent: a
// replay may have a hundred differences, with texts of 1 KiB each.
const blockBytes = 2 << 20

// rowSize is about what a row takes beside its texts, in bytes.
const rowSize = 400

// sized is a row that says about how many bytes of memory it takes.
type sized interface{ size() int }

// blocks sends rows of one table in blocks, so that few are held.
type blocks[R any, P interface {
	*R
	sized
}] struct {
	in    *Ingest
	table string
	rows  []*R
	bytes int
}

// add sends what is held once it fills a block.
func (b *blocks[R, P]) add(ctx context.Context, rows ...*R) error {
	for _, row := range rows {
		b.bytes += P(row).size()
	}
	if b.rows = append(b.rows, rows...); b.bytes < blockBytes {
		return nil
	}
	return b.send(ctx)
}

func (b *blocks[R, P]) send(ctx context.Context) error {
	err := insert(ctx, b.in, b.table, b.rows)
	clear(b.rows)
	b.rows, b.bytes = b.rows[:0], 0
	return err
}
