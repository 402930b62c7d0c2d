package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/quorumlog/quorumlog/cluster"

	"github.com/quorumlog/quorumlog/log"
)

// failoverOptions is what benchmark failover is told.
type failoverOptions struct {
	localOptions
	kills    int
	handOver bool
}

func newBenchmarkFailover(p *program) *cobra.Command {
	var o failoverOptions
	command := &cobra.Command{
		Use:   "failover",
		Short: "Measure how soon an append works once the writer is killed",
		Long: `Starts three members on this machine, and a client that appends 128 B, one at a time, and goes on whatever becomes of one.
Then, several times: kills the process that writes, with SIGKILL, and measures from then until an append is acknowledged
that the client began after that. The member is started again, votes, and hears the others, a second before the next kill.

With --hand-over the process gets a SIGTERM, and what is measured is the longest time between two acknowledged appends
until it has ended.

JSON: benchmark kills hand_over seconds (the median) most_seconds indeterminate failed (appends, of which the client was
told so) and runs, an array of seconds.`,
		Example: "  quorumlog benchmark failover --dir . --kills 30\n  quorumlog benchmark failover --hand-over -o json",
		Args:    noArguments,
		RunE:    func(command *cobra.Command, _ []string) error { return p.benchmarkFailover(command.Context(), o) },
	}
	p.addOutput(command)
	addPlace(command, &o.localOptions)
	command.Flags().IntVar(&o.kills, "kills", 5, "how often the writer is killed; the median counts")
	command.Flags().BoolVar(&o.handOver, "hand-over", false, "end the writer with SIGTERM, so that it hands over")
	return command
}

// failoverResult is what benchmark failover prints. Its names are a contract.
type failoverResult struct {
	Benchmark     string    `json:"benchmark"` // failover
	Kills         int       `json:"kills"`
	HandOver      bool      `json:"hand_over"`
	Seconds       float64   `json:"seconds"`
	Most          float64   `json:"most_seconds"`
	Indeterminate int       `json:"indeterminate"`
	Failed        int       `json:"failed"`
	Runs          []float64 `json:"runs"`
	Interrupted   bool      `json:"interrupted"` // it ended before all kills were done
}

func (p *program) benchmarkFailover(ctx context.Context, o failoverOptions) error {
	if err := within("kills", o.kills, 1, mostBenchmarkRuns); err != nil {
		return err
	}
	result := failoverResult{Benchmark: "failover", HandOver: o.handOver}
	failed := p.withOwnLog(ctx, o.localOptions, func(ctx context.Context, l *benchmarkLog) error {
		return p.failOver(ctx, l, o, &result)
	})
	if len(result.Runs) == 0 {
		return failed
	}
	result.Kills, result.Seconds, result.Most = len(result.Runs), median(result.Runs), slices.Max(result.Runs)
	result.Interrupted = failed != nil
	return errors.Join(p.printFailover(result), failed)
}

func (p *program) failOver(ctx context.Context, l *benchmarkLog, o failoverOptions, result *failoverResult) error {
	if err := l.startAll(ctx, false); err != nil {
		return err
	}
	asking := ask(ctx, l)
	defer func() {
		asking.end()
		result.Indeterminate, result.Failed = asking.indeterminate, asking.failed
	}()
	bar := p.progress("failover", "kills", uint64(o.kills))
	defer bar.end()
	for i := range o.kills {
		bar.set(uint64(i))
		took, err := l.failOverOnce(ctx, asking, o.handOver)
		if err != nil {
			return err
		}
		result.Runs = append(result.Runs, took.Seconds())
	}
	return nil
}

// failOverOnce ends the process that writes, and returns how long the client had to wait.
func (l *benchmarkLog) failOverOnce(ctx context.Context, a *asking, handOver bool) (time.Duration, error) {
	victim, err := l.awaitWriter(ctx, a)
	if err != nil {
		return 0, err
	}
	end := a.untilAfterKill
	if handOver {
		end = a.untilAfterHandOver
	}
	took, err := end(ctx, victim)
	if err != nil {
		return 0, err
	}
	if err := l.start(victim); err != nil {
		return 0, err
	}
	if _, err = l.votes(ctx); err != nil {
		return 0, err
	}
	return took, l.settle(ctx)
}

// settle waits until every member hears every other one, and then for a moment: a member that is back does not vote before its
// peers had time to object to its disk, so that a second kill right away would leave no quorum for as long.
func (l *benchmarkLog) settle(ctx context.Context) error {
	const moment, again = time.Second, 10 * time.Millisecond
	ctx, cancel := context.WithTimeout(ctx, votesWithin)
	defer cancel()
	for pause := again; ; {
		whole := !slices.ContainsFunc(l.client.Status(ctx), func(s cluster.Status) bool {
			return s.Status != voting || len(s.Present) < len(l.members)
		})
		if whole {
			pause = moment
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if whole {
			return nil
		}
	}
}

func (a *asking) untilAfterKill(ctx context.Context, victim *demoReplica) (time.Duration, error) {
	began := time.Now()
	if err := victim.kill(); err != nil {
		return 0, err
	}
	return a.untilOne(ctx, began)
}

func (a *asking) untilAfterHandOver(ctx context.Context, victim *demoReplica) (time.Duration, error) {
	a.forget()
	if err := victim.ask(); err != nil {
		return 0, err
	}
	return a.longestUntilOne(ctx)
}

// awaitWriter waits until a member writes, and the client has heard from it: it asks every 10 ms, for at most 30 s.
func (l *benchmarkLog) awaitWriter(ctx context.Context, a *asking) (*demoReplica, error) {
	const patience = 30 * time.Second
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		if _, err := a.untilOne(ctx, time.Now()); err != nil {
			return nil, err
		}
		if i := l.index(l.writer(ctx)); i >= 0 {
			return l.replicas[i], nil
		}
	}
}

func (l *benchmarkLog) index(id log.ReplicaID) int {
	return slices.IndexFunc(l.replicas, func(r *demoReplica) bool { return r.ID == id })
}

func (p *program) printFailover(r failoverResult) error {
	if p.output != table {
		return printJSON(p.out, p.output, r)
	}
	var lines [][]string
	for i, run := range r.Runs {
		lines = append(lines, []string{fmt.Sprint(i + 1), spans(run)})
	}
	lines = append(lines, []string{"median", spans(r.Seconds)}, []string{"most", spans(r.Most)})
	if err := printTable(p.out, "KILL NEXT-APPEND", lines); err != nil {
		return err
	}
	_, err := fmt.Fprintf(p.out, "%d appends were indeterminate, and %d failed\n", r.Indeterminate, r.Failed)
	return err
}
