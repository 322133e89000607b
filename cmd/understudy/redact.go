package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/spf13/cobra"
	"google.golang.org/protobuf/encoding/protojson"

	"understudy.dev/comparator/report"
	"understudy.dev/exchange/message"
	"understudy.dev/exchange/names"
	"understudy.dev/exchange/redact"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

func (a *app) redactCommand() *cobra.Command {
	parent := &cobra.Command{Use: "redact", Short: "See what redaction replaces, and what it leaves", Args: noCommand, RunE: help}
	parent.AddCommand(a.redactRulesCommand(), a.redactTestCommand(), a.redactScanCommand())
	return parent
}

func (a *app) redactRulesCommand() *cobra.Command {
	return &cobra.Command{
		Use: "rules", Short: "List your rules of redaction and those that hold by default", Args: exactly(),
		RunE: func(*cobra.Command, []string) error {
			if err := a.need("record"); err != nil {
				return err
			}
			var rows [][]string
			for _, r := range a.cfg.Record.Redact.List() {
				rows = append(rows, []string{r.Rule, r.Places, r.Action, r.About})
			}
			return columns(a.out, []string{"RULE", "PLACES", "ACTION", "ABOUT"}, rows)
		},
	}
}

func (a *app) redactTestCommand() *cobra.Command {
	var contentType string
	var show bool
	c := &cobra.Command{
		Use: "test FILE | EXCHANGE_ID", Short: "Show what each rule replaces in a body or an exchange",
		Args: exactly("FILE or EXCHANGE_ID"),
		Long: `FILE is a body, or an exchange as understudy show -o json prints it; - is
standard input. EXCHANGE_ID is a recorded exchange, which is redacted already:
what is listed of it is what the rules of the configuration would replace
besides. What is left and may be a secret is listed too. No value is shown,
unless --show prints what the body becomes.`,
		RunE: func(c *cobra.Command, args []string) error {
			if err := a.need("record"); err != nil {
				return err
			}
			e, err := a.toTest(c.Context(), args[0], contentType)
			if err != nil {
				return err
			}
			return a.redactTest(e, show)
		},
	}
	a.kafkaFlags(c)
	a.clickhouseFlags(c)
	a.keyFlag(c)
	c.Flags().StringVar(&contentType, "content-type", "", "media type of the body; what it looks like if empty")
	c.Flags().BoolVar(&show, "show", false, "print what the answer's body, or the request's if it has none, becomes")
	return c
}

// maxTested bounds a file that is tested, in bytes.
const maxTested = 64 << 20

// toTest is the exchange that an argument names: a file, or one in Kafka.
func (a *app) toTest(ctx context.Context, arg, contentType string) (*understudyv1.Exchange, error) {
	var in io.Reader = a.in
	if arg != "-" {
		f, err := os.Open(arg)
		if errors.Is(err, os.ErrNotExist) && names.IsUUID(arg) {
			return a.recordedExchange(ctx, arg)
		}
		if err != nil {
			return nil, usagef("%w; give a file, or the id of an exchange", err)
		}
		defer f.Close()
		in = f
	}
	content, err := io.ReadAll(io.LimitReader(in, maxTested+1))
	switch {
	case err != nil:
		return nil, err
	case len(content) > maxTested:
		return nil, usagef("%s: more than %d bytes", arg, maxTested)
	}
	if e := exchangeIn(content); e != nil && contentType == "" {
		return e, nil
	}
	e := &understudyv1.Exchange{Response: &understudyv1.Response{Body: message.BodyOf(content)}}
	if contentType != "" {
		e.Response.Headers = []*understudyv1.Header{{Name: "Content-Type", Value: []byte(contentType)}}
	}
	return e, nil
}

// exchangeIn is the exchange, or that of a replay, that a document holds; nil if
// it holds none.
func exchangeIn(content []byte) *understudyv1.Exchange {
	var members map[string]json.RawMessage
	if json.Unmarshal(content, &members) != nil {
		return nil
	}
	if inner, ok := members["exchange"]; ok && len(members["run"]) > 0 {
		content, members = inner, nil
		if json.Unmarshal(content, &members) != nil {
			return nil
		}
	}
	e := new(understudyv1.Exchange)
	if members["request"] == nil || members["id"] == nil || (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(content, e) != nil {
		return nil
	}
	return e
}

func (a *app) recordedExchange(ctx context.Context, id string) (e *understudyv1.Exchange, err error) {
	err = a.withTables(ctx, func(conn driver.Conn) error {
		f, err := a.findExchange(ctx, conn, id)
		e = f.replay.GetExchange()
		return err
	})
	return e, err
}

func (a *app) redactTest(e *understudyv1.Exchange, show bool) error {
	a.ownKey()
	keys, err := a.cfg.Record.Keys()
	if err != nil {
		return usagef("%w", err)
	}
	var hits tally
	redact.New(a.cfg.Record.Redact, keys.Current(), keys[1:]...).Test(e, func(h redact.Hit) {
		hits.add("", understudyv1.Label(h.Place), h.Name, h.In, h.Rule, h.Action)
	})
	if show {
		body := e.GetResponse().GetBody()
		if e.GetResponse() == nil {
			body = e.GetRequest().GetBody()
		}
		_, err := a.out.Write(body.GetContent())
		return err
	}
	if len(hits.rows) == 0 {
		fmt.Fprintln(a.out, "no rule replaces anything")
	} else if err := columns(a.out, []string{"WHERE", "NAME", "PLACE", "RULE", "ACTION", "VALUES"}, hits.table(false)); err != nil {
		return err
	}
	var left tally
	left.scan(redact.NewScanner(), e)
	if len(left.rows) == 0 {
		fmt.Fprintln(a.out, "nothing that is left looks like a secret")
		return nil
	}
	fmt.Fprintln(a.out, "\nWhat is left and looks like a secret (most identifiers look random too):")
	return columns(a.out, []string{"WHERE", "NAME", "WHY", "VALUES"}, left.table(false))
}

func (a *app) redactScanCommand() *cobra.Command {
	var f replayFlags
	c := &cobra.Command{
		Use: "scan", Short: "Look for secrets in the exchanges that Kafka holds", Args: exactly(),
		Long: `Reads recorded exchanges and lists what the rules by default would replace, and
what looks random; the values themselves are not shown. Ends with exit code 3
if there is anything that a rule would replace.`,
		RunE: func(c *cobra.Command, _ []string) error { return a.redactScan(c.Context(), f) },
	}
	a.kafkaFlags(c)
	c.Flags().StringVar(&f.from, "from", "", "first moment of the recording, RFC 3339, or a duration before now")
	c.Flags().StringVar(&f.to, "to", "", "moment at which to end (not included), likewise")
	c.Flags().StringSliceVar(&f.recorders, "recorder", nil, "recorder instances to take; none means all")
	return c
}

func (a *app) redactScan(ctx context.Context, f replayFlags) error {
	if err := a.need("kafka"); err != nil {
		return err
	}
	window, err := a.timeline(f)
	if err != nil {
		return err
	}
	window.Follow = false
	if err := a.requireTopics(ctx); err != nil {
		return err
	}
	producer, err := a.newProducer(ctx, a.cfg.Kafka.Producer)
	if err != nil {
		return err
	}
	defer producer.Close()
	timeline, err := stream.OpenTimeline(ctx, a.cfg.Kafka.Config, window, deadLetters(producer, "redact scan"))
	if err != nil {
		return dependency(err)
	}
	defer timeline.Close()
	scanner := redact.NewScanner()
	var found tally
	read := 0
	for {
		e, err := timeline.Next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return dependency(err)
		}
		read++
		found.scan(scanner, e)
	}
	fmt.Fprintf(a.out, "%d exchanges\n", read)
	if len(found.rows) > 0 {
		if err := columns(a.out, []string{"WHERE", "NAME", "WHY", "VALUES", "FIRST IN"}, found.table(true)); err != nil {
			return err
		}
	}
	if found.more > 0 {
		fmt.Fprintf(a.out, "and %d values in other places\n", found.more)
	}
	if n := found.byRule; n > 0 {
		return threshold(fmt.Errorf("%d values would be replaced by the rules of redaction that hold by default", n))
	}
	return nil
}

// maxTallied bounds the rows of a tally.
const maxTallied = 2000

// tally counts what is alike. The zero value is ready for use.
type tally struct {
	rows   map[string]*tallied
	more   uint64 // beyond maxTallied
	byRule uint64
}

type tallied struct {
	columns []string
	count   uint64
	first   string
}

func (t *tally) add(first string, columns ...string) {
	for i, c := range columns {
		columns[i] = report.Clean(c)
	}
	key := strings.Join(columns, "\x00")
	row := t.rows[key]
	switch {
	case row != nil:
	case len(t.rows) >= maxTallied:
		t.more++
		return
	default:
		if t.rows == nil {
			t.rows = map[string]*tallied{}
		}
		row = &tallied{columns: columns, first: first}
		t.rows[key] = row
	}
	row.count++
}

// scan adds what a scanner suspects.
func (t *tally) scan(s *redact.Scanner, e *understudyv1.Exchange) {
	for _, x := range s.Scan(e) {
		if strings.HasPrefix(x.Why, "rule ") {
			t.byRule++
		}
		t.add(e.GetId(), understudyv1.Label(x.Place), x.Name, x.Why)
	}
}

// table is the rows, the most frequent first, each with its count, and with where
// it came first.
func (t *tally) table(first bool) (out [][]string) {
	rows := make([]*tallied, 0, len(t.rows))
	for _, r := range t.rows {
		rows = append(rows, r)
	}
	slices.SortFunc(rows, func(a, b *tallied) int {
		return cmp.Or(cmp.Compare(b.count, a.count), slices.Compare(a.columns, b.columns))
	})
	for _, r := range rows {
		row := append(slices.Clone(r.columns), fmt.Sprint(r.count))
		if first {
			row = append(row, r.first)
		}
		out = append(out, row)
	}
	return out
}

// columns writes a table.
func columns(w io.Writer, head []string, rows [][]string) error {
	var b bytes.Buffer
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, row := range append([][]string{head}, rows...) {
		fmt.Fprintln(t, strings.Join(row, "\t"))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
}
