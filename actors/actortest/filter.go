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

func (l *letter) from() string { return l.From + "/" + l.Sender }

func (l *letter) to() string { return l.To + "/" + l.Target }

// judge tells whether a message goes on now.
func (w *World) judge(l *letter) bool {
	if w.filter == nil {
		return true
	}
	switch w.filter(l.Envelope) {
	case Deliver:
	case Drop:
		w.trace.note(w.now, "filtered out", l.from(), l.to(), l.Message)
		return false
	case Hold:
		w.trace.note(w.now, "held", l.from(), l.to(), l.Message)
		w.held = append(w.held, l)
		return false
	}
	return true
}
