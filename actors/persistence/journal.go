package persistence

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/journal"
)

// Journal is the history of one actor, in the hands of one activation of it. It is for one goroutine, the actor's.
type Journal struct {
	provider *Provider
	owner    string
	view     journal.View
	latest   []*anypb.Any // the events since the latest snapshot that this activation wrote, as many as a snapshot may bring with it
	broken   error
}

// Owner is the persistence id.
func (j *Journal) Owner() string { return j.owner }

// Activation is the position of the activation: a number that is higher for a later one, to be used as a fencing token elsewhere.
func (j *Journal) Activation() log.Position { return j.view.Activation }

// Err is why the journal is of no use to this activation any more; nil while it is.
func (j *Journal) Err() error { return j.broken }

// Next is the index of the next event: how many there were.
func (j *Journal) Next() uint64 { return j.view.Next }

// First is the index of the first event that is kept: what is before it is in the snapshot.
func (j *Journal) First() uint64 { return j.view.Index }

// Snapshot returns the state of the latest snapshot, and how many events are in it; nil where there is none.
func (j *Journal) Snapshot(ctx context.Context) (state proto.Message, index uint64, err error) {
	if j.view.Snapshot == 0 {
		return nil, 0, nil
	}
	err = j.each(ctx, []log.Position{j.view.Snapshot}, func(e journal.Entry, body codec.JournalBody) error {
		index = e.Index
		state, err = body.State.UnmarshalNew()
		return unknownType(err)
	})
	return state, index, err
}

// Replay hands over what is in the journal: the latest snapshot if there is one and it is asked for, and then each event behind it, in
// order. It ends with the first error.
func (j *Journal) Replay(ctx context.Context, snapshot, event func(index uint64, m proto.Message) error) error {
	at := make([]log.Position, 0, len(j.view.Spans)+1)
	if j.view.Snapshot > 0 {
		at = append(at, j.view.Snapshot)
	}
	for _, s := range j.view.Spans {
		at = append(at, s.At)
	}
	return j.each(ctx, at, func(e journal.Entry, body codec.JournalBody) error {
		if e.Kind == journal.Snapshot && snapshot != nil {
			if err := handOver(body.State, e.Index, snapshot); err != nil {
				return err
			}
		}
		for i, packed := range body.Events {
			if err := handOver(packed, e.Index+uint64(i), event); err != nil {
				return err
			}
		}
		return nil
	})
}

func handOver(packed *anypb.Any, index uint64, to func(uint64, proto.Message) error) error {
	m, err := packed.UnmarshalNew()
	if err != nil {
		return unknownType(err)
	}
	return to(index, m)
}

func unknownType(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: link the package that has its type", err)
}

// each reads the entries at some positions, a page at a time.
func (j *Journal) each(ctx context.Context, at []log.Position, use func(journal.Entry, codec.JournalBody) error) error {
	for len(at) > 0 {
		page := at[:min(len(at), log.MaxRun)]
		answer, err := j.provider.ask(ctx, j.provider.port, Fetch{At: page})
		if err != nil {
			return fmt.Errorf("read the journal of %q: %w", j.owner, err)
		}
		for _, e := range answer.(Fetched).Entries { //nolint:forcetypeassert // ask returns nothing else
			entry, body, err := codec.DecodeJournalEntry(e.Data)
			if err == nil {
				err = use(entry, body)
			}
			if err != nil {
				return fmt.Errorf("replay the journal of %q: position %d: %w", j.owner, e.At, err)
			}
		}
		at = at[len(page):]
	}
	return nil
}

// Persist adds events to the journal, all or none, at most 1,024 of them and 1 MiB. It returns once a quorum of the members has
// them on its disks, and they are known to count. After an error, but for ErrTooLarge, the journal is of no use, as nobody knows
// what comes next: it returns the same error from then on, until the actor is activated again.
func (j *Journal) Persist(ctx context.Context, events ...proto.Message) error {
	if len(events) == 0 {
		return j.broken
	}
	packed, err := pack(events)
	if err != nil {
		return err
	}
	err = j.write(ctx, journal.Entry{Owner: j.owner, Kind: journal.Events, Activation: j.view.Activation, Index: j.view.Next, Count: uint64(len(events))},
		codec.JournalBody{Events: packed})
	if err == nil {
		j.remember(packed)
	}
	return err
}

// remember keeps events for a snapshot of a state from before them.
func (j *Journal) remember(events []*anypb.Any) {
	j.latest = append(j.latest, events...)
	if spare := len(j.latest) - late; spare > 0 {
		j.latest = append(j.latest[:0], j.latest[spare:]...)
	}
}

// late is how many events a state may lack of what is in the journal when it is persisted.
const late = 64

// PersistSnapshot makes a state stand for all events before the index: Next, or a little less where events came meanwhile.
func (j *Journal) PersistSnapshot(ctx context.Context, index uint64, state proto.Message) error {
	behind := j.view.Next - index
	if index > j.view.Next || behind > uint64(len(j.latest)) {
		return fmt.Errorf("%w: a snapshot of %q has %d events, and the journal %d", ErrOrder, j.owner, index, j.view.Next)
	}
	packed, err := anypb.New(state)
	if err != nil {
		return fmt.Errorf("pack the snapshot: %w", err)
	}
	return j.write(ctx, journal.Entry{Owner: j.owner, Kind: journal.Snapshot, Activation: j.view.Activation, Index: index, Count: behind},
		codec.JournalBody{State: packed, Events: j.latest[uint64(len(j.latest))-behind:]})
}

func (j *Journal) write(ctx context.Context, e journal.Entry, body codec.JournalBody) error {
	if j.broken != nil {
		return j.broken
	}
	answer, err := j.provider.ask(ctx, j.provider.keeper, Write{e, body})
	if err == nil {
		j.wrote(e, answer.(Written).At) //nolint:forcetypeassert // ask returns nothing else
		return nil
	}
	err = fmt.Errorf("persist as %q: %w", j.owner, err)
	if !errors.Is(err, ErrTooLarge) && !errors.Is(err, journal.ErrMalformed) { // these changed nothing
		j.broken = err
	}
	return err
}

// wrote takes over what counts now.
func (j *Journal) wrote(e journal.Entry, at log.Position) {
	if e.Kind == journal.Snapshot {
		j.view.Snapshot, j.view.Index, j.view.Spans = at, e.Index, nil
		return
	}
	j.view.Spans = append(j.view.Spans, journal.Span{At: at, First: e.Index, Count: e.Count})
	j.view.Next = e.Index + e.Count
}

func pack(events []proto.Message) ([]*anypb.Any, error) {
	packed := make([]*anypb.Any, len(events))
	for i, e := range events {
		a, err := anypb.New(e)
		if err != nil {
			return nil, fmt.Errorf("pack event %d: %w", i, err)
		}
		packed[i] = a
	}
	return packed, nil
}
