package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/quorumlog/quorumlog/log"
)

// recoverOptions is what benchmark recover is told.
type recoverOptions struct {
	localOptions
	size        entrySize
	fill        fill
	entries     int
	runs        int
	outstanding int
}

func newBenchmarkRecover(p *program) *cobra.Command {
	var o recoverOptions
	command := &cobra.Command{
		Use:   "recover",
		Short: "Measure how soon a member votes again whose directory is gone",
		Long: `Starts three members on this machine, appends entries, and then, several times: ends one member cleanly and starts it
again (restart); kills it with SIGKILL, deletes its directory, and starts it under the same id (recovery). Each is
measured from the start of the process until the member votes.

With --outstanding it appends 128 B all the while, to see what a recovery takes from the others: before, with the member
away, meanwhile, and after, with the member back. The entries a second of the recovery are those that the log had before.

JSON: benchmark size entries bytes outstanding fill_entries_per_second restart_seconds recover_seconds entries_per_second
megabytes_per_second (medians) and runs, an array with these of each run, and with: caught_up (positions that the
member knew once it voted), memory_bytes (of each member by its id, the most that was resident since the recovery began;
only on Linux), written_bytes (by each member that was there, to its disk meanwhile; only on Linux), syncs (of the disk of
each of those, meanwhile),
append_entries_per_second, append_entries_per_second_meanwhile and append_entries_per_second_after (with --outstanding).`,
		Example: `  quorumlog benchmark recover --dir .
  quorumlog benchmark recover --dir . --entries 65536 --size 16KiB --runs 1 --outstanding 64 -o json`,
		Args: noArguments,
		RunE: func(command *cobra.Command, _ []string) error { return p.benchmarkRecover(command.Context(), o) },
	}
	p.addOutput(command)
	addPlace(command, &o.localOptions)
	addSize(command, &o.size)
	addFill(command, &o.fill)
	command.Flags().IntVar(&o.entries, "entries", 50_000, "how many entries the log has")
	command.Flags().IntVar(&o.outstanding, "outstanding", 0, "keep so many appends on their way meanwhile")
	command.Flags().Var(&o.copyRate, "copy-rate", "start the members with serve --copy-rate of this `size`; 0 for no limit")
	addRuns(command, &o.runs, 3)
	return command
}

// recoverRun is one run of benchmark recover. Its names are a contract.
type recoverRun struct {
	Restart   float64                  `json:"restart_seconds"`
	Seconds   float64                  `json:"recover_seconds"`
	CaughtUp  uint64                   `json:"caught_up"`
	Rate      float64                  `json:"entries_per_second"`
	Megabytes float64                  `json:"megabytes_per_second"`
	Memory    map[log.ReplicaID]uint64 `json:"memory_bytes,omitempty"`
	Written   map[log.ReplicaID]uint64 `json:"written_bytes,omitempty"`
	Syncs     map[log.ReplicaID]uint64 `json:"syncs,omitempty"`
	Before    float64                  `json:"append_entries_per_second,omitempty"`
	Meanwhile float64                  `json:"append_entries_per_second_meanwhile,omitempty"`
	After     float64                  `json:"append_entries_per_second_after,omitempty"`
}

// recoverResult is what benchmark recover prints. Its names are a contract.
type recoverResult struct {
	Benchmark   string       `json:"benchmark"` // recover
	Size        entrySize    `json:"size"`
	Entries     uint64       `json:"entries"`
	Bytes       uint64       `json:"bytes"`
	Outstanding int          `json:"outstanding"`
	Fill        float64      `json:"fill_entries_per_second"`
	Restart     float64      `json:"restart_seconds"`
	Seconds     float64      `json:"recover_seconds"`
	Rate        float64      `json:"entries_per_second"`
	Megabytes   float64      `json:"megabytes_per_second"`
	Runs        []recoverRun `json:"runs"`
	Interrupted bool         `json:"interrupted"` // it ended before all runs were done
}

func (p *program) benchmarkRecover(ctx context.Context, o recoverOptions) error {
	if err := errors.Join(
		within("entries", o.entries, 1, mostBenchmarkEntries), within("runs", o.runs, 1, mostBenchmarkRuns),
		within("outstanding", o.outstanding, 0, mostBenchmarkOutstanding)); err != nil {
		return usage(err)
	}
	return p.withOwnLog(ctx, o.localOptions, func(ctx context.Context, l *benchmarkLog) error {
		if err := l.startAll(ctx, false); err != nil {
			return err
		}
		r := &recovering{benchmarkLog: l, options: o, program: p, entries: newSource(o.fill, o.size)}
		if err := r.prepare(ctx); err != nil {
			return err
		}
		bar := p.progress("recover", "runs", uint64(o.runs))
		var failed error
		for i := range o.runs {
			bar.set(uint64(i))
			run, err := r.once(ctx)
			if failed = err; err != nil {
				break
			}
			r.result.Runs = append(r.result.Runs, run)
		}
		bar.end()
		if len(r.result.Runs) == 0 {
			return failed
		}
		r.result.Interrupted = failed != nil
		return errors.Join(p.printRecover(r.result.summed()), failed)
	})
}

// recovering is a log whose one member is made to recover, again and again.
type recovering struct {
	*benchmarkLog
	program *program
	options recoverOptions
	entries *source
	victim  *demoReplica // not the writer
	others  []*demoReplica
	result  recoverResult
}

// How the log is filled: in large batches, since that is not what is measured.
const (
	fillOutstanding = 8
	fillBatch       = 256
	fillBytes       = 512 << 10
)

// prepare fills the log, and chooses the victim.
func (r *recovering) prepare(ctx context.Context) error {
	batch := max(1, min(fillBatch, fillBytes/int(r.options.size)))
	filling := &appendLoad{
		to: r.client, entries: r.entries, outstanding: fillOutstanding, batch: batch, count: uint64(r.options.entries), timeout: time.Minute,
	}
	if err := filling.watched(ctx, filling.bar(r.program)); err != nil {
		return fmt.Errorf("fill the log: %w", err)
	}
	r.result = recoverResult{
		Benchmark: "recover", Size: r.options.size, Entries: filling.done.Load(), Bytes: filling.bytes.Load(),
		Outstanding: r.options.outstanding, Fill: rateOf(filling.done.Load(), filling.took),
	}
	writer := r.writer(ctx)
	for _, replica := range r.replicas {
		if r.victim == nil && replica.ID != writer {
			r.victim = replica
		} else {
			r.others = append(r.others, replica)
		}
	}
	if r.options.profile != "" {
		return r.refresh(ctx)
	}
	return nil
}

// refresh gives the members that stay new processes, so that their profiles are of the recovery alone.
func (r *recovering) refresh(ctx context.Context) error {
	for _, other := range r.others {
		if _, err := r.restart(ctx, other); err != nil {
			return err
		}
	}
	return nil
}

// restart ends a member cleanly, starts it again, and returns how long it took until it voted.
func (r *recovering) restart(ctx context.Context, replica *demoReplica) (time.Duration, error) {
	if err := replica.ask(); err != nil {
		return 0, err
	}
	if err := r.start(replica); err != nil {
		return 0, err
	}
	return r.votes(ctx)
}

// once restarts the victim, and then has it recover.
func (r *recovering) once(ctx context.Context) (run recoverRun, err error) {
	restart, err := r.restart(ctx, r.victim)
	if err != nil {
		return run, err
	}
	run.Restart = restart.Seconds()
	if err := errors.Join(r.victim.kill(), os.RemoveAll(r.victim.data)); err != nil {
		return run, err
	}
	load := r.load(ctx)
	defer func() { err = errors.Join(err, load.end()) }()
	if err := load.settle(ctx); err != nil {
		return run, err
	}
	return run, r.recover(ctx, &run, load)
}

// recover starts the victim without a directory, and measures until it votes.
func (r *recovering) recover(ctx context.Context, run *recoverRun, load *besideLoad) error {
	before, err := r.costs(ctx)
	if err != nil {
		return err
	}
	run.Before = load.mark()
	if err := r.start(r.victim); err != nil {
		return err
	}
	took, err := r.votes(ctx)
	if err != nil {
		return err
	}
	run.Meanwhile = load.mark()
	run.Seconds = took.Seconds()
	if err := r.account(ctx, run, before); err != nil {
		return err
	}
	if run.After, err = load.watch(ctx); err != nil {
		return err
	}
	if r.options.profile != "" {
		return errors.Join(r.caughtUp(ctx, run), r.rest(ctx))
	}
	return r.caughtUp(ctx, run)
}

// rest ends the victim's process, so that its profile is of the recovery alone, and starts another one.
func (r *recovering) rest(ctx context.Context) error {
	_, err := r.restart(ctx, r.victim)
	return err
}

// caughtUp asks the victim what it knows, now that it votes, and works out the rates.
func (r *recovering) caughtUp(ctx context.Context, run *recoverRun) error {
	s, err := r.client.StatusOf(ctx, r.victim.ID)
	if err != nil {
		return err
	}
	if run.CaughtUp = positionsIn(s.Begin, s.Learned); run.CaughtUp < r.result.Entries {
		return fmt.Errorf("member %d votes, and has learned %d positions of %d", s.ID, run.CaughtUp, r.result.Entries)
	}
	run.Rate = float64(r.result.Entries) / run.Seconds
	run.Megabytes = float64(r.result.Bytes) / run.Seconds / megabyte
	return nil
}

// summed puts the medians in.
func (r recoverResult) summed() recoverResult {
	middle := func(of func(recoverRun) float64) float64 {
		var all []float64
		for _, run := range r.Runs {
			all = append(all, of(run))
		}
		return median(all)
	}
	r.Restart = middle(func(run recoverRun) float64 { return run.Restart })
	r.Seconds = middle(func(run recoverRun) float64 { return run.Seconds })
	r.Rate = middle(func(run recoverRun) float64 { return run.Rate })
	r.Megabytes = middle(func(run recoverRun) float64 { return run.Megabytes })
	return r
}

func (p *program) printRecover(r recoverResult) error {
	if p.output != table {
		return printJSON(p.out, p.output, r)
	}
	lines := make([][]string, len(r.Runs))
	for i, run := range r.Runs {
		lines[i] = []string{
			fmt.Sprint(i + 1), spans(run.Restart), spans(run.Seconds), thousands(run.Rate), fmt.Sprintf("%.1f", run.Megabytes), largest(run.Memory),
			largest(run.Written), most(run.Syncs), share(run),
		}
	}
	lines = append(lines, []string{"median", spans(r.Restart), spans(r.Seconds), thousands(r.Rate), fmt.Sprintf("%.1f", r.Megabytes), "", "", "", ""})
	return printTable(p.out, "RUN RESTART RECOVERY ENTRIES/S MB/S MEMORY WRITTEN SYNCS APPENDS-MEANWHILE", lines)
}

// most shows the highest number of the members.
func most(of map[log.ReplicaID]uint64) string {
	if len(of) == 0 {
		return "-"
	}
	return fmt.Sprint(slices.Max(slices.Collect(maps.Values(of))))
}

// largest shows the largest of the members, in MB.
func largest(of map[log.ReplicaID]uint64) string {
	most := uint64(0)
	for _, bytes := range of {
		most = max(most, bytes)
	}
	if len(of) == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1fMB", float64(most)/megabyte)
}

// share shows what was left of the appends.
func share(run recoverRun) string {
	if run.Before == 0 {
		return "-"
	}
	return fmt.Sprintf("%s/s,%.0f%%,after:%.0f%%", thousands(run.Meanwhile), 100*run.Meanwhile/run.Before, 100*run.After/run.Before)
}
