package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/quorumlog/quorumlog/cluster"
	"github.com/quorumlog/quorumlog/log"
)

// demoStory is the demo while it is told.
type demoStory struct {
	place    *demoPlace
	entries  *demoEntries
	view     demoView
	parent   *demoParent
	statuses chan demoStatus
	failed   context.CancelCauseFunc // ends the story: a process ended by itself

	replicas      []*demoReplica
	members       []cluster.Member
	first, second *cluster.Client // of two programs
	old, new      *cluster.Writer

	next         int // index of the next entry
	acknowledged []acknowledged
}

// demoPatience is how long the demo waits for what should take a second.
const demoPatience = 30 * time.Second

// Who plays what: the first writer is on one, the second on another, and the third loses its disk.
const (
	writerReplica = iota
	takerReplica
	rebuiltReplica
	demoReplicas
)

func newDemoStory(place *demoPlace, entries *demoEntries, view demoView) *demoStory {
	return &demoStory{
		place: place, entries: entries, view: view, parent: newDemoParent(), statuses: make(chan demoStatus, 1024),
		failed: func(error) {},
	}
}

// tell tells the story, and ends with the first thing that is not as it should be.
func (s *demoStory) tell(ctx context.Context, keep bool) error {
	ctx, s.failed = context.WithCancelCause(ctx)
	defer s.failed(nil)
	steps := []func(context.Context) error{
		s.begin, s.appendFirst, s.appendAway, s.rebuild, s.takeOver, s.needRebuilt, s.bringBack, s.verify,
	}
	if keep {
		steps = append(steps, s.retire)
	}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return because(ctx, err)
		}
	}
	return nil
}

// end ends every process, and the clients after them: nobody is left to whom they would say goodbye.
func (s *demoStory) end() {
	for _, r := range s.replicas {
		// One that cannot be killed dies with the thread that started it.
		_ = r.kill()
	}
	s.parent.end()
	for _, client := range []*cluster.Client{s.first, s.second} {
		if client != nil {
			_ = client.Close() // it returns nil
		}
	}
}

// begin starts three replicas, and waits until they have made a new log.
func (s *demoStory) begin(ctx context.Context) (err error) {
	began := time.Now()
	if s.replicas, err = s.place.replicas(ctx, demoReplicas); err != nil {
		return err
	}
	for _, r := range s.replicas {
		s.members = append(s.members, r.Member)
	}
	if err := s.view.show(demoBegan{
		Seed: s.entries.seed, Entries: s.entries.count, EntryBytes: s.entries.size, Directory: s.place.dir,
		Members: cluster.FormatMembers(s.members),
	}); err != nil {
		return err
	}
	for _, r := range s.replicas {
		if err := s.start(r); err != nil {
			return err
		}
	}
	if s.first, err = cluster.Dial(ctx, s.members); err != nil {
		return err
	}
	if err := s.untilVoting(ctx, nil, s.replicas...); err != nil {
		return err
	}
	return s.view.show(demoInitialized{Seconds: seconds(time.Since(began))})
}

func (s *demoStory) start(r *demoReplica) error {
	if err := r.start(s.parent, s.members, s.statuses, s.failed); err != nil {
		return err
	}
	return s.view.show(demoStarted{Replica: r.ID, Process: r.process.command.Process.Pid})
}

func (s *demoStory) kill(r *demoReplica, needed log.ReplicaID) error {
	process := r.process.command.Process.Pid
	if err := r.kill(); err != nil {
		return err
	}
	return s.view.show(demoKilled{Replica: r.ID, Process: process, Needed: needed})
}

// untilVoting shows every status of the replicas until they vote, and what comes over progress meanwhile.
func (s *demoStory) untilVoting(ctx context.Context, moved <-chan demoProgress, replicas ...*demoReplica) error {
	waiting := map[log.ReplicaID]bool{}
	for _, r := range replicas {
		waiting[r.ID] = true
	}
	patience := time.After(demoPatience)
	for len(waiting) > 0 {
		var happened demoEvent
		select {
		case status := <-s.statuses:
			if happened = status; status.To == "VOTING" {
				delete(waiting, status.Replica)
			}
		case happened = <-moved:
		case <-patience:
			return s.impatient(ctx, replicas)
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := s.view.show(happened); err != nil {
			return err
		}
	}
	return nil
}

// impatient says what the replicas wait for, as they know it.
func (s *demoStory) impatient(ctx context.Context, replicas []*demoReplica) error {
	faults := []error{fmt.Errorf("%w: not every replica votes after %s", cluster.ErrNotVoting, demoPatience)}
	for _, r := range replicas {
		limited, cancel := context.WithTimeout(ctx, time.Second)
		status, err := s.first.StatusOf(limited, r.ID)
		cancel()
		if err == nil {
			err = fmt.Errorf("replica %d is %s: %s", r.ID, cmp.Or(status.Status, "UNKNOWN"), status.Error)
		}
		faults = append(faults, err, fmt.Errorf("it said last:\n%s", r.process.journal.tail()))
	}
	return errors.Join(faults...)
}

// appendFirst elects the first writer and appends.
func (s *demoStory) appendFirst(ctx context.Context) (err error) {
	if s.old, err = s.elect(ctx, s.first, writerReplica); err != nil {
		return err
	}
	return s.append(ctx, s.old, s.entries.count, 0)
}

// appendAway goes on appending while a replica is away.
func (s *demoStory) appendAway(ctx context.Context) error {
	away := s.replicas[rebuiltReplica]
	if err := s.kill(away, 0); err != nil {
		return err
	}
	return s.append(ctx, s.old, max(s.entries.count/4, 1), away.ID)
}

func (s *demoStory) elect(ctx context.Context, client *cluster.Client, replica int) (*cluster.Writer, error) {
	writer, err := client.WriterOf(ctx, s.replicas[replica].ID)
	if err != nil {
		return nil, fmt.Errorf("elect a writer: %w", err)
	}
	return writer, s.view.show(demoElected{Replica: writer.Member().ID, Fence: writer.Fence().String()})
}

func (s *demoStory) append(ctx context.Context, writer *cluster.Writer, count int, away log.ReplicaID) error {
	l := newLoad(writer, s.entries, s.next, count)
	s.next += count
	if err := l.run(ctx, func(p demoProgress) error { return s.view.show(p) }); err != nil {
		return err
	}
	s.acknowledged = append(s.acknowledged, l.acks...)
	result := l.result()
	result.Away = away
	return s.view.show(result)
}

// rebuild deletes the directory of the replica that is away, and starts it again.
func (s *demoStory) rebuild(ctx context.Context) error {
	r := s.replicas[rebuiltReplica]
	if err := os.RemoveAll(r.data); err != nil {
		return fmt.Errorf("delete the directory of replica %d: %w", r.ID, err)
	}
	if err := s.view.show(demoDeleted{Replica: r.ID, Directory: r.data}); err != nil {
		return err
	}
	if err := s.start(r); err != nil {
		return err
	}
	watching, stop := context.WithCancel(ctx)
	defer stop()
	moved := make(chan demoProgress)
	go s.watchRecovery(watching, r.ID, moved)
	if err := s.untilVoting(ctx, moved, r); err != nil {
		return err
	}
	took := time.Since(r.process.started)
	stop()
	copied, err := s.copied(ctx, r.ID)
	if err != nil {
		return err
	}
	return s.view.show(demoRecovered{
		Replica: r.ID, Positions: copied.Done, Bytes: copied.Bytes, CopySeconds: seconds(copied.Elapsed), Seconds: seconds(took),
	})
}

// copied is what a replica has copied. It may vote a moment before all of that is counted.
func (s *demoStory) copied(ctx context.Context, id log.ReplicaID) (cluster.CatchupProgress, error) {
	for began := time.Now(); ; {
		status, err := s.first.StatusOf(ctx, id)
		if err != nil || status.Catchup.Done == status.Catchup.Total || time.Since(began) > time.Second {
			return status.Catchup, err
		}
		select {
		case <-time.After(demoTick / 5):
		case <-ctx.Done():
		}
	}
}

// watchRecovery asks the replica again and again how far it is.
func (s *demoStory) watchRecovery(ctx context.Context, id log.ReplicaID, moved chan<- demoProgress) {
	for ctx.Err() == nil {
		limited, cancel := context.WithTimeout(ctx, demoTick)
		status, err := s.first.StatusOf(limited, id)
		cancel()
		pause := time.After(demoTick / 5)
		if copied := status.Catchup; err == nil && copied.Total > 0 {
			p := newDemoProgress("recover", "positions", copied.Done, copied.Total, copied.Elapsed)
			p.Bytes = copied.Bytes
			select {
			case moved <- p:
			case <-ctx.Done():
			}
		}
		select {
		case <-pause:
		case <-ctx.Done():
		}
	}
}

// takeOver has a second writer elected: the first one must not be able to write any more.
func (s *demoStory) takeOver(ctx context.Context) (err error) {
	if s.second, err = cluster.Dial(ctx, s.members); err != nil {
		return err
	}
	if s.new, err = s.elect(ctx, s.second, takerReplica); err != nil {
		return err
	}
	at, err := s.old.Append(ctx, s.entries.at(s.next))
	s.next++
	switch {
	case err == nil:
		return fmt.Errorf("the first writer appended at position %d, after a second one was elected", at)
	case !errors.Is(err, cluster.ErrFenced):
		return fmt.Errorf("the first writer's append should fail with ErrFenced, and failed with: %w", err)
	}
	return s.view.show(demoFenced{Replica: s.old.Member().ID, By: s.new.Member().ID, Error: err.Error()})
}

// needRebuilt kills another replica: what is left is a quorum only with the one that was rebuilt.
func (s *demoStory) needRebuilt(ctx context.Context) error {
	away := s.replicas[writerReplica]
	if err := s.kill(away, s.replicas[rebuiltReplica].ID); err != nil {
		return err
	}
	return s.append(ctx, s.new, max(s.entries.count/100, 1), away.ID)
}

// bringBack starts the replica that was killed last, with its own disk.
func (s *demoStory) bringBack(ctx context.Context) error {
	r := s.replicas[writerReplica]
	if err := s.start(r); err != nil {
		return err
	}
	if err := s.untilVoting(ctx, nil, r); err != nil {
		return err
	}
	return s.view.show(demoReturned{Replica: r.ID, Seconds: seconds(time.Since(r.process.started))})
}

// retire ends the replicas so that their directories can be read (quorumlog read --data).
func (s *demoStory) retire(context.Context) error {
	for _, r := range s.replicas {
		if err := r.ask(); err != nil {
			return err
		}
	}
	return nil
}

// verify compares every replica with what was acknowledged.
func (s *demoStory) verify(ctx context.Context) error {
	inOrder := slices.SortedFunc(slices.Values(s.acknowledged), func(a, b acknowledged) int { return cmp.Compare(a.at, b.at) })
	began, total := time.Now(), uint64(len(inOrder)*len(s.replicas))
	for i, r := range s.replicas {
		verified, err := newCheck(r.ID, s.entries, inOrder).verify(ctx, s.second, func(read int) error {
			return s.view.show(newDemoProgress("verify", "entries", uint64(i*len(inOrder)+read), total, time.Since(began)))
		})
		if err != nil {
			return err
		}
		verified.Processes = r.processes
		if err := s.view.show(verified); err != nil {
			return err
		}
	}
	return nil
}
