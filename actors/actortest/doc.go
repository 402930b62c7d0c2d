// Package actortest runs real actors in a small world of its own: seeded, single-threaded, with virtual time.
//
// The actors are ordinary protoactor actors in ordinary actor systems, one system per node, and nothing in them knows
// that they are simulated. Only three things are replaced: the mailbox (it hands over one message per step, to an actor
// that the seed chooses), the network between the nodes (it marshals, then delays, drops, duplicates and cuts) and the
// clock (timer.Clock in virtual time). One seed gives one history, always, so that a failure can be looked at again:
//
//	func TestPingIsAnswered(t *testing.T) {
//		w := actortest.New(t, 7)                  // prints the seed and the last steps when the test fails
//		a, b := w.Node("a"), w.Node("b")
//		w.Net.Drop(0.1)
//		pid := b.Spawn("ponger", actor.PropsFromProducer(newPonger))
//		p := a.Probe("asker")
//		p.Request(pid, ping)
//		pong := actortest.Await[*messages.Welcome](t, p, time.Second) // a second of virtual time
//	}
//
// What there is:
//
//   - World: Node, Step, Run, Until, Must, Idle; Err, Hash, Tail; Timers; Lag, Schedule; Close.
//   - World.Net: Delay, Tail, Drop, Duplicate, Reorder, Link, Cut, Isolate, Partition, Heal, HealAll.
//   - World.Filter sees every protobuf message, between nodes and inside one, and says Deliver, Drop or Hold; Held and
//     Release bring back what was held.
//   - Node: Spawn, Probe, Clock, Random, Skew, Drift, Occupy, Crash, Restart, Actors, Timers.
//   - Probe: an actor that plays the other side: Send, Request, Respond, Watch; and Await, ExpectNone, Messages.
//
// # Panics
//
// A panic of any actor fails the world: nothing runs any more, Err tells actor, message, reason and stack, and the test
// ends. Then the failure goes the usual way to the supervisor, which matters for panics that Forgive allows.
//
// # Schedules
//
// Who runs next is a uniform choice among the actors that have something to do. That meets few of the orders that need
// the same actor to be late again and again; Priorities meets these, and should take its turn among the seeds:
//
//	w.Schedule(actortest.Priorities{Depth: 3, Steps: 500, Starve: 100 * time.Millisecond})
//
// # Time
//
// Handling a message takes no time, but for what Node.Occupy says. Time moves to the next timer or arrival when no actor has anything to do; and, now
// and then, a little before that (see Lag), so that a timer can be due while an answer waits in the mailbox.
//
// # Limits
//
//   - Between nodes only protobuf messages travel, and what is not one fails the world. System messages (Watch, Stop,
//     Terminated) are dropped between nodes, with a line in the trace: nobody may rely on them there.
//   - An actor that starts a goroutine, uses a future or a receive time-out, or looks at the real clock is outside of
//     this world, and its histories do not repeat. The same goes for an actor that ranges over a map and sends.
//   - A World and all that belongs to it is for one goroutine. Worlds share nothing, and several may run in parallel.
//   - A message that is no protobuf counts in the hash with its type only.
package actortest
