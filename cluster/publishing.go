package cluster

import (
	"context"
	"fmt"
	"time"

	"github.com/quorumlog/quorumlog/actors/measure"
	"github.com/quorumlog/quorumlog/log"
)

// All that tells of events reads what the actors have noted (actors/measure), each at its own pace:
//
//	actors ─ Note ─▶ the last 1,024 ─┬─▶ publish ─▶ the actor system's event stream
//	                                 ├─▶ Node.Events, for each subscriber
//	                                 ├─▶ the spans of recoveries
//	                                 └─▶ gateway ─▶ Client.HistoryOf ─▶ events, top, the page
//
// So an actor waits for nobody, and nothing is kept for a subscriber. The stream could not feed the others: it calls its
// subscribers one after the other, and whoever comes behind one that blocks or panics would know nothing.

// tell hands on the events behind a sequence number, until nobody wants more, the context ends, or the last one is told.
func (n *Node) tell(ctx context.Context, after uint64, yield func(Event) bool) {
	for ctx.Err() == nil {
		over := n.isDone() // before it is read: what was noted before that is read
		page, missed := n.measures.Events.After(after, maxEvents)
		if missed > 0 && !yield(EventsMissed{n.origin(measure.Event{At: page[0].At}), missed}) {
			return
		}
		for _, e := range page {
			after = e.Sequence
			if told := n.typed(e); told != nil && !yield(told) || e.Kind == measure.Stopped {
				return
			}
		}
		if len(page) > 0 {
			continue
		}
		if over {
			return
		}
		select {
		case <-n.measures.Events.Beyond(after):
		case <-n.done:
		case <-ctx.Done():
		}
	}
}

// maxEvents is how many events are read at once.
const maxEvents = 128

func (n *Node) isDone() bool {
	select {
	case <-n.done:
		return true
	default:
		return false
	}
}

// tellers are the goroutines of a node that tell of every event. They end by themselves, after the last one.
type tellers []chan struct{} // closed once one has ended

func (t *tellers) begin(tell func()) {
	ended := make(chan struct{})
	*t = append(*t, ended)
	go func() {
		defer close(ended)
		tell()
	}()
}

// publish puts every event on the actor system's event stream.
func (n *Node) publish() {
	n.tell(context.Background(), 0, func(e Event) bool {
		n.publishOne(e)
		return true
	})
}

// publishOne survives a subscriber that panics.
func (n *Node) publishOne(e Event) {
	defer func() {
		if fault := recover(); fault != nil {
			n.config.Logger.Error().Str("fault", fmt.Sprint(fault)).Str("event", fmt.Sprintf("%T", e)).
				Msg("a subscriber of the event stream panicked: it is to be mended, and those behind it miss this event")
		}
	}()
	n.system.EventStream.Publish(e)
}

// tellPatience is how long whoever closes a member waits for slow subscribers of the event stream, and for the last spans.
const tellPatience = time.Second

func (n *Node) awaitTold() {
	enough := time.After(tellPatience)
	for _, told := range n.tellers {
		select {
		case <-told:
		case <-enough:
			n.config.Logger.Warn().Msg("a subscriber of the event stream blocks: it learns later that the member has stopped")
			return
		}
	}
}

func (n *Node) origin(e measure.Event) Origin {
	return Origin{Member: n.config.ID, Log: n.name, At: e.At, Sequence: e.Sequence}
}

// typed is an event as programs are told of it; nil where it has a kind that they are not told of.
func (n *Node) typed(e measure.Event) Event {
	o := n.origin(e)
	switch e.Kind {
	case measure.StatusChanged:
		return StatusChanged{o, e.From, e.To}
	case measure.Recovered:
		return Recovered{o}
	case measure.Advised:
		return Advice{o, e.Detail}
	case measure.CatchingUp:
		return CatchingUp{o, CatchupProgress(e.Progress)}
	case measure.CaughtUp:
		return CaughtUp{o, CatchupProgress(e.Progress)}
	case measure.MembersChanged:
		return MembersChanged{o, newMembership(e.Members)}
	case measure.PeerPresent:
		return PeerPresent{o, e.Peer}
	case measure.PeerAbsent:
		return PeerAbsent{o, e.Peer}
	case measure.PeerRefuses:
		return PeerRefuses{o, e.Peer, e.Detail}
	case measure.Stopped:
		return Stopped{o, e.Err}
	}
	return typedOther(o, e)
}

// typedOther is typed for who writes, and for what is broken.
func typedOther(o Origin, e measure.Event) Event {
	switch e.Kind {
	case measure.Elected:
		return Elected{o, proposal(e.To)}
	case measure.ElectionLost:
		return ElectionLost{o, proposal(e.To), e.Detail}
	case measure.Fenced:
		return Fenced{o, proposal(e.From), proposal(e.To)}
	case measure.Resigned:
		return Resigned{o, proposal(e.From)}
	case measure.DirectoryDamaged:
		return DirectoryDamaged{o, e.Detail}
	case measure.RecordsDamaged:
		return RecordsDamaged{o, e.Detail}
	case measure.RecordsMended:
		return RecordsMended{o}
	case measure.Diverged:
		return Diverged{o, e.Peer, e.Detail}
	case measure.Failed:
		return Failed{o, e.Err}
	}
	return nil
}

// proposal reads what an event tells of one; 0 where that is nothing.
func proposal(text string) log.Proposal {
	p, _ := log.ParseProposal(text) // 0 where it is none
	return p
}

// text is what an error says; empty where there is none.
func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
