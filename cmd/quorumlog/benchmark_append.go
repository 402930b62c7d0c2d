package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/quorumlog/quorumlog/log"
)

// appendOptions is what benchmark append is told.
type appendOptions struct {
	localOptions
	local, embedded bool
	size            entrySize
	trace           string
	fill            fill
	outstanding     int
	entries         int
	duration        time.Duration
	warmUp          time.Duration
}

func newBenchmarkAppend(p *program) *cobra.Command {
	var o appendOptions
	command := &cobra.Command{
		Use:   "append",
		Short: "Measure appends: entries a second, and how long one takes",
		Long: `Appends entries for some time (--duration), so many (--entries), or one of each size in a file (--trace), and says how
many were acknowledged a second, and how long an append took: the median (p50), what 99 of 100 do not exceed (p99), ...

--outstanding is how many appends are on their way at once, as if that many programs appended one after the other: 1 gives
the shortest time of an append, 64 to 256 the most appends a second.

Works with a running log (--members): its entries stay in there, so take none that matters; the writer that it has stays.
With --local it starts three members of its own, in processes and directories that are gone at the end. With --embedded,
too, one of these is this process itself, and writes: what a program sees that has a member in it, and needs no way there.

A trace file has one size on each line, such as 100B or 4KB: the format that the benchmark of Mesos takes.

JSON: benchmark members local embedded size trace outstanding entries bytes seconds entries_per_second
megabytes_per_second p50_us p90_us p99_us p999_us max_us writer interrupted; with --embedded, allocations_per_entry
and allocated_bytes_per_entry of this process. A megabyte is a million bytes.`,
		Example: `  quorumlog benchmark append --local --dir . --outstanding 1
  quorumlog benchmark append --local --outstanding 256 --size 1KiB --duration 30s -o json
  quorumlog benchmark append --members 1=10.0.0.1:7101,2=10.0.0.2:7101,3=10.0.0.3:7101 --trace sizes.txt`,
		Args: noArguments,
		RunE: func(command *cobra.Command, _ []string) error { return p.benchmarkAppend(command, o) },
	}
	p.addClient(command)
	addLocal(command, &o.local)
	command.Flags().BoolVar(&o.embedded, "embedded", false, "be one of the members of --local in this process, and write there")
	addPlace(command, &o.localOptions)
	addSize(command, &o.size)
	command.Flags().StringVar(&o.trace, "trace", "", "take the sizes from this `file`, one on each line, in turns")
	addFill(command, &o.fill)
	command.Flags().IntVar(&o.outstanding, "outstanding", 64, "how many appends are on their way at once")
	command.Flags().IntVar(&o.entries, "entries", 0, "how many to append (default: as many as --duration allows, or --trace has)")
	command.Flags().DurationVar(&o.duration, "duration", 5*time.Second, "for how long to append")
	command.Flags().DurationVar(&o.warmUp, "warm-up", time.Second, "for how long to append before anything counts")
	return command
}

func addLocal(command *cobra.Command, local *bool) {
	command.Flags().BoolVar(local, "local", false, "start three members on this machine, instead of --members")
}

// appendResult is what benchmark append prints. Its names are a contract.
type appendResult struct {
	Benchmark   string        `json:"benchmark"` // append
	Members     string        `json:"members"`
	Local       bool          `json:"local"`
	Embedded    bool          `json:"embedded"`
	Size        entrySize     `json:"size"` // in bytes; 0 with a trace
	Trace       string        `json:"trace,omitempty"`
	Outstanding int           `json:"outstanding"`
	Entries     uint64        `json:"entries"` // acknowledged
	Bytes       uint64        `json:"bytes"`
	Seconds     float64       `json:"seconds"`
	Rate        float64       `json:"entries_per_second"`
	Megabytes   float64       `json:"megabytes_per_second"`
	P50         float64       `json:"p50_us"`
	P90         float64       `json:"p90_us"`
	P99         float64       `json:"p99_us"`
	P999        float64       `json:"p999_us"`
	Max         float64       `json:"max_us"`
	Writer      log.ReplicaID `json:"writer"`                              // at the end; 0: not known
	Objects     float64       `json:"allocations_per_entry,omitempty"`     // of the writer's process, with who appends in it
	Heap        float64       `json:"allocated_bytes_per_entry,omitempty"` // the same
	Interrupted bool          `json:"interrupted"`                         // it ended before it was done
}

// sizes checks what was told, and returns the sizes of the entries.
func (o *appendOptions) sizes(command *cobra.Command) ([]entrySize, error) {
	err := errors.Join(
		within("outstanding", o.outstanding, 1, mostBenchmarkOutstanding), within("entries", o.entries, 0, mostBenchmarkEntries))
	switch {
	case err != nil:
		return nil, usage(err)
	case o.embedded && !o.local:
		return nil, usagef("--embedded needs --local: it is one of the members that are started")
	case command.Flags().Changed("entries") && command.Flags().Changed("duration"):
		return nil, usagef("--entries and --duration are two ways to say how long: choose one")
	case o.duration <= 0 || o.warmUp < 0:
		return nil, usagef("--duration is longer than 0, and --warm-up not shorter")
	case o.trace == "":
		return []entrySize{o.size}, nil
	case command.Flags().Changed("size"):
		return nil, usagef("--size and --trace are two ways to say how large the entries are: choose one")
	}
	sizes, err := readTrace(o.trace)
	if err != nil {
		return nil, usage(err)
	}
	if o.size = 0; o.entries == 0 && !command.Flags().Changed("duration") {
		o.entries = len(sizes)
	}
	return sizes, nil
}

func (p *program) benchmarkAppend(command *cobra.Command, o appendOptions) error {
	sizes, err := o.sizes(command)
	if err != nil {
		return err
	}
	return p.withLog(command.Context(), o.local, o.localOptions, func(ctx context.Context, l *benchmarkLog) error {
		entries := newSource(o.fill, sizes...)
		to, err := l.target(ctx, o.embedded)
		if err != nil {
			return err
		}
		load := func(count uint64, duration time.Duration) *appendLoad {
			return &appendLoad{to: to, entries: entries, outstanding: o.outstanding, batch: 1, count: count, duration: duration, timeout: p.timeout}
		}
		if err := load(1, 0).run(ctx); err != nil { // elects a writer, where there is none
			return err
		}
		if o.warmUp > 0 {
			if err := load(0, o.warmUp).run(ctx); err != nil {
				return err
			}
		}
		measured := load(uint64(o.entries), o.duration)
		if o.entries > 0 {
			measured.duration = 0
		}
		before := heapNow()
		err = measured.watched(ctx, measured.bar(p))
		r := measured.result(o, l)
		if o.embedded {
			r.Objects, r.Heap = before.each(r.Entries)
		}
		if r.Interrupted = err != nil; err == nil {
			r.Writer = l.writer(ctx)
		}
		return errors.Join(p.printAppend(r), err)
	})
}

func (l *appendLoad) result(o appendOptions, log *benchmarkLog) appendResult {
	r := appendResult{
		Benchmark: "append", Members: log.list(), Local: o.local, Embedded: o.embedded, Size: o.size, Trace: o.trace,
		Outstanding: l.outstanding, Entries: l.done.Load(), Bytes: l.bytes.Load(), Seconds: l.took.Seconds(),
		P50: microseconds(l.latency.quantile(0.5)), P90: microseconds(l.latency.quantile(0.9)), P99: microseconds(l.latency.quantile(0.99)),
		P999: microseconds(l.latency.quantile(0.999)), Max: microseconds(time.Duration(l.latency.longest.Load())),
	}
	r.Rate = rateOf(r.Entries, l.took)
	r.Megabytes = rateOf(r.Bytes, l.took) / megabyte
	return r
}

func (p *program) printAppend(r appendResult) error {
	if p.output != table {
		return printJSON(p.out, p.output, r)
	}
	size := r.Trace
	if size == "" {
		size = fmt.Sprintf("%dB", r.Size)
	}
	span := func(us float64) string { return spans(us / 1e6) }
	return printTable(p.out, "SIZE OUTSTANDING ENTRIES TIME ENTRIES/S MB/S P50 P90 P99 P99.9 MAX", [][]string{{
		size, fmt.Sprint(r.Outstanding), thousands(float64(r.Entries)), spans(r.Seconds), thousands(r.Rate), fmt.Sprintf("%.1f", r.Megabytes),
		span(r.P50), span(r.P90), span(r.P99), span(r.P999), span(r.Max),
	}})
}
