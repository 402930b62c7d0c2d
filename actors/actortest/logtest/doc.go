// Package logtest runs whole members of a replicated log under the seeded world of package actortest, for tests: of actors
// that use the log, and of the log itself.
//
//	import (
//		"testing"
//		"time"
//
//		"github.com/quorumlog/quorumlog/actors/actortest/logtest"
//		"github.com/quorumlog/quorumlog/log/status" // status.Voting, for Require
//	)
//
//	func TestEntriesSurviveALostDisk(t *testing.T) {
//		c := logtest.Start(t, 7, 3)             // three members that vote; 7 is the seed
//		c.Member(1).Append("one")
//		c.Partition(3)                          // member 3 alone
//		c.Member(2).Append("two")
//		c.Heal()
//		c.Member(1).TearWrite()                 // its next write gets to the disk in part
//		lost := c.Member(1).Begin("three")      // its outcome will be unknown
//		c.Pass(time.Second)                     // of virtual time
//		c.Member(2).Wipe()                      // kill -9, and the disk is gone
//		c.Member(2).Start()                     // as the same member, which must recover
//		c.Member(2).Require(status.Voting, 10*time.Second)
//		c.Recover()                             // heals the network, starts all, waits until they vote
//		c.Member(2).Append("four")
//		c.Check()                               // every acknowledged entry is there, once, in order, on all members
//		t.Log(lost.Err())
//	}
//
// The members are the real ones: their actors, their protocol, their recovery. The disk is in memory, the network and the
// clock are the world's, and so one seed is one run. It is fast enough to try many: a cluster starts in a few
// milliseconds, and 10 s of virtual time take about as long. Run a test for 20 seeds at least; nearly every bug of a
// protocol needs an order of events that most seeds do not have.
//
// What there is:
//
//   - Cluster: Start and New, and Simulate for programs that are no tests; Member, Require, Recover, Check, History, Report.
//     Pass and World.Step run the world. Partition and Heal; World.Net has delays, losses, duplicates, one-way cuts, and
//     World.Filter drops or holds single messages. World.Schedule chooses in which order actors run.
//     History().Operations are all calls and what became of them, as package actors/actortest/history describes them.
//   - Member: Start, Kill, Restart; Wipe, TearWrite, FailDisk; Isolate, Rejoin; Node.Skew and Node.Drift move its clock;
//     Require and Status tell how it is, with the statuses of package log/status; Events what it reported.
//   - Calls: Append, Truncate, Elect, Catchup, Read, Entries run the world until the member has answered, and must succeed.
//     Begin returns at once, so that faults strike while an append is under way; the Call tells what became of it. A Writer
//     appends under the fence of its election.
//
// # Actors of your own
//
// An actor on top of the log runs on a node of the same world, and talks to any member's gateway as every client does,
// with the messages of package messages (AppendRequest, ReadRequest and so on):
//
//	pid := c.World.Node("app:1").Spawn("counter", actor.PropsFromProducer(newCounter(c.Gateway(1))))
//
// A timer must come from Node.Clock, chance from Node.Random; see package actortest for the other rules of the world.
// Persistent actors (package actors/persistence) ask a keeper, whose port is Cluster.Port.
// counter_test.go in this package is such an actor with its test, which asks it with the TestProbe of protoactor's testkit.
// An actor that begins again under its old name, after Node.Crash and Node.Restart, may get the answers that its former life
// waited for, as it may in production: take what comes next, and nothing else. See tests/examples/faults.
//
// # When a test fails
//
// It prints the seed, each member's state, and the last 200 steps of the world: who got which message from whom, and when.
// The same seed gives the same run; World.Verbose tells all of its steps.
package logtest
