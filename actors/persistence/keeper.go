package persistence

import (
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"

	"github.com/quorumlog/quorumlog/actors/timer"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/journal"
)

// Activate has a journal belong to whoever asks from now on. Answer: Activated or Refused.
type Activate struct {
	Owner string // the persistence id
	By    string // where the actor runs, for people
}

// Activated says that the journal is yours, and what is in it.
type Activated struct{ journal.View }

// Write adds events to a journal, or a snapshot of it. Answer: Written or Refused. The one who writes waits for the answer before
// it writes to the same journal again.
type Write struct {
	Entry journal.Entry
	Body  codec.JournalBody
}

// Written says that it counts.
type Written struct{ At log.Position }

// Refused says why a journal could not be activated, or written to.
type Refused struct{ Err error }

// followDue is the time to ask the port again after it failed.
type followDue struct{}

// patience is how long a keeper waits after its port failed.
const patience = 100 * time.Millisecond

// Settings are what a keeper goes by.
type Settings struct {
	// Port is how it reaches the log.
	Port *actor.PID
	// Clock is what it waits by.
	Clock timer.Clock
	// Keep is how many positions that nobody needs may be in the log before it is truncated; 0 never truncates.
	Keep uint64
	// Log is where it says what went wrong.
	Log zerolog.Logger
}

// Keeper returns the producer of a keeper.
func Keeper(s Settings) actor.Producer {
	return func() actor.Actor {
		return &keeper{Settings: s, fold: journal.NewFold(1), writes: make(map[uint64]*write), cancel: func() {}}
	}
}

type keeper struct {
	Settings
	fold       *journal.Fold
	begin      log.Position // where the log begins, as far as is known
	tag        uint64
	asks       uint64            // the Follow that is on its way
	writes     map[uint64]*write // whose append was not answered
	appended   []*write          // that were, above what the fold has seen
	freed      bool              // a snapshot was taken since the log was truncated
	truncating bool
	cancel     func()
}

// write is an entry that somebody waits for.
type write struct {
	caller *actor.PID
	entry  journal.Entry
	at     log.Position
	passed bool // the log was truncated above what this keeper had read, behind its back
}

// Receive implements actor.Actor.
func (k *keeper) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started, followDue:
		k.follow(ctx)
	case *actor.Stopping:
		k.cancel()
	case Activate:
		k.append(ctx, journal.Entry{Owner: m.Owner, Kind: journal.Activation, By: m.By}, codec.JournalBody{})
	case Write:
		k.append(ctx, m.Entry, m.Body)
	case Appended:
		k.placed(ctx, m)
	case Followed:
		k.followed(ctx, m)
	case Truncated:
		k.truncated(m)
	}
}

func (k *keeper) next() uint64 {
	k.tag++
	return k.tag
}

func (k *keeper) follow(ctx actor.Context) {
	k.asks = k.next()
	ctx.Request(k.Port, Follow{k.asks, k.fold.UpTo() + 1})
}

// append has an entry on its way, unless it is known already that it would not count.
func (k *keeper) append(ctx actor.Context, e journal.Entry, body codec.JournalBody) {
	if now := k.fold.View(e.Owner); e.Kind != journal.Activation && now.Activation > e.Activation {
		ctx.Respond(Refused{k.fenced(e)})
		return
	}
	data, err := codec.EncodeJournalEntry(e, body)
	if err != nil {
		ctx.Respond(Refused{err})
		return
	}
	if len(data) > log.MaxEntry {
		ctx.Respond(Refused{fmt.Errorf("%w: %d bytes, with the names of their types", ErrTooLarge, len(data))})
		return
	}
	tag := k.next()
	k.writes[tag] = &write{caller: ctx.Sender(), entry: e}
	ctx.Request(k.Port, Append{tag, data})
}

// placed takes where an entry is; what became of it shows when the fold comes there.
func (k *keeper) placed(ctx actor.Context, a Appended) {
	w := k.writes[a.Tag]
	if w == nil {
		return
	}
	delete(k.writes, a.Tag)
	if a.Err != nil {
		ctx.Send(w.caller, Refused{a.Err})
		return
	}
	w.at = a.At
	k.appended = append(k.appended, w)
	k.conclude(ctx)
}

// followed takes what comes next in the log, and asks for more.
func (k *keeper) followed(ctx actor.Context, f Followed) {
	switch {
	case f.Tag != k.asks: // it was answered before
		return
	case f.Err != nil:
		k.Log.Debug().Err(f.Err).Msg("the log could not be followed; another try")
		k.cancel = k.Clock.After(patience, ctx.Self(), followDue{})
		return
	case f.Begin > k.fold.UpTo()+1:
		k.pass(f.Begin)
	}
	for _, e := range f.Entries {
		k.take(e)
	}
	k.fold.Skip(f.UpTo)
	k.conclude(ctx)
	k.truncate(ctx)
	k.follow(ctx)
}

// pass begins again where the log does now: what this keeper has not seen is gone. Until it has read all that was there when the log
// was truncated, its fold may take for a journal what never counted, and miss what did: see judge. Whatever is appended from now
// on lies behind all that.
func (k *keeper) pass(begin log.Position) {
	k.fold, k.begin = journal.NewFold(begin), begin
	for _, w := range k.writes {
		w.passed = true
	}
	for _, w := range k.appended {
		w.passed = true
	}
}

func (k *keeper) take(e Entry) {
	entry, _, err := codec.DecodeJournalEntry(e.Data)
	if err != nil {
		k.fold.Other(e.At)
		return
	}
	if k.fold.Apply(e.At, entry) == journal.Counts && entry.Kind == journal.Snapshot {
		k.freed = true
	}
}

// conclude answers those whose entries the fold has seen.
func (k *keeper) conclude(ctx actor.Context) {
	rest := k.appended[:0]
	for _, w := range k.appended {
		if w.at > k.fold.UpTo() {
			rest = append(rest, w)
			continue
		}
		ctx.Send(w.caller, k.outcome(w))
	}
	clear(k.appended[len(rest):])
	k.appended = rest
}

func (k *keeper) outcome(w *write) any {
	if w.passed {
		return Refused{k.judge(w)}
	}
	switch verdict := k.fold.Why(w.at); {
	case verdict == journal.Fenced:
		return Refused{k.fenced(w.entry)}
	case verdict == journal.OutOfOrder:
		return Refused{&OrderError{Owner: w.entry.Owner, Index: w.entry.Index}}
	case w.entry.Kind != journal.Activation:
		return Written{w.at}
	}
	view := k.fold.View(w.entry.Owner)
	if view.Activation != w.at { // somebody else came at once
		return Refused{k.fenced(w.entry)}
	}
	return Activated{view}
}

// judge says what can be said of an entry that was on its way while the log was truncated above what this keeper had read: it does
// not count where a later activation is known to be before it. Else nobody can tell here.
func (k *keeper) judge(w *write) error {
	if now := k.fold.View(w.entry.Owner).Activation; w.entry.Kind != journal.Activation && w.entry.Activation < now && now < w.at {
		return k.fenced(w.entry)
	}
	return errPassed
}

func (k *keeper) fenced(e journal.Entry) error {
	now := k.fold.View(e.Owner)
	return &FencedError{Owner: e.Owner, Activation: e.Activation, By: now.By, Newer: now.Activation}
}

// truncate drops what nobody needs any more, once that is worth it.
func (k *keeper) truncate(ctx actor.Context) {
	if !k.freed || k.Keep == 0 || k.truncating || k.fold.Others() > 0 {
		return
	}
	k.freed = false
	to := k.fold.Needed()
	if uint64(to) < uint64(k.begin)+k.Keep {
		return
	}
	k.truncating, k.begin = true, to
	ctx.Request(k.Port, Truncate{k.next(), to})
}

func (k *keeper) truncated(t Truncated) {
	k.truncating = false
	if t.Err != nil {
		k.Log.Warn().Err(t.Err).Msg("the log could not be truncated; another try with a later snapshot")
	}
}
