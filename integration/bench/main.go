// Command bench measures the hot paths, each beside its peer in the same run,
// and prints ratios: CPU per request of the recorder against a tuned
// httputil.ReverseProxy without capture, schedule lag of the replayer against
// vegeta, pairs per second of the comparator against wI2L/jsondiff.
//
// Absolute figures of a shared machine mean little, so the two sides take
// turns (A B A B …) on the same cores and only the median of the ratios
// counts. Load goes to loopback only and is bounded in count and time.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"
)

// roles are the child processes that a measurement needs.
var roles = map[string]func(args []string) error{
	"target":   runTarget,
	"httputil": runReverseProxy,
	"kafka":    runKafka,
	"vegeta":   runVegeta,
	"publish":  runPublish,
}

type options struct {
	binary string
	pairs  int
	length time.Duration
}

func main() {
	if len(os.Args) > 2 && os.Args[1] == "role" {
		if err := roles[os.Args[2]](os.Args[3:]); err != nil {
			fmt.Fprintf(os.Stderr, "bench %s: %v\n", os.Args[2], err)
			os.Exit(1)
		}
		return
	}
	var o options
	flag.StringVar(&o.binary, "binary", "bin/understudy", "the built binary")
	flag.IntVar(&o.pairs, "pairs", 5, "how often the two sides take turns")
	flag.DurationVar(&o.length, "length", 5*time.Second, "length of one measurement")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: bench [flags] [recorder] [replayer] [comparator] [rates]")
		flag.PrintDefaults()
	}
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := bench(ctx, o, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

type suite struct {
	name   string
	run    func(context.Context, options) ([]result, error)
	always bool
}

func bench(ctx context.Context, o options, names []string) error {
	// What is not measured unless it is named takes minutes by itself.
	suites := []suite{{"recorder", benchRecorder, true}, {"replayer", benchReplayer, true}, {"comparator", benchComparator, true}, {"rates", benchRates, false}}
	for _, n := range names {
		if !slices.ContainsFunc(suites, func(s suite) bool { return s.name == n }) {
			return fmt.Errorf("no benchmark %q; there are recorder, replayer, comparator, rates", n)
		}
	}
	var all []result
	for _, s := range suites {
		if named := slices.Contains(names, s.name); !named && (len(names) > 0 || !s.always) {
			continue
		}
		fmt.Fprintf(os.Stderr, "# %s\n", s.name)
		rs, err := s.run(ctx, o)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		all = append(all, rs...)
	}
	printResults(all)
	return nil
}

// result is one ratio against its goal.
type result struct {
	what   string
	ours   string
	peer   string
	ratio  float64
	spread [2]float64
	// goal is met when ratio <= goal, or >= goal if more is better.
	goal         float64
	moreIsBetter bool
}

func (r result) met() bool {
	if r.moreIsBetter {
		return r.ratio >= r.goal
	}
	return r.ratio <= r.goal
}

func printResults(rs []result) {
	fmt.Printf("%-44s %16s %16s %8s %15s  %s\n", "what", "ours", "peer", "ratio", "min–max", "goal")
	for _, r := range rs {
		sign, verdict := "<=", "met"
		if r.moreIsBetter {
			sign = ">="
		}
		if !r.met() {
			verdict = "NOT MET"
		}
		spread := fmt.Sprintf("%.2f–%.2f", r.spread[0], r.spread[1])
		fmt.Printf("%-44s %16s %16s %8.3f %15s  %s %g %s\n", r.what, r.ours, r.peer, r.ratio, spread, sign, r.goal, verdict)
	}
	fmt.Println(strings.Repeat("-", 20))
	fmt.Println("ratio = ours / peer (comparator: peer time / our time), median of the pairs")
}

// median sorts a copy.
func median(xs []float64) float64 {
	s := slices.Sorted(slices.Values(xs))
	if len(s) == 0 {
		return 0
	}
	if len(s)%2 == 1 {
		return s[len(s)/2]
	}
	return (s[len(s)/2-1] + s[len(s)/2]) / 2
}

// paired gives the median of a[i]/b[i] and its range.
func paired(a, b []float64) (mid float64, spread [2]float64) {
	var ratios []float64
	for i := range min(len(a), len(b)) {
		ratios = append(ratios, a[i]/b[i])
	}
	return median(ratios), [2]float64{slices.Min(ratios), slices.Max(ratios)}
}
