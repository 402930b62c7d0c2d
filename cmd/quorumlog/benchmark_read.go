package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/quorumlog/quorumlog/cluster"
	"github.com/quorumlog/quorumlog/log"
)

// readOptions is what benchmark read is told.
type readOptions struct {
	localOptions
	local   bool
	size    entrySize
	fill    fill
	entries int
	runs    int
}

func newBenchmarkRead(p *program) *cobra.Command {
	var o readOptions
	command := &cobra.Command{
		Use:   "read",
		Short: "Measure reads: entries and bytes a second",
		Long: `Reads the log from its beginning to its end, or the first --entries of it, through one client, several times, and says how
many entries and bytes came a second. The first run may have to read from the disk what later ones find in memory.

With --local it first starts three members of its own, and appends --entries of --size.

JSON: benchmark members local entries bytes seconds entries_per_second megabytes_per_second (medians) and runs, an array
of entries, bytes and seconds.`,
		Example: `  quorumlog benchmark read --local --dir . --entries 200000
  quorumlog benchmark read --members 1=10.0.0.1:7101,2=10.0.0.2:7101,3=10.0.0.3:7101 -o json`,
		Args: noArguments,
		RunE: func(command *cobra.Command, _ []string) error { return p.benchmarkRead(command, o) },
	}
	p.addClient(command)
	addLocal(command, &o.local)
	addPlace(command, &o.localOptions)
	addSize(command, &o.size)
	addFill(command, &o.fill)
	command.Flags().IntVar(&o.entries, "entries", 50_000, "how many entries to read, and with --local to append first (default with --members: all)")
	addRuns(command, &o.runs, 3)
	return command
}

// readRun is one run of benchmark read. Its names are a contract.
type readRun struct {
	Entries uint64  `json:"entries"`
	Bytes   uint64  `json:"bytes"`
	Seconds float64 `json:"seconds"`
}

// readResult is what benchmark read prints. Its names are a contract.
type readResult struct {
	Benchmark   string    `json:"benchmark"` // read
	Members     string    `json:"members"`
	Local       bool      `json:"local"`
	Entries     uint64    `json:"entries"` // of the last run
	Bytes       uint64    `json:"bytes"`
	Seconds     float64   `json:"seconds"`
	Rate        float64   `json:"entries_per_second"`
	Megabytes   float64   `json:"megabytes_per_second"`
	Runs        []readRun `json:"runs"`
	Interrupted bool      `json:"interrupted"` // it ended before all runs were done
}

func (p *program) benchmarkRead(command *cobra.Command, o readOptions) error {
	err := errors.Join(within("entries", o.entries, 1, mostBenchmarkEntries), within("runs", o.runs, 1, mostBenchmarkRuns))
	if err != nil {
		return usage(err)
	}
	most := uint64(o.entries)
	if !o.local && !command.Flags().Changed("entries") {
		most = mostBenchmarkEntries
	}
	return p.withLog(command.Context(), o.local, o.localOptions, func(ctx context.Context, l *benchmarkLog) error {
		if o.local {
			if err := l.startAll(ctx, false); err != nil {
				return err
			}
			filled := recovering{benchmarkLog: l, program: p, entries: newSource(o.fill, o.size),
				options: recoverOptions{size: o.size, entries: o.entries}}
			if err := filled.prepare(ctx); err != nil {
				return err
			}
		}
		result := readResult{Benchmark: "read", Members: l.list(), Local: o.local}
		var failed error
		for i := 0; i < o.runs && failed == nil; i++ {
			failed = p.readOnce(ctx, l.client, most, &result)
		}
		if len(result.Runs) == 0 {
			return failed
		}
		result.Interrupted = failed != nil
		return errors.Join(p.printReads(result.summed()), failed)
	})
}

// readOnce reads the log once. A run that fails does not count.
func (p *program) readOnce(ctx context.Context, client *cluster.Client, most uint64, into *readResult) error {
	reader := client.Reader()
	begin, last, err := p.bounds(ctx, reader, 0, false)
	if err != nil {
		return fmt.Errorf("read: %w", err)
	}
	if last < begin {
		return errors.New("the log is empty: append to it first, or use --local")
	}
	last = min(last, begin+log.Position(min(most, positionsIn(begin, last)))-1)
	bar := p.progress("read", positionsUnit, positionsIn(begin, last))
	defer bar.end()
	var run readRun
	began := time.Now()
	for e, err := range reader.Read(ctx, begin, last) {
		if err != nil {
			return fmt.Errorf("read: %w", err)
		}
		run.Entries++
		run.Bytes += uint64(len(e.Data))
		if run.Entries%1024 == 0 {
			bar.set(positionsIn(begin, e.Position))
		}
	}
	run.Seconds = time.Since(began).Seconds()
	into.Runs = append(into.Runs, run)
	return nil
}

// summed puts the median in, and the rates of it.
func (r readResult) summed() readResult {
	var seconds []float64
	for _, run := range r.Runs {
		seconds = append(seconds, run.Seconds)
		r.Entries, r.Bytes = run.Entries, run.Bytes
	}
	r.Seconds = median(seconds)
	r.Rate, r.Megabytes = float64(r.Entries)/r.Seconds, float64(r.Bytes)/r.Seconds/megabyte
	return r
}

func (p *program) printReads(r readResult) error {
	if p.output != table {
		return printJSON(p.out, p.output, r)
	}
	line := func(name string, entries uint64, seconds, rate, megabytes float64) []string {
		return []string{name, thousands(float64(entries)), spans(seconds), thousands(rate), fmt.Sprintf("%.1f", megabytes)}
	}
	var lines [][]string
	for i, run := range r.Runs {
		lines = append(lines, line(fmt.Sprint(i+1), run.Entries, run.Seconds, float64(run.Entries)/run.Seconds, float64(run.Bytes)/run.Seconds/megabyte))
	}
	lines = append(lines, line("median", r.Entries, r.Seconds, r.Rate, r.Megabytes))
	return printTable(p.out, "RUN ENTRIES TIME ENTRIES/S MB/S", lines)
}
