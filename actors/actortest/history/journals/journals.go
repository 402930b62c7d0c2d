// Package journals checks what persistent actors did and were told against what package actors/persistence promises.
//
//	var h journals.History
//	h.Activations = append(h.Activations, journals.Activation{Owner: "a", At: 7, Call: called, Return: told, Replay: events})
//	h.Writes = append(h.Writes, journals.Write{Owner: "a", Activation: 7, Index: 3, Events: []string{"e3"}, ...})
//	...
//	err := history.Join(h.Check())
//
// # What is promised
//
// Each activation of an actor has a number, and replays a history of it: every event that was acknowledged under a lower number, in
// its place, and none that was refused. What one activation replays the next one replays too, and goes on from there. Nothing that
// is called after the actor was activated elsewhere is acknowledged under the lower number. An event whose outcome is unknown is
// in the history once, or not at all.
//
// The log is not looked at, nor is it said how a journal is kept in it: whatever keeps the promise passes. In the end everybody
// should be activated once more, so that each acknowledged event has an activation that must replay it.
package journals

import (
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest/history"
	"github.com/quorumlog/quorumlog/log"
)

// Activation is one that was told what is in its journal. Those that were refused, or never answered, are left out.
type Activation struct {
	// Owner is whose it is.
	Owner string
	// At is its number.
	At log.Position
	// Call is when it was asked for, since the history began.
	Call time.Duration
	// Return is when it was there, since the history began.
	Return time.Duration
	// Replay are the events that its state was made of, in their order, those in a snapshot too.
	Replay []string
}

// Write is what an activation added to the journal, or tried to.
type Write struct {
	// Owner is whose it is.
	Owner string
	// Activation is the number of the activation that wrote.
	Activation log.Position
	// Index is that of the first event.
	Index uint64
	// Events are what was written, all different, also from those of every other write.
	Events []string
	// Call is when it was asked for, since the history began.
	Call time.Duration
	// Return is when it was answered; history.Never where it was not.
	Return time.Duration
	// Outcome is what it was told.
	Outcome history.Outcome
}

// History is what happened, in any order.
type History struct {
	// Activations are those that were told what is in their journals.
	Activations []Activation
	// Writes are all that were begun.
	Writes []Write
}

// The rules.
const (
	Origin   history.Rule = "origin"   // what is replayed was written, before
	Once     history.Rule = "once"     // no event is replayed twice
	Whole    history.Rule = "whole"    // the events of one write are replayed together, or not at all
	Denied   history.Rule = "denied"   // what was refused is never replayed
	Extended history.Rule = "extended" // an activation replays what the one before it replayed, and goes on
	Kept     history.Rule = "kept"     // what was acknowledged is replayed from then on, in its place
	Fenced   history.Rule = "fenced"   // nothing counts that is called after a later activation was there
	Numbered history.Rule = "numbered" // a later activation has a higher number
)
