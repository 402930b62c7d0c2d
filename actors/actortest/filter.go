package actortest

import "google.golang.org/protobuf/proto"

// Envelope is a message on its way from one actor to another, as a filter sees it.
type Envelope struct {
	// From and To are the addresses of the nodes; they are equal for a message inside of one node.
	From, To string
	// Sender is the id of the PID that an answer goes to; empty where the sender gave none.
	Sender string
	// Target is the id of the PID that the message goes to.
	Target string
	// Message is the message itself. It must not be changed.
	Message proto.Message
}

// Verdict is what a filter does with a message.
type Verdict int

const (
	// Deliver lets the message go its way, faults of the network included.
	Deliver Verdict = iota
	// Drop loses the message.
	Drop
	// Hold puts the message aside until Release.
	Hold
)

// Filter sets who decides about every protobuf message that an actor, a timer or a probe sends, at the moment of
// sending, before the faults of the network. nil lets everything pass.
func (w *World) Filter(f func(Envelope) Verdict) { w.filter = f }

// Held lists the messages that are held, the oldest first.
func (w *World) Held() []Envelope {
	all := make([]Envelope, len(w.held))
	for i, l := range w.held {
		all[i] = l.Envelope
	}
	return all
}

// Release sends the held messages that match, the oldest first, as if they had been sent now, and counts them. No filter
// is asked again. nil matches all. A message that was held outlives a crash of its sender and, between nodes, of its
// receiver: so may a packet.
func (w *World) Release(match func(Envelope) bool) int {
	waiting, count := w.held, 0
	w.held = nil
	for _, l := range waiting {
		if match != nil && !match(l.Envelope) {
			w.held = append(w.held, l)
			continue
		}
		w.trace.note(w.now, "released", l.from(), l.to(), l.Message)
		l.release()
		count++
	}
	return count
}

// letter is a message that may be held.
type letter struct {
	Envelope
	release func()
}

func (e *Envelope) from() party { return party{e.From, e.Sender} }

func (e *Envelope) to() party { return party{e.To, e.Target} }

// judge tells whether a message goes on now. Whoever is told Hold keeps it with hold.
func (w *World) judge(e *Envelope) Verdict {
	if w.filter == nil {
		return Deliver
	}
	verdict := w.filter(*e)
	if verdict == Drop {
		w.trace.note(w.now, "filtered out", e.from(), e.to(), e.Message)
	}
	return verdict
}

// hold puts a message aside; release sends it on.
func (w *World) hold(e Envelope, release func()) {
	w.trace.note(w.now, "held", e.from(), e.to(), e.Message)
	w.held = append(w.held, &letter{e, release})
}
