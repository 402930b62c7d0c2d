package actortest

import (
	"log/slog"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/eventstream"
	"github.com/asynkron/protoactor-go/extensions"
)

// mold is an actor system in which nothing ever runs. The system of each life of a node is a copy of one, because making
// one takes 10 ms and 3 MB, nearly all for the 1,024 maps that its registry is split into. A copy has a registry of its
// own, with one of these maps, which nobody had before and nobody gets afterwards; and all that can change is its own. So
// it knows nothing of what ran earlier in the process. What the copies share is how they are configured, and their logger.
type mold struct {
	system *actor.ActorSystem
	unused *actor.SliceMap // the maps that no copy has
	logs   *logs
}

// molds keeps molds from one world to the next. While a world lasts it has one for itself.
var molds = sync.Pool{New: func() any {
	m := &mold{logs: &logs{}}
	m.fill()
	return m
}}

// fill makes the actor system, whose maps last for as many copies.
func (m *mold) fill() {
	m.system = actor.NewActorSystem(
		actor.WithLoggerFactory(m.logs.logger),
		// Its goroutine does nothing and ends at once; no line is ever throttled.
		actor.WithDeadLetterThrottleInterval(1), actor.WithDeadLetterThrottleCount(math.MaxInt32),
	)
	m.unused = m.system.ProcessRegistry.LocalPIDs
}

// cast makes an actor system, step by step as actor.NewActorSystem does.
func (m *mold) cast(address string) *actor.ActorSystem {
	if len(m.unused.LocalPIDs) == 0 {
		m.fill()
	}
	processes := &actor.SliceMap{LocalPIDs: slices.Clone(m.unused.LocalPIDs[:1])}
	m.unused.LocalPIDs[0] = nil // or every world would last as long as the mold
	m.unused.LocalPIDs = m.unused.LocalPIDs[1:]
	s := *m.system
	s.ID = address
	s.ProcessRegistry = &actor.ProcessRegistryValue{ActorSystem: &s, Address: address, LocalPIDs: processes}
	s.Root = actor.NewRootContext(&s, actor.EmptyMessageHeader)
	s.Guardians = actor.NewGuardians(&s)
	s.EventStream = eventstream.NewEventStream()
	s.DeadLetter = actor.NewDeadLetter(&s)
	s.Extensions = extensions.NewExtensions()
	actor.SubscribeSupervision(&s)
	s.Extensions.Register(actor.NewMetrics(&s, s.Config.MetricsProvider))
	s.ProcessRegistry.Add(actor.NewEventStreamProcess(&s), "eventstream")
	s.Logger().Info("actor system started", slog.String("id", s.ID))
	return &s
}

// borrow gives the world a mold, when its first node starts.
func (w *World) borrow() {
	if w.mold == nil {
		w.mold = molds.Get().(*mold)
		w.mold.logs.tell(w.trace.sink)
	}
}

// giveBack is the end of all actor systems of the world.
func (w *World) giveBack() {
	if w.mold != nil {
		w.mold.logs.tell(nil)
		molds.Put(w.mold)
	}
}

// noLogger is higher than the level of every line.
const noLogger = slog.Level(100)

// logs is where the actor systems log to: nowhere, unless the world is verbose.
type logs struct{ sink atomic.Pointer[func(string)] }

// tell sets who is told; nil for nobody.
func (l *logs) tell(sink func(string)) {
	if sink == nil {
		l.sink.Store(nil)
		return
	}
	l.sink.Store(&sink)
}

// Level is asked before each line.
func (l *logs) Level() slog.Level {
	if l.sink.Load() == nil {
		return noLogger
	}
	return slog.LevelDebug
}

// Write takes one line.
func (l *logs) Write(b []byte) (int, error) {
	if sink := l.sink.Load(); sink != nil {
		(*sink)(strings.TrimSuffix(string(b), "\n"))
	}
	return len(b), nil
}

func (l *logs) logger(*actor.ActorSystem) *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: l, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
}
