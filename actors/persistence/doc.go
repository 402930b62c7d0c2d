// Package persistence keeps the state of actors in the log: their events, and snapshots of what came of them.
//
// An actor that ends, with its process or its machine, begins again elsewhere with what was acknowledged. Two activations of one
// actor never both write: from the moment that the later one is in the log nothing of the earlier one counts, and that one is told
// ErrFenced with its next event (package log/journal has the rule).
//
//	actor ── Persist ─▶ Journal ── Write ─▶ keeper ── Append ─▶ port ─▶ the log
//	                                          ▲  ◀── Appended ──┘
//	                                          └────── Followed ◀── Follow: what was appended, by anybody, in order
//
// A keeper is one for all actors of a process. It follows the log, and answers a Write once it has seen it there: only then is it
// known whether it counts. The port is how a keeper reaches a log, an actor that answers each Append, Follow, Fetch and Truncate once, in any
// order, and gives up by itself: package cluster has that of a client, or of a member, and
// package actors/actortest/logtest that of a simulated one (Cluster.Port).
//
// The state chart of a write:
//
//	Write ─▶ appending ── Appended ─▶ following ── the fold has seen it ─▶ Written, or Refused: fenced
//	            └────── it failed ─▶ Refused
//
// Events go into a log that holds nothing else: that one is truncated up to what the snapshots of all its actors allow.
package persistence
