package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/quorumlog/quorumlog/log"
)

func newBenchmarkCommand(p *program) *cobra.Command {
	command := &cobra.Command{
		Use:   "benchmark",
		Short: "Measure appends, recovery, reads, starts, fail-over and disks",
		Long: `Measures the log where it will run, or three members of its own on this machine.

  append    appends for some time, or so many: entries a second, and how long one takes
  recover   deletes the directory of a member, and measures until it votes again; and a restart with its directory
  read      reads the log: entries and bytes a second
  start     starts three empty members, and measures until an append is acknowledged
  failover  kills the member that writes, and measures until an append is acknowledged again
  disk      writes and syncs as a member does: is the disk fast enough?

append and read work with a running log (--members) or, with --local, with three members in processes of their own, on
this machine and in a temporary directory. recover, start and failover do that always; disk needs no member. What they started and made is gone when
they end, also when they are interrupted.

Every append is synced by a quorum before it counts. The figures are those of the disk as much as of the program: say
with --dir where it is, since a temporary directory may be in memory.`,
		Example: `  quorumlog benchmark append --local --dir . --outstanding 64
  quorumlog benchmark recover --dir . --entries 1000000
  quorumlog benchmark append --members 1=10.0.0.1:7101,2=10.0.0.2:7101,3=10.0.0.3:7101 -o json`,
		RunE: func(command *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("there is no benchmark %q: it is one of append, recover, read, start, failover, disk", args[0])
			}
			return command.Help()
		},
	}
	command.AddCommand(newBenchmarkAppend(p), newBenchmarkRecover(p), newBenchmarkRead(p), newBenchmarkStart(p),
		newBenchmarkFailover(p), newBenchmarkDisk(p))
	return command
}

// Bounds of what a benchmark is told.
const (
	mostBenchmarkEntries     = 1_000_000_000
	mostBenchmarkOutstanding = 10_000
	mostBenchmarkRuns        = 1_000
)

// within returns an error of usage if a flag is not between two bounds.
func within(flag string, value, least, most int) error {
	if value < least || value > most {
		return usagef("--%s is %d: it is from %d to %d", flag, value, least, most)
	}
	return nil
}

// addSize adds --size, which has a value to begin with.
func addSize(command *cobra.Command, size *entrySize) {
	*size = 128
	command.Flags().Var(size, "size", "`size` of an entry, such as 128, 4KiB or 1MiB; at most 1 MiB")
}

// addFill adds --fill.
func addFill(command *cobra.Command, to *fill) {
	*to = fillRandom
	command.Flags().Var(to, "fill", "`bytes` of the entries: random, zero or one (all bits set)")
	enumerate(command, "fill", fillRandom, fillZero, fillOne)
}

// addPlace adds where a benchmark keeps the members that it starts.
func addPlace(command *cobra.Command, o *localOptions) {
	command.Flags().StringVar(&o.dir, "dir", "", "make the members' directories in this `directory` (default: the system's temporary one)")
	command.Flags().StringVar(&o.profile, "cpuprofile", "", "write a CPU profile of each member into this `directory`")
	// For those who work on the program: nobody else can read one.
	_ = command.Flags().MarkHidden("cpuprofile") // it was just added
}

// addRuns adds how often a benchmark is run.
func addRuns(command *cobra.Command, runs *int, usual int) {
	command.Flags().IntVar(runs, "runs", usual, "how often it is measured; the median counts")
}

// median is the middle one, or the mean of the two in the middle; 0 of none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

// rateOf is how many a second.
func rateOf(count uint64, took time.Duration) float64 {
	if took <= 0 {
		return 0
	}
	return float64(count) / took.Seconds()
}

// megabyte is what is meant by MB: a million bytes.
const megabyte = 1e6

// thousands writes a number in groups of three.
func thousands(n float64) string {
	text := fmt.Sprintf("%.0f", n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// spans is how people are shown a duration: three digits or so.
func spans(seconds float64) string {
	switch d := time.Duration(seconds * float64(time.Second)); {
	case d >= time.Second:
		return d.Round(10 * time.Millisecond).String()
	case d >= time.Millisecond:
		return d.Round(10 * time.Microsecond).String()
	default:
		return d.Round(time.Microsecond).String()
	}
}

// positionsIn is how many entries stand from one position to another, where nothing else was appended.
func positionsIn(first, last log.Position) uint64 {
	if last < first {
		return 0
	}
	return uint64(last-first) + 1
}
