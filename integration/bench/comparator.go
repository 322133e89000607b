package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
)

// benchComparator reads the comparator's own Go benchmarks, in which each case
// stands beside wI2L/jsondiff on the same pairs, run in turn.
func benchComparator(ctx context.Context, o options) ([]result, error) {
	times, err := goBenchmarks(ctx, o, "^Benchmark(Equal|Scalars|Reordered)$", "understudy.dev/comparator/diff")
	if err != nil {
		return nil, err
	}
	var results []result
	for _, c := range []struct {
		name string
		goal float64
	}{{"Scalars", 5}, {"Reordered", 5}, {"Equal", 100}} {
		for _, size := range []string{"1KiB", "10KiB", "100KiB"} {
			key := c.name + "/" + size
			ours, peer := times[key+"/ours"], times[key+"/jsondiff"]
			if len(ours) == 0 || len(peer) == 0 {
				return nil, fmt.Errorf("no benchmark %s in the output", key)
			}
			ratio, spread := paired(peer, ours)
			results = append(results, result{
				what: "comparator: " + key + ", vs jsondiff", goal: c.goal, moreIsBetter: true,
				ours: micros2(median(ours)), peer: micros2(median(peer)), ratio: ratio, spread: spread,
			})
		}
	}
	translation, err := benchTranslation(ctx, o)
	return append(results, translation...), err
}

// benchTranslation asks what names cost: pairs that the answers do not hold (a
// record has none of those), and a document of which every name is another,
// beside the same document with the candidate's names.
func benchTranslation(ctx context.Context, o options) ([]result, error) {
	times, err := goBenchmarks(ctx, o, "^BenchmarkTranslate$", "understudy.dev/comparator")
	if err != nil {
		return nil, err
	}
	var results []result
	for _, c := range []struct{ what, with, without string }{
		{"comparator: 10 names in 2 KiB, 500 pairs known, vs 10", "known", "needed"},
		{"comparator: 500 names in 90 KiB translated, vs none", "renamed", "same"},
	} {
		with, without := times["Translate/"+c.with], times["Translate/"+c.without]
		if len(with) == 0 || len(without) == 0 {
			return nil, errors.New("no benchmark Translate in the output")
		}
		ratio, spread := paired(with, without)
		results = append(results, result{what: c.what, goal: 1.3, ours: micros2(median(with)), peer: micros2(median(without)), ratio: ratio, spread: spread})
	}
	return results, nil
}

// goBenchmarks runs benchmarks of a package and gives their ns/op by name.
func goBenchmarks(ctx context.Context, o options, pattern, pkg string) (map[string][]float64, error) {
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", pattern, "-benchtime", "300ms", "-count", strconv.Itoa(o.pairs), pkg)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go test -bench: %w\n%s", err, out)
	}
	return parseBenchmarks(out)
}

func micros2(ns float64) string { return fmt.Sprintf("%.2f us", ns/1e3) }

var benchLine = regexp.MustCompile(`(?m)^Benchmark(\S+?)(?:-\d+)?\s+\d+\s+([\d.]+) ns/op`)

// parseBenchmarks reads ns/op by name from the output of go test -bench.
func parseBenchmarks(out []byte) (map[string][]float64, error) {
	times := map[string][]float64{}
	for _, m := range benchLine.FindAllSubmatch(out, -1) {
		ns, err := strconv.ParseFloat(string(m[2]), 64)
		if err != nil {
			return nil, err
		}
		times[string(m[1])] = append(times[string(m[1])], ns)
	}
	return times, nil
}
