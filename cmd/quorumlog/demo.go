package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/quorumlog/quorumlog/log"
)

// demoOptions is what the demo is told.
type demoOptions struct {
	entries   int
	entrySize int
	input     string
	dir       string
	keep      bool
	seed      uint64
	output    string
}

// mostDemoEntries bounds what the demo remembers of the entries: where each is, and how long it took.
const mostDemoEntries = 1_000_000

func newDemoCommand() *cobra.Command {
	var o demoOptions
	command := &cobra.Command{
		Use:   "demo",
		Short: "Show a replica whose disk is lost come back by itself, with real processes",
		Long: `Starts three replicas as processes of their own on this machine, and appends entries. Then it kills one with
SIGKILL, deletes its directory, and starts it again under the same id: the replica recovers by itself, and does not
vote before it is safe. A second writer fences the first; another replica is killed, so that the rebuilt one is needed.
In the end every entry that was acknowledged must be on every replica.

Shows progress bars on a terminal, and NDJSON events otherwise. Leaves no process and no file behind (--keep leaves the
directories). Ends with 0 if everything is as it should be, else with 1 and what is wrong.`,
		Example: "  quorumlog demo\n  quorumlog demo --entries 100000 --entry-size 1024\n  quorumlog demo -o ndjson | jq -c .",
		Args:    noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			if err := o.validate(); err != nil {
				return usage(err)
			}
			view, err := newDemoView(command.OutOrStdout(), o.output)
			if err != nil {
				return usage(err)
			}
			return failedDemo(o.run(command.Context(), view))
		},
	}
	flags := command.Flags()
	flags.IntVar(&o.entries, "entries", 20_000, "how many entries are appended before the first replica is killed")
	flags.IntVar(&o.entrySize, "entry-size", 128, "size of an entry, in bytes")
	flags.StringVar(&o.input, "input", "", "append each line of this `file` instead")
	flags.StringVar(&o.dir, "dir", "", "`directory` to work in, new or empty (default: a temporary one)")
	flags.BoolVar(&o.keep, "keep", false, "keep the directories")
	flags.Uint64Var(&o.seed, "seed", 0, "`seed` of the entries' contents (default: a random one)")
	flags.StringVarP(&o.output, "output", "o", "", "`format`: text or ndjson (default: text on a terminal, ndjson otherwise)")
	enumerate(command, "output", demoText, demoNDJSON)
	return command
}

func (o *demoOptions) validate() error {
	var faults []error
	if o.entries < 1 || o.entries > mostDemoEntries {
		faults = append(faults, fmt.Errorf("--entries is %d: it is from 1 to %d", o.entries, mostDemoEntries))
	}
	if o.entrySize < 1 || o.entrySize > log.MaxEntry {
		faults = append(faults, fmt.Errorf("--entry-size is %d: it is from 1 to %d", o.entrySize, log.MaxEntry))
	}
	return errors.Join(faults...)
}

// failedDemo gives a demo that failed the exit code 1, whatever it failed of, unless the command line was wrong.
func failedDemo(err error) error {
	if known := (exitError{}); err == nil || errors.As(err, &known) {
		return err
	}
	return exitError{exitFailed, err}
}

// run tells the story, and cleans up behind it, whatever happens.
func (o *demoOptions) run(ctx context.Context, view demoView) (err error) {
	// A terminal that is closed, or a reader of the output that goes away, must not end the process before it has cleaned up.
	// Nobody interrupts the cleaning up: it takes milliseconds, and half of it helps nobody.
	patiently(ctx)
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE, syscall.SIGHUP) // writing fails instead; and until the process has ended
	ctx, restore := signal.NotifyContext(ctx, syscall.SIGHUP)
	defer restore()
	began := time.Now()
	if o.seed == 0 {
		o.seed = rand.Uint64()
	}
	entries, err := o.source()
	if err != nil {
		return usage(err)
	}
	place, err := newDemoPlace(o.dir)
	if err != nil {
		return err
	}
	story := newDemoStory(place, entries, view)
	defer func() { err = errors.Join(err, o.cleanUp(story, view)) }() // also when something panics
	if err := story.tell(ctx, o.keep); err != nil {
		err = because(ctx, err)
		_ = view.show(demoFailed{Error: err.Error(), Seed: entries.seed}) // stderr says it too
		return err
	}
	return view.show(demoFinished{OK: true, Entries: len(story.acknowledged), Seconds: seconds(time.Since(began))})
}

// because returns why the context ended, which is what an error of a call that was cut off comes from.
func because(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// cleanUp ends all processes and removes all files.
func (o *demoOptions) cleanUp(story *demoStory, view demoView) error {
	view.close()
	story.end()
	if o.keep {
		return view.show(demoKept{Directory: story.place.dir})
	}
	return story.place.remove()
}

// source returns the entries to append.
func (o *demoOptions) source() (*demoEntries, error) {
	if o.input == "" {
		return &demoEntries{count: o.entries, size: o.entrySize, seed: o.seed}, nil
	}
	return readDemoEntries(o.input)
}
