package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/storage/disk"
)

// diskOptions is what benchmark disk is told.
type diskOptions struct {
	dir      string
	size     entrySize
	fill     fill
	duration time.Duration // of each of the three parts
}

func newBenchmarkDisk(p *program) *cobra.Command {
	o := diskOptions{duration: 3 * time.Second}
	command := &cobra.Command{
		Use:   "disk",
		Short: "Measure whether a disk is fast enough for a member",
		Long: `Writes into a directory as a member does, in three parts of --duration each: one record with a sync of its own, which is what
an append waits for on each disk; 64 records with one sync, as appends come under load; and a plain file, in pieces of 1 MiB with a
sync each, as a recovery is bound by it. No member is started, and nothing is left behind.

The verdict goes by the time that one sync in a hundred exceeds: up to 10 ms is good, up to 50 ms is slow, and above that
elections and appends run into their time limits when the disk has a bad moment. A directory in memory is no disk.

JSON: benchmark dir size single group (records syncs_per_second records_per_second p50_us p99_us max_us) megabytes_per_second level
(good, slow, bad or memory) and verdict, a sentence.`,
		Example: "  quorumlog benchmark disk --dir /var/lib/quorumlog\n  quorumlog benchmark disk --dir . --duration 10s -o json",
		Args:    noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			if o.duration < time.Millisecond || o.duration > time.Minute {
				return usagef("--duration %v: it is from 1ms to 1m", o.duration)
			}
			return p.benchmarkDisk(command.Context(), o)
		},
	}
	p.addOutput(command)
	command.Flags().StringVar(&o.dir, "dir", ".", "`directory` on the disk that is meant; it must exist")
	command.Flags().DurationVar(&o.duration, "duration", o.duration, "how long each part takes")
	addSize(command, &o.size)
	addFill(command, &o.fill)
	return command
}

// syncResult is how syncs went that had so many records each. Its names are a contract.
type syncResult struct {
	Records   int     `json:"records"`
	Syncs     float64 `json:"syncs_per_second"`
	PerSecond float64 `json:"records_per_second"`
	P50       float64 `json:"p50_us"`
	P99       float64 `json:"p99_us"`
	Longest   float64 `json:"max_us"`
}

// diskResult is what benchmark disk prints. Its names are a contract.
type diskResult struct {
	Benchmark string     `json:"benchmark"` // disk
	Dir       string     `json:"dir"`
	Size      int        `json:"size"`
	Single    syncResult `json:"single"`
	Group     syncResult `json:"group"`
	Megabytes float64    `json:"megabytes_per_second"`
	Level     string     `json:"level"`
	Verdict   string     `json:"verdict"`
}

func (p *program) benchmarkDisk(ctx context.Context, o diskOptions) (err error) {
	patiently(ctx) // nobody interrupts the cleaning up
	place, err := os.MkdirTemp(o.dir, "quorumlog-benchmark-")
	if err != nil {
		return usagef("--dir: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(place)) }()
	result := diskResult{Benchmark: "disk", Dir: o.dir, Size: int(o.size)}
	bar := p.progress("disk", "parts", 3)
	defer bar.end()
	parts := []func() error{
		func() (err error) { result.Single, err = o.syncs(ctx, filepath.Join(place, "single"), 1); return err },
		func() (err error) {
			result.Group, err = o.syncs(ctx, filepath.Join(place, "group"), groupRecords)
			return err
		},
		func() (err error) {
			result.Megabytes, err = o.sequential(ctx, filepath.Join(place, "file"))
			return err
		},
	}
	for i, part := range parts {
		bar.set(uint64(i))
		if err := part(); err != nil {
			return because(ctx, fmt.Errorf("benchmark disk: %w", err))
		}
	}
	bar.hide()
	result.judge(inMemory(place))
	return p.printDisk(result)
}

// groupRecords is how many records a sync has under load.
const groupRecords = 64

// syncs stores records as a replica does, so many for each sync.
func (o diskOptions) syncs(ctx context.Context, dir string, records int) (result syncResult, err error) {
	store, err := disk.Open(disk.Options{
		Dir: dir, Create: true, Cluster: "benchmark", Replica: 1, Members: []log.ReplicaID{1}, Logger: zerolog.Nop(),
	})
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	entries, by := newSource(o.fill, o.size), log.NewProposal(1, 1)
	actions, at := make([]log.Action, records), log.Position(1)
	var took latencies
	began := time.Now()
	for time.Since(began) < o.duration && ctx.Err() == nil {
		for i := range actions {
			actions[i] = log.Action{Position: at, Promised: by, Performed: by, Value: log.Value{Kind: log.Append, Data: entries.at(uint64(at))}}
			at++
		}
		start := time.Now()
		if err := errors.Join(store.Put(actions...), store.Sync()); err != nil {
			return result, err
		}
		took.add(time.Since(start))
	}
	seconds := time.Since(began).Seconds()
	return syncResult{
		Records: records, Syncs: float64(took.count.Load()) / seconds, PerSecond: float64(at-1) / seconds,
		P50: microseconds(took.quantile(0.5)), P99: microseconds(took.quantile(0.99)), Longest: microseconds(time.Duration(took.longest.Load())),
	}, context.Cause(ctx)
}

// mostSequential bounds the file of the third part, so that it does not fill a disk.
const mostSequential = 1 << 30

// sequential writes a file, a mebibyte for each sync, and returns megabytes a second.
func (o diskOptions) sequential(ctx context.Context, name string) (rate float64, err error) {
	f, err := os.Create(name)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	blocks, written := newSource(o.fill, log.MaxEntry), uint64(0)
	began := time.Now()
	for time.Since(began) < o.duration && written < mostSequential && ctx.Err() == nil {
		n, err := f.Write(blocks.at(written / log.MaxEntry))
		if err := errors.Join(err, f.Sync()); err != nil {
			return 0, err
		}
		written += uint64(n)
	}
	return float64(written) / time.Since(began).Seconds() / megabyte, context.Cause(ctx)
}

// Above these, in microseconds, a disk is slow, or bad.
const (
	slowSync = 10_000
	badSync  = 50_000
)

// judge says what the figures mean.
func (r *diskResult) judge(memory bool) {
	usual, seldom := spans(r.Single.P50/1e6), spans(r.Single.P99/1e6)
	switch {
	case memory:
		r.Level = "memory"
		r.Verdict = "this is no disk: what is written here is gone when the machine stops; give a directory on a disk with --dir"
	case r.Single.P99 <= slowSync:
		r.Level = "good"
		r.Verdict = fmt.Sprintf("good: a sync takes %s, and one in a hundred more than %s", usual, seldom)
	case r.Single.P99 <= badSync:
		r.Level = "slow"
		r.Verdict = fmt.Sprintf("slow: a sync takes %s, and one in a hundred more than %s: appends take at least as long; a disk of its own, or an SSD with a cache "+
			"that survives power loss, takes less than 1 ms", usual, seldom)
	default:
		r.Level = "bad"
		r.Verdict = fmt.Sprintf("bad: a sync takes %s, and one in a hundred more than %s: do not put a member here", usual, seldom)
	}
}

func (p *program) printDisk(r diskResult) error {
	if p.output != table {
		return printJSON(p.out, p.output, r)
	}
	var lines [][]string
	for _, s := range []syncResult{r.Single, r.Group} {
		lines = append(lines, []string{
			fmt.Sprint(s.Records), thousands(s.Syncs), thousands(s.PerSecond), spans(s.P50 / 1e6), spans(s.P99 / 1e6), spans(s.Longest / 1e6),
		})
	}
	if err := printTable(p.out, "RECORDS/SYNC SYNCS/S RECORDS/S P50 P99 LONGEST", lines); err != nil {
		return err
	}
	_, err := fmt.Fprintf(p.out, "a file, synced after each MiB: %.0f MB/s\n%s\n", r.Megabytes, r.Verdict)
	return err
}
