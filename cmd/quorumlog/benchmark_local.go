package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/quorumlog/quorumlog/cluster"
	"github.com/quorumlog/quorumlog/log"
)

// localOptions say where the members of a benchmark live.
type localOptions struct {
	dir     string // "": the system's temporary directory
	profile string // "": no CPU profiles
	// copyRate is for each member; 0: no limit.
	copyRate copyRate
}

// benchmarkLog is the log that a benchmark works with: one that runs already, or one of its own.
type benchmarkLog struct {
	client   *cluster.Client
	replicas []*demoReplica // of its own log
	place    *demoPlace
	parent   *demoParent
	statuses chan demoStatus
	broken   context.CancelCauseFunc // ends the benchmark: a member has ended by itself
	options  localOptions
	members  []cluster.Member
	node     *cluster.Node // the member that is this process, if any
}

// withLog hands over a log, and cleans up behind whatever is done with it, also when that is interrupted.
func (p *program) withLog(ctx context.Context, local bool, o localOptions, do func(context.Context, *benchmarkLog) error) error {
	if !local {
		client, err := p.client(ctx)
		if err != nil {
			return fmt.Errorf("%w; or have three members started with --local", err)
		}
		defer client.Close() //nolint:errcheck // it returns nil
		return because(ctx, do(ctx, &benchmarkLog{client: client, members: p.members}))
	}
	return p.withOwnLog(ctx, o, do)
}

// withOwnLog is withLog for a log of the benchmark's own. No member is started yet.
func (p *program) withOwnLog(ctx context.Context, o localOptions, do func(context.Context, *benchmarkLog) error) (err error) {
	patiently(ctx) // nobody interrupts the cleaning up
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	ctx, restore := signal.NotifyContext(ctx, syscall.SIGHUP)
	defer restore()
	ctx, broken := context.WithCancelCause(ctx)
	defer broken(nil)
	l, err := newBenchmarkLog(ctx, o)
	if err != nil {
		return err
	}
	l.broken = broken
	defer func() { err = errors.Join(err, l.end()) }()
	if inMemory(l.place.dir) {
		_, _ = fmt.Fprintf(p.err, "note: %s is in memory, where a sync costs nothing: give a directory on a disk with --dir\n", l.place.dir)
	}
	return because(ctx, safely(func() error { return do(ctx, l) }))
}

func newBenchmarkLog(ctx context.Context, o localOptions) (*benchmarkLog, error) {
	dir, err := os.MkdirTemp(o.dir, "quorumlog-benchmark-")
	if err != nil {
		return nil, usagef("--dir: %w", err)
	}
	l := &benchmarkLog{place: &demoPlace{dir, true}, statuses: make(chan demoStatus, 256), options: o}
	l.replicas, err = l.place.replicas(ctx, demoReplicas)
	if err == nil && o.profile != "" {
		err = os.MkdirAll(o.profile, 0o755)
	}
	for _, r := range l.replicas {
		l.members = append(l.members, r.Member)
	}
	if err == nil {
		l.client, err = cluster.Dial(ctx, l.members)
	}
	if err != nil {
		return nil, errors.Join(err, l.place.remove())
	}
	l.parent = newDemoParent()
	return l, nil
}

// start starts a member.
func (l *benchmarkLog) start(r *demoReplica) error {
	r.flags = nil
	if l.options.copyRate > 0 {
		r.flags = append(r.flags, "--copy-rate", l.options.copyRate.String())
	}
	if l.options.profile != "" {
		r.flags = append(r.flags, "--cpuprofile", filepath.Join(l.options.profile, fmt.Sprintf("member-%d-process-%d.pprof", r.ID, r.processes+1)))
	}
	return r.start(l.parent, l.members, l.statuses, l.broken)
}

// startAll starts all members, but the one that this process is to be, and waits until all vote.
func (l *benchmarkLog) startAll(ctx context.Context, embedded bool) error {
	others := l.replicas
	if embedded {
		others = l.replicas[1:]
	}
	for _, r := range others {
		if err := l.start(r); err != nil {
			return err
		}
	}
	if embedded {
		if err := l.embed(ctx, l.replicas[0]); err != nil {
			return err
		}
	}
	for range others {
		if _, err := l.votes(ctx); err != nil {
			return err
		}
	}
	return nil
}

// embed makes this process a member, and waits until it votes.
func (l *benchmarkLog) embed(ctx context.Context, r *demoReplica) (err error) {
	l.node, err = cluster.Start(ctx, cluster.Config{
		ID: r.ID, Data: r.data, Members: l.members, AutoInitialize: true, AutoElect: true, Cluster: demoCluster(),
	})
	if err != nil {
		return fmt.Errorf("start a member in this process: %w", err)
	}
	return l.node.Recovered(ctx)
}

// votesWithin is how long a member may take until it votes: a gigabyte on a slow disk takes minutes.
const votesWithin = 15 * time.Minute

// votes waits until the next member says that it votes, and returns how long that took from the start of its process.
func (l *benchmarkLog) votes(ctx context.Context) (time.Duration, error) {
	patience := time.NewTimer(votesWithin)
	defer patience.Stop()
	for {
		select {
		case s := <-l.statuses:
			if s.To == voting {
				return time.Duration(s.Seconds * float64(time.Second)), nil
			}
		case <-patience.C:
			return 0, fmt.Errorf("%w: no member votes after %s", cluster.ErrNotVoting, votesWithin)
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	}
}

// target is what to append to. With a log of its own, it starts its members first.
func (l *benchmarkLog) target(ctx context.Context, embedded bool) (target, error) {
	if l.place == nil {
		return l.client, nil
	}
	if err := l.startAll(ctx, embedded); err != nil {
		return nil, err
	}
	if embedded {
		return l.node.Writer(ctx)
	}
	return l.client, nil
}

// list is the members as --members takes them.
func (l *benchmarkLog) list() string { return cluster.FormatMembers(l.members) }

// writer is the member whose coordinator is elected; 0 if none is heard of.
func (l *benchmarkLog) writer(ctx context.Context) log.ReplicaID {
	writer, highest := log.ReplicaID(0), uint64(0)
	for _, s := range l.client.Status(ctx) { // one that was fenced may not have heard of it yet
		round, _, _ := strings.Cut(s.Writer, ".")
		if n, err := strconv.ParseUint(round, 10, 64); err == nil && s.Leader && n >= highest {
			writer, highest = s.ID, n
		}
	}
	return writer
}

// end ends the members, and removes what they wrote. Profiles are whole only where a member ends by itself.
func (l *benchmarkLog) end() error {
	_ = l.client.Close() // it returns nil
	var faults []error
	if l.node != nil {
		faults = append(faults, l.node.Close())
	}
	for _, r := range l.replicas {
		switch {
		case r.process == nil:
		case l.options.profile != "":
			faults = append(faults, r.ask())
		default:
			faults = append(faults, r.kill())
		}
	}
	l.parent.end()
	return errors.Join(append(faults, l.place.remove())...)
}
