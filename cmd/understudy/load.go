package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/spf13/cobra"

	"understudy.dev/replayer"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// loadFlags say how much is sent and how fast.
func (a *app) loadFlags(c *cobra.Command) {
	l, fl := &a.cfg.Replay.Load, c.Flags()
	fl.StringVar(&l.Rate, "rate", l.Rate, "constant rate, like 100/s or 6000/m, whatever the recorded times; their order is kept")
	fl.BoolVar(&l.Max, "max", l.Max, "send as fast as --in-flight lets")
	fl.DurationVar(&l.For, "for", l.For, "send for so long at most; 0 has no bound")
	fl.IntVar(&l.Loop, "loop", l.Loop, "how often to go through the recording; --loop alone begins again until --for is over")
	fl.Lookup("loop").NoOptDefVal = "0"
	fl.IntVar(&l.Multiply, "multiply", l.Multiply, "let each recorded user stand for so many, with sessions and names of their own")
	fl.StringVar((*string)(&l.Mode), "mode", string(l.Mode), "open sends what is due whatever the candidate does; closed has --users requests under way at most; adaptive has fewer when the candidate suffers")
	fl.IntVar(&l.Users, "users", l.Users, "how many requests may be under way in a closed run, or at the begin of an adaptive one")
	enumerate(c, "mode", string(replayer.ModeOpen), string(replayer.ModeClosed), string(replayer.ModeAdaptive))
}

// What a command that replays writes.
const (
	outputText = "text"
	outputHDR  = "hdr"
)

// latencyFlag lets a command that replays write the latencies too, and more.
func (a *app) latencyFlag(c *cobra.Command, more string, formats ...string) {
	c.Flags().StringVarP(&a.output, "output", "o", outputText, "text"+more+", or hdr to write RUN.intended.hgrm and RUN.service.hgrm too: percentiles of the latencies in the format of HdrHistogram, milliseconds")
	enumerate(c, "output", append(formats, outputText, outputHDR)...)
}

// canBeShared refuses to share or resume a run that waits for the candidate.
func (a *app) canBeShared() error {
	if a.cfg.Replay.Waits() {
		return usagef("%s", replayer.NotShared)
	}
	return nil
}

// checkOutput says what is wrong with --output.
func (a *app) checkOutput() error {
	if a.output != outputText && a.output != outputHDR {
		return usagef("--output %q: want text or hdr", a.output)
	}
	return nil
}

// exportLatencies writes the histograms if they are asked for.
func (a *app) exportLatencies(l replayer.Latencies) error {
	if a.output != outputHDR {
		return nil
	}
	var names []string
	for _, x := range []struct {
		name string
		h    *hdrhistogram.Histogram
	}{{"intended", l.Intended}, {"service", l.Service}} {
		name := a.cfg.Replay.Run + "." + x.name + ".hgrm"
		if err := writeHistogram(name, x.h); err != nil {
			return fmt.Errorf("write the latencies: %w", err)
		}
		names = append(names, name)
	}
	fmt.Fprintf(a.errOut, "understudy: wrote %s\n", strings.Join(names, " and "))
	return nil
}

func writeHistogram(name string, h *hdrhistogram.Histogram) error {
	f, err := os.Create(name) //nolint:gosec // the name of a run holds no path
	if err != nil {
		return err
	}
	if err := replayer.WriteHistogram(f, h); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}

// loadSpec says in the record of a run what was asked.
func loadSpec(spec *understudyv1.RunSpec, l replayer.Load) {
	spec.Rate, _ = l.PerSecond() // validated
	spec.Max, spec.ForNano = l.Max, int64(l.For)
	if l.Loop != 1 {
		spec.Laps, spec.LapsEndless = uint32(l.Loop), l.Loop == 0 //nolint:gosec // not negative
	}
	if l.Multiply != 1 {
		spec.Multiply, spec.Seed = uint32(l.Multiply), l.Seed //nolint:gosec // at most 100
	}
	if l.Mode != replayer.ModeOpen {
		spec.Mode, spec.Users = string(l.Mode), uint32(l.Users) //nolint:gosec // at most in_flight
	}
}

// printLoad says what was not simply sent as recorded.
func printLoad(w io.Writer, r *understudyv1.Run) {
	if load := r.Load(); load != "" {
		fmt.Fprintf(w, "load: %s\n", load)
	}
}
