package persistence

import (
	"errors"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/quorumlog/quorumlog/actors/timer"
	"github.com/quorumlog/quorumlog/log"
)

// shelf is a port whose log is in memory. It loses the answers to some appends.
type shelf struct {
	begin   log.Position // as it says once, to whoever begins below it
	entries []Entry
	damaged error // what reads of single entries end with
	loses   func(n int) bool
	waits   *Follow
	asks    *actor.PID
}

func (s *shelf) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case Append:
		at := s.begin + log.Position(len(s.entries)) + 1
		s.entries = append(s.entries, Entry{At: at, Data: m.Entry})
		if s.loses != nil && s.loses(len(s.entries)) {
			ctx.Respond(Appended{Tag: m.Tag, Err: ErrUnknown})
		} else {
			ctx.Respond(Appended{Tag: m.Tag, At: at})
		}
		s.show(ctx)
	case Follow:
		s.waits, s.asks = &m, ctx.Sender()
		s.show(ctx)
	case Fetch:
		answer := Fetched{Tag: m.Tag, Err: s.damaged}
		for _, at := range m.At {
			answer.Entries = append(answer.Entries, s.entries[at-s.begin-1])
		}
		ctx.Respond(answer)
	}
}

// show answers whoever follows, once there is something.
func (s *shelf) show(ctx actor.Context) {
	switch end := s.begin + log.Position(len(s.entries)); {
	case s.waits == nil, s.waits.From > end, len(s.entries) == 0:
		return
	case s.waits.From <= s.begin:
		ctx.Send(s.asks, Followed{Tag: s.waits.Tag, Begin: s.begin + 1})
	default:
		ctx.Send(s.asks, Followed{Tag: s.waits.Tag, Entries: s.entries[s.waits.From-s.begin-1:], UpTo: end})
	}
	s.waits = nil
}

func provider(t *testing.T, s *shelf) *Provider {
	t.Helper()
	system := actor.NewActorSystem()
	t.Cleanup(system.Shutdown)
	port := system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor { return s }))
	return NewProvider(system, Settings{Port: port, Clock: timer.System(system)}, 0)
}

func activate(t *testing.T, p *Provider) *Journal {
	t.Helper()
	j, err := p.Activate(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func TestAfterAnUnknownOutcomeAJournalIsOfNoUseUntilItIsActivatedAgain(t *testing.T) {
	p := provider(t, &shelf{loses: func(n int) bool { return n == 3 }})
	j := activate(t, p)
	if err := j.Persist(t.Context(), wrapperspb.Int64(1)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := j.Persist(t.Context(), wrapperspb.Int64(2)); !errors.Is(err, ErrUnknown) {
			t.Errorf("it says %v", err)
		}
	}
	if again := activate(t, p); again.Next() != 2 { // what was unknown is in it, as it happens
		t.Errorf("%d events are in it, want 2", again.Next())
	}
}

// The keeper of a process that has just begun is told that the log begins above what it asked for.
func TestAnActivationThatComesWhileTheLogIsFoundTruncatedIsMadeAgain(t *testing.T) {
	const begins = 40
	s := &shelf{begin: begins}
	p, began := provider(t, s), time.Now()
	if j := activate(t, p); j.Activation() <= begins+1 {
		t.Errorf("it is activated at %d, by an entry that nobody could judge", j.Activation())
	}
	if took := time.Since(began); took > DefaultTimeout/2 {
		t.Errorf("it took %v", took)
	}
}
