package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"

	"understudy.dev/comparator/report"
	"understudy.dev/comparator/report/text"
	"understudy.dev/exchange/curl"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

func (a *app) showCommand() *cobra.Command {
	format, asCurl := text.Table, false
	c := &cobra.Command{
		Use: "show EXCHANGE_ID | RUN ORDINAL", Short: "Show a request and what both systems answered", ValidArgsFunction: a.completeRuns,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 1 || len(args) == 2 {
				return nil
			}
			return usagef("%s takes EXCHANGE_ID, or RUN ORDINAL, got %d argument(s); see %s --help", c.CommandPath(), len(args), c.CommandPath())
		},
		Long: `Finds the record through ClickHouse and reads it, and nothing else, from Kafka.
On a terminal of 110 columns or more the answers stand side by side. Secrets
stay the tokens by which the recorder replaced them.

RUN ORDINAL is one replay; both are columns of the tables. What has no ordinal,
a completion that nobody asked for, is named by RUN PARTITION:OFFSET, its
kafka_partition and kafka_offset. EXCHANGE_ID is a recorded exchange with its
latest replay.`,
		RunE: func(c *cobra.Command, args []string) error {
			if err := checkTableOrJSON(format); err != nil {
				return err
			}
			var f found
			err := a.withTables(c.Context(), func(conn driver.Conn) (err error) {
				if len(args) == 1 {
					f, err = a.findExchange(c.Context(), conn, args[0])
				} else {
					f, err = a.findCurrent(c.Context(), conn, args[0], args[1])
				}
				return err
			})
			if err != nil {
				return err
			}
			return a.show(f, format, asCurl)
		},
	}
	a.kafkaFlags(c)
	a.clickhouseFlags(c)
	c.Flags().StringVarP(&format, "output", "o", format, "table, or json: the record as it is in Kafka, bodies in base64")
	enumerate(c, "output", text.Table, text.JSON)
	c.Flags().BoolVar(&asCurl, "curl", false, "print the request as a curl command")
	c.MarkFlagsMutuallyExclusive("output", "curl")
	return c
}

func checkTableOrJSON(format string) error {
	if format != text.Table && format != text.JSON {
		return usagef("-o %q: want table or json", format)
	}
	return nil
}

// found is a record and what the tables say of it.
type found struct {
	replay *understudyv1.Replay // of an exchange alone, nothing but that
	stored report.Replay        // zero for an exchange that was not replayed
	record proto.Message        // as it is in Kafka
	others []report.Replay      // of the same exchange
}

func (a *app) show(f found, format string, asCurl bool) error {
	if format == text.JSON {
		return text.Record(a.out, f.record)
	}
	q := f.replay.GetExchange().GetRequest()
	if q == nil {
		q = f.replay.GetOrphan().GetReceived()
	}
	if asCurl {
		command, remarks := curl.Command(q)
		for _, r := range remarks {
			fmt.Fprintf(a.errOut, "understudy: %s\n", report.Clean(r))
		}
		_, err := io.WriteString(a.out, command)
		return err
	}
	width, _ := terminalWidth(a.out)
	if err := text.Head(a.out, f.replay, f.stored, f.others, width); err != nil {
		return err
	}
	return text.Show(a.out, f.replay, width)
}

// findCurrent reads the replay at a place in a run, and its current judgement.
func (a *app) findCurrent(ctx context.Context, conn driver.Conn, run, place string) (found, error) {
	p, err := placeOf(run, place)
	if err != nil {
		return found{}, err
	}
	rows, err := report.FindReplay(ctx, conn, run, p)
	return a.readFirst(ctx, conn, run, p, rows, err)
}

// findReplay reads it with what another judgement says.
func (a *app) findReplay(ctx context.Context, conn driver.Conn, run, place, judgement string) (found, error) {
	p, err := placeOf(run, place)
	if err != nil {
		return found{}, err
	}
	rows, err := report.FindJudgedReplay(ctx, conn, run, judgement, p)
	return a.readFirst(ctx, conn, run, p, rows, err)
}

// placeOf reads an ordinal, or PARTITION:OFFSET.
func placeOf(run, text string) (p report.Place, err error) {
	partition, offset, at := strings.Cut(text, ":")
	if !at {
		if p.Ordinal, err = strconv.ParseUint(text, 10, 64); err == nil && p.Ordinal > 0 {
			return p, nil
		}
	} else if number, errP := strconv.ParseUint(partition, 10, 31); errP == nil {
		if n, errO := strconv.ParseUint(offset, 10, 63); errO == nil {
			return report.Place{Partition: int32(number), Offset: int64(n)}, nil
		}
	}
	return p, usagef("ORDINAL %q: want a number from 1, as in the column ordinal of comparisons, or PARTITION:OFFSET, as in kafka_partition and kafka_offset; %s", text, howToFind(run))
}

// readFirst reads the first of the replays that were found: of several attempts
// the latest.
func (a *app) readFirst(ctx context.Context, conn driver.Conn, run string, p report.Place, rows []report.Replay, err error) (found, error) {
	switch {
	case err != nil:
		return found{}, err
	case len(rows) == 0:
		return found{}, a.noReplay(ctx, conn, run, p)
	}
	return a.readReplay(ctx, rows[0])
}

// noReplay says which replays there are instead.
func (a *app) noReplay(ctx context.Context, conn driver.Conn, run string, p report.Place) error {
	least, greatest, err := report.Ordinals(ctx, conn, run)
	switch {
	case err != nil:
		return err
	case greatest > 0:
		return usagef("run %s has no replay %s in the tables, which hold %d to %d; %s", report.Clean(run), p, least, greatest, howToFind(run))
	}
	if _, err := report.FindRun(ctx, conn, run); err != nil {
		return unknownRun(err)
	}
	return usagef("no replay of run %s is judged yet; run understudy compare", report.Clean(run))
}

// howToFind is a query for the ordinals of a run.
func howToFind(run string) string {
	return fmt.Sprintf(`find one with understudy sql "SELECT ordinal, route, verdict FROM comparisons WHERE run = '%s' AND verdict != 'match' ORDER BY ordinal LIMIT 20"`,
		strings.NewReplacer(`\`, ``, `'`, ``, `"`, ``, "`", ``, `$`, ``).Replace(report.Clean(run)))
}

// findExchange reads an exchange with its latest replay, or alone.
func (a *app) findExchange(ctx context.Context, conn driver.Conn, id string) (found, error) {
	rows, err := report.ReplaysOf(ctx, conn, id)
	if err != nil {
		return found{}, err
	}
	var gone error
	if len(rows) > 0 {
		f, err := a.readReplay(ctx, rows[0])
		if err == nil {
			f.others = rows[1:]
			return f, nil
		}
		if !isGone(err) {
			return found{}, err
		}
		gone = err // older ones are, too; the exchange may be there
	}
	at, known, err := report.FindExchange(ctx, conn, id)
	switch {
	case err != nil:
		return found{}, err
	case !known && gone != nil:
		return found{}, gone
	case !known:
		return found{}, a.noExchange(ctx, conn, id)
	}
	x, err := a.readExchange(ctx, id, at)
	if err != nil {
		return found{}, errors.Join(gone, err)
	}
	if gone != nil {
		fmt.Fprintf(a.errOut, "understudy: only the recording is left: %v\n", gone)
	}
	return found{replay: &understudyv1.Replay{Exchange: x}, record: x, others: rows}, nil
}

func (a *app) noExchange(ctx context.Context, conn driver.Conn, id string) error {
	if run, err := report.FindRun(ctx, conn, id); err == nil {
		return usagef("%s is a run: say RUN ORDINAL; %s", report.Clean(run.Name), howToFind(id))
	}
	return usagef("the tables have no exchange %q; has understudy compare read it? Ids are in the columns exchange_id of comparisons and id of exchanges", report.Clean(id))
}

// readReplay reads the record of a replay, and sees that it is that one.
func (a *app) readReplay(ctx context.Context, row report.Replay) (found, error) {
	if err := a.need("kafka"); err != nil {
		return found{}, err
	}
	name := a.names().Replays
	record, err := stream.At(ctx, a.cfg.Kafka.Config, name, row.Partition, row.Offset)
	if err != nil {
		return found{}, unread(err)
	}
	r, err := stream.DecodeReplay(record)
	if err != nil || r.GetRun() != row.Run || r.GetOrdinal() != row.Ordinal || r.GetExchange().GetId() != row.Exchange {
		return found{}, unread(another(name, row.Partition, row.Offset))
	}
	return found{replay: r, stored: row, record: r}, nil
}

func (a *app) readExchange(ctx context.Context, id string, at report.Recorded) (*understudyv1.Exchange, error) {
	if err := a.need("kafka"); err != nil {
		return nil, err
	}
	name := a.names().Exchanges
	record, err := stream.At(ctx, a.cfg.Kafka.Config, name, at.Partition, at.Offset)
	if err != nil {
		return nil, unread(err)
	}
	x, err := stream.DecodeExchange(record)
	if err != nil || x.GetId() != id {
		return nil, unread(another(name, at.Partition, at.Offset))
	}
	return x, nil
}

// another says that something else stands where the tables have a record.
func another(topic string, partition int32, offset int64) error {
	return fmt.Errorf("%s/%d offset %d: %w: another record stands there", topic, partition, offset, stream.ErrRemade)
}

func isGone(err error) bool {
	return errors.Is(err, stream.ErrExpired) || errors.Is(err, stream.ErrRemade)
}

// unread is why a record that the tables have cannot be read.
func unread(err error) error {
	switch {
	case errors.Is(err, stream.ErrExpired):
		return fmt.Errorf("%w; what the tables keep of it is in comparisons and differences", err)
	case errors.Is(err, stream.ErrRemade):
		return fmt.Errorf("%w; do --kafka and --prefix name where the tables of --clickhouse come from?", err)
	}
	return dependency(err)
}
