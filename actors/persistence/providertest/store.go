package providertest

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/asynkron/protoactor-go/persistence"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// opened is a state of the provider, after what protoactor does first: Restart, GetSnapshot, and all events.
func opened(p persistence.Provider, name string) persistence.ProviderState {
	s := p.GetState()
	s.Restart()
	_, from, _ := s.GetSnapshot(name)
	s.GetEvents(name, from, 0, func(any) {})
	return s
}

// replayed is what another activation finds.
func replayed(p persistence.Provider, name string) (snapshot string, index int, events []string) {
	s := p.GetState()
	s.Restart()
	if state, at, ok := s.GetSnapshot(name); ok {
		snapshot, index = text(state), at
	}
	s.GetEvents(name, index, 0, func(e any) { events = append(events, text(e)) })
	return snapshot, index, events
}

func text(m any) string {
	if s, ok := m.(*wrapperspb.StringValue); ok {
		return s.GetValue()
	}
	return fmt.Sprintf("%T", m)
}

func event(i int) proto.Message { return wrapperspb.String(fmt.Sprint("event ", i)) }

// persist writes the events from one index up to another.
func persist(s persistence.ProviderState, name string, from, to int) {
	for i := from; i < to; i++ {
		s.PersistEvent(name, i, event(i))
	}
}

func numbered(from, to int) (want []string) {
	for i := from; i < to; i++ {
		want = append(want, text(event(i)))
	}
	return want
}

func same(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func isNew(t *testing.T, k Kit) {
	s := k.Provider(t).GetState()
	s.Restart()
	if snapshot, index, ok := s.GetSnapshot("new"); ok {
		t.Errorf("it has the snapshot %v at %d", snapshot, index)
	}
	s.GetEvents("new", 0, 0, func(e any) { t.Errorf("it has the event %v", e) })
}

func inOrder(t *testing.T, k Kit) {
	p := k.Provider(t)
	persist(opened(p, "a"), "a", 0, 20)
	_, _, events := replayed(p, "a")
	same(t, events, numbered(0, 20))
}

func fromAnIndex(t *testing.T, k Kit) {
	p := k.Provider(t)
	persist(opened(p, "a"), "a", 0, 10)
	var got []string
	p.GetState().GetEvents("a", 4, 0, func(e any) { got = append(got, text(e)) })
	same(t, got, numbered(4, 10))
}

func upToAnIndex(t *testing.T, k Kit) {
	p := k.Provider(t)
	persist(opened(p, "a"), "a", 0, 10)
	var got []string
	p.GetState().GetEvents("a", 2, 5, func(e any) { got = append(got, text(e)) })
	same(t, got, numbered(2, 5))
}

func latestSnapshot(t *testing.T, k Kit) {
	p := k.Provider(t)
	s := opened(p, "a")
	for i := range 6 {
		persist(s, "a", i, i+1)
		s.PersistSnapshot("a", i+1, wrapperspb.String(fmt.Sprint("after ", i)))
	}
	snapshot, index, events := replayed(p, "a")
	if snapshot != "after 5" || index != 6 || len(events) > 0 {
		t.Errorf("got %q at %d, and %q behind it", snapshot, index, events)
	}
}

func behindSnapshot(t *testing.T, k Kit) {
	p := k.Provider(t)
	s := opened(p, "a")
	persist(s, "a", 0, 5)
	s.PersistSnapshot("a", 4, wrapperspb.String("four of them")) // as protoactor's Mixin does: the event that asked for it is not counted
	persist(s, "a", 5, 8)
	snapshot, index, events := replayed(p, "a")
	if snapshot != "four of them" || index != 4 {
		t.Errorf("got %q at %d", snapshot, index)
	}
	same(t, events, numbered(4, 8))
}

func apart(t *testing.T, k Kit) {
	p := k.Provider(t)
	one, two := opened(p, "one"), opened(p, "two")
	one.PersistEvent("one", 0, wrapperspb.String("of one"))
	two.PersistEvent("two", 0, wrapperspb.String("of two"))
	one.PersistSnapshot("one", 1, wrapperspb.String("one"))
	_, _, events := replayed(p, "two")
	same(t, events, []string{"of two"})
	if snapshot, _, events := replayed(p, "one"); snapshot != "one" || len(events) > 0 {
		t.Errorf("got %q and %q", snapshot, events)
	}
}

func ownCopy(t *testing.T, k Kit) {
	p := k.Provider(t)
	s := opened(p, "a")
	m := wrapperspb.String("as it was")
	s.PersistEvent("a", 0, m)
	m.Value = "as it is"
	_, _, events := replayed(p, "a")
	same(t, events, []string{"as it was"})
}

func elsewhere(t *testing.T, k Kit) {
	p := k.Provider(t)
	s := opened(p, "a")
	persist(s, "a", 0, 3)
	s.PersistSnapshot("a", 3, wrapperspb.String("three"))
	persist(s, "a", 3, 5)
	other := p
	if k.Elsewhere != nil {
		other = k.Elsewhere(t, p)
	}
	snapshot, index, events := replayed(other, "a")
	if snapshot != "three" || index != 3 {
		t.Errorf("got %q at %d", snapshot, index)
	}
	same(t, events, numbered(3, 5))
}

func crowd(t *testing.T, k Kit) {
	p := k.Provider(t)
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			name := fmt.Sprint("actor ", i)
			persist(opened(p, name), name, 0, 10)
		})
	}
	all.Wait()
	for i := range 16 {
		_, _, events := replayed(p, fmt.Sprint("actor ", i))
		same(t, events, numbered(0, 10))
	}
}

func deleted(t *testing.T, k Kit) {
	p := k.Provider(t)
	s := opened(p, "a")
	persist(s, "a", 0, 4)
	s.PersistSnapshot("a", 2, wrapperspb.String("two"))
	s.PersistSnapshot("a", 4, wrapperspb.String("four"))
	persist(s, "a", 4, 6)
	s.DeleteSnapshots("a", 2)
	s.DeleteEvents("a", 3)
	snapshot, index, events := replayed(p, "a")
	if snapshot != "four" || index != 4 {
		t.Errorf("got %q at %d", snapshot, index)
	}
	same(t, events, numbered(4, 6))
}

// refuses says whether a call panics, which is the only way that the interface has to refuse something.
func refuses(call func()) (refused bool) {
	defer func() { refused = recover() != nil }()
	call()
	return false
}

func takenIndex(t *testing.T, k Kit) {
	p := k.Provider(t)
	s := opened(p, "a")
	persist(s, "a", 0, 3)
	if !refuses(func() { s.PersistEvent("a", 1, wrapperspb.String("again")) }) {
		t.Error("it was taken")
	}
	_, _, events := replayed(p, "a")
	same(t, events, numbered(0, 3))
}

func gap(t *testing.T, k Kit) {
	p := k.Provider(t)
	s := opened(p, "a")
	persist(s, "a", 0, 3)
	if !refuses(func() { s.PersistEvent("a", 4, wrapperspb.String("too far")) }) {
		t.Error("it was taken")
	}
	_, _, events := replayed(p, "a")
	same(t, events, numbered(0, 3))
}

func fenced(t *testing.T, k Kit) {
	p := k.Provider(t)
	first := opened(p, "a")
	persist(first, "a", 0, 3)
	second := opened(p, "a")
	if !refuses(func() { first.PersistEvent("a", 3, wrapperspb.String("of the first")) }) {
		t.Error("the first wrote behind the second's back")
	}
	persist(second, "a", 3, 5)
	_, _, events := replayed(p, "a")
	same(t, events, numbered(0, 5))
}
