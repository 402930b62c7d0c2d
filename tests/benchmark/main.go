// Command benchmark measures the program as it is: its own binary, three processes on this machine's loopback, a real disk
// that is really synced. Beside every figure stands a limit, measured in the same run and in turns with it: the least that
// plain Go has to do for the same (limit.go, stream.go). A noisy machine is noisy for both, so the ratio says more than
// the figure.
//
//	main.go       what is asked for, and the order of the runs
//	workload.go   W1, W2, W3, W5: what is measured, and its goal
//	program.go    the program under test: quorumlog benchmark ... -o ndjson
//	limit.go, follower.go, stream.go   the limits
//	report.go     a JSON line for each result, and a Markdown table at the end
//	growth.go, chart.go   how recovery and restart grow with the log, as a picture
//
// It is run by `make bench`; docs/performance.md says how to read what it prints.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
)

func main() {
	ctx, restore := signal.NotifyContext(context.Background(), os.Interrupt)
	defer restore()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "benchmark:", err)
		os.Exit(1)
	}
}

// options is what the benchmark is told.
type options struct {
	program  string
	dir      string
	runs     int
	only     string
	profile  string
	growth   string
	tiny     bool
	notes    io.Writer
	follower bool
	sink     bool
}

func run(ctx context.Context, args []string, out, notes io.Writer) error {
	o := options{notes: notes}
	flags := flag.NewFlagSet("benchmark", flag.ContinueOnError)
	flags.SetOutput(notes)
	flags.StringVar(&o.program, "program", "bin/quorumlog", "the program under test")
	flags.StringVar(&o.dir, "dir", "", "a directory on the disk to measure (default: the system's temporary one)")
	flags.IntVar(&o.runs, "runs", 3, "how often each workload is run; the median counts")
	flags.StringVar(&o.only, "workload", "", "only these, by their names or the beginnings of them, with commas: W2 or W2-256,W3")
	flags.StringVar(&o.profile, "profile", "", "collect CPU profiles of the members in this directory, from one more run of each workload")
	flags.StringVar(&o.growth, "growth", "", "measure instead how recovery and restart grow with the log, and draw it into this SVG file")
	flags.BoolVar(&o.tiny, "tiny", false, "so little that it only shows that all of it works")
	flags.BoolVar(&o.follower, "follower", false, "be a follower of a limit (for itself)")
	flags.BoolVar(&o.sink, "sink", false, "be the end of a stream (for itself)")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
	switch {
	case o.follower:
		return serveOnce(flags.Arg(0), follow)
	case o.sink:
		return serveOnce(flags.Arg(0), drain)
	case o.runs < 1:
		return fmt.Errorf("-runs is %d: it is 1 or more", o.runs)
	case o.growth != "":
		return grow(ctx, o, out)
	}
	return measure(ctx, o, out)
}

// measure runs every workload that is asked for, in turns with its limit, and reports it.
func measure(ctx context.Context, o options, out io.Writer) error {
	chosen := choose(workloads(o.scale()), o.only)
	if len(chosen) == 0 {
		return fmt.Errorf("-workload %s: there is none; these are: %s", o.only, names(workloads(o.scale())))
	}
	here := thisMachine(ctx)
	results := make([]result, len(chosen))
	for i, w := range chosen {
		results[i] = result{Workload: w.name, What: w.what, Size: w.size, Outstanding: w.outstanding, Unit: w.unit, Goal: w.goal,
			Machine: here.name, Commit: here.commit}
	}
	failed := measureAll(ctx, o, chosen, results)
	if failed == nil && o.profile != "" {
		failed = profileAll(ctx, o, chosen)
	}
	return errors.Join(report(out, here, results), failed)
}

// measureAll runs every workload so often.
func measureAll(ctx context.Context, o options, chosen []workload, into []result) error {
	for round := range o.runs {
		for i, w := range chosen {
			_, _ = fmt.Fprintf(o.notes, "run %d of %d: %s, %s\n", round+1, o.runs, w.name, w.what)
			if err := into[i].add(ctx, o, w, round); err != nil {
				return fmt.Errorf("%s: %w", w.name, err)
			}
		}
	}
	return nil
}

// add measures a workload and its limit once. Which comes first changes with every round.
func (r *result) add(ctx context.Context, o options, w workload, round int) error {
	steps := []func() error{
		func() error { return r.own(ctx, o, w) },
		func() error { return r.limit(ctx, o, w) },
	}
	if round%2 == 1 {
		steps[0], steps[1] = steps[1], steps[0]
	}
	r.Load = append(r.Load, loadAverage())
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (r *result) own(ctx context.Context, o options, w workload) error {
	answer, err := o.call(ctx, w, "")
	if err != nil {
		return err
	}
	r.Figures = append(r.Figures, w.figure(answer))
	r.note(answer)
	return nil
}

func (r *result) limit(ctx context.Context, o options, w workload) error {
	if w.limit == nil {
		return nil
	}
	figure, err := w.limit(ctx, o)
	if err != nil {
		return fmt.Errorf("the limit: %w", err)
	}
	r.Limits = append(r.Limits, figure)
	return nil
}

// profileAll runs each workload once more, and has every member write a profile.
func profileAll(ctx context.Context, o options, chosen []workload) error {
	for _, w := range chosen {
		dir := o.profile + "/" + w.name
		_, _ = fmt.Fprintf(o.notes, "profile: %s, into %s\n", w.name, dir)
		answer, err := o.call(ctx, w, dir)
		if err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
		if answer.Writer > 0 {
			_, _ = fmt.Fprintf(o.notes, "  the writer was member %d\n", answer.Writer)
		}
	}
	_, _ = fmt.Fprintf(o.notes, "read them with: go tool pprof -top %s FILE\n", o.program)
	return nil
}

// choose returns the workloads whose names begin with one of the given ones; all without any.
func choose(all []workload, only string) []workload {
	if only == "" {
		return all
	}
	var chosen []workload
	for _, w := range all {
		for name := range strings.SplitSeq(only, ",") {
			if name = strings.TrimSpace(name); name != "" && strings.HasPrefix(w.name, name) {
				chosen = append(chosen, w)
				break
			}
		}
	}
	return chosen
}

func names(all []workload) string {
	var list []string
	for _, w := range all {
		list = append(list, w.name)
	}
	return strings.Join(list, " ")
}
