package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
)

func newBenchmarkStart(p *program) *cobra.Command {
	var o localOptions
	var runs int
	command := &cobra.Command{
		Use:   "start",
		Short: "Measure how soon three empty members acknowledge an append",
		Long: `Starts three members without directories on this machine, and measures from the start of the first process until a
client, which begins to ask at the same moment, has its first append acknowledged. Several times, each with a new log.

JSON: benchmark seconds (the median) and runs, an array of seconds.`,
		Example: "  quorumlog benchmark start --dir . --runs 9\n  quorumlog benchmark start -o json",
		Args:    noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			if err := within("runs", runs, 1, mostBenchmarkRuns); err != nil {
				return err
			}
			return p.benchmarkStart(command.Context(), o, runs)
		},
	}
	p.addTimeout(command)
	p.addOutput(command)
	addPlace(command, &o)
	addRuns(command, &runs, 3)
	return command
}

// startResult is what benchmark start prints. Its names are a contract.
type startResult struct {
	Benchmark   string    `json:"benchmark"` // start
	Seconds     float64   `json:"seconds"`
	Runs        []float64 `json:"runs"`
	Interrupted bool      `json:"interrupted"` // it ended before all runs were done
}

func (p *program) benchmarkStart(ctx context.Context, o localOptions, runs int) error {
	result := startResult{Benchmark: "start"}
	bar := p.progress("start", "runs", uint64(runs))
	var failed error
	for i := 0; i < runs && failed == nil; i++ {
		bar.set(uint64(i))
		failed = p.withOwnLog(ctx, o, func(ctx context.Context, l *benchmarkLog) error {
			took, err := l.firstAppend(ctx, p.timeout)
			if err == nil {
				result.Runs = append(result.Runs, took.Seconds())
			}
			return err
		})
	}
	bar.end()
	if len(result.Runs) == 0 {
		return failed
	}
	result.Seconds, result.Interrupted = median(result.Runs), failed != nil
	return errors.Join(p.printStarts(result), failed)
}

// firstAppend starts the members, and returns how long it takes until an append is acknowledged.
func (l *benchmarkLog) firstAppend(ctx context.Context, timeout time.Duration) (time.Duration, error) {
	began := time.Now()
	for _, r := range l.replicas {
		if err := l.start(r); err != nil {
			return 0, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if _, err := l.client.Append(ctx, []byte("first")); err != nil {
		return 0, fmt.Errorf("the first append: %w", err)
	}
	return time.Since(began), nil
}

func (p *program) printStarts(r startResult) error {
	if p.output != table {
		return printJSON(p.out, p.output, r)
	}
	var lines [][]string
	for i, run := range r.Runs {
		lines = append(lines, []string{fmt.Sprint(i + 1), spans(run)})
	}
	return printTable(p.out, "RUN FIRST-APPEND", append(lines, []string{"median", spans(r.Seconds)}))
}
