// Package simulation runs whole clusters, again and again, under faults that a seed chooses, and checks what they promise.
//
// One seed is one run: three members, sometimes five, that initialize themselves or are initialized, with real actors, a
// disk in memory, a virtual clock and a network that the seed makes bad; and clients that append, truncate, elect, read
// and catch up through the members' gateways. Nothing in a run depends on the real time, so a seed that fails fails again:
//
//	make sim SEED=7            # the whole story of a run; with STEPS=1 every step
//	make sim SEEDS=5000        # many, on every core, in the order of the seeds
//	make sim STORY=churn       # all about one thing
//	make sim COVER=1           # ... and which branches of the rules were reached
//
// # Phase 1: faults
//
// Each run draws some kinds of faults, and how often they strike (faults.go): processes crash or shut down, one or all at a
// time, in storms, in the middle of a step right behind a change of the disk, the begin or the end of a sync, or a message, and lose what was not synced, or
// all but the oldest part of it; disks are wiped, fail at a change, a sync or a read, are full or slow; members are cut off,
// one after the other too, links are cut in one direction or both, one by one, and are whole again in another order; members
// stall, clocks jump and drift; writers duel; strangers say all that members say, and answer what they ask; directories
// are rolled back or copied. Besides, messages are lost, doubled, late by up to a minute, and overtake each other, all or
// those of one kind; writes reach some replicas only; the actors are chosen uniformly or by priorities.
//
// Two in five runs tell a story (stories.go): few faults, and those in the order in which a certain mistake would show.
//
// One run in twenty is about actors that keep their state in the log (apps.go): several processes have them, crash and are cut off
// themselves, and activate one actor here and there at once; some go on writing where they should have ended.
//
// The contract of the log is respected: fewer than a quorum of the disks are lost at one time, where a lost disk counts
// until its replica votes again and nobody doubts it; and before all vote for the first time, fewer than a quorum are ever
// lost. One story breaks it at its end, and then no log may begin anew. Directories are rolled back or copied only while
// everybody is there and a peer has heard of a later state, for nobody else can tell.
//
// # Phase 2: recovery
//
// Every fault ends and every process is started again. Then, within bounds of virtual time, every member must vote, an
// append must succeed, every call of a client must end, and all members must have learned the same log.
//
// # What is checked
//
// Invariants, by their names and numbers (invariants.go). The simulation sits between each replica and its disk, and sees
// every vote that becomes durable. From these it knows which value is chosen at which position, without asking anybody
// (truth.go): two values chosen at one position, two values under one proposal, a vote against what is chosen, or a value
// learned that is not chosen, end the run at once. So do a replica that goes back on what it said (replicas.go), an answer
// that leaves before what it says is durable, or by one who may not give it (witness.go), and an answer to a client that is
// not true (history.go). What actors were told is held against what each of them replays (ledger.go, and package
// actors/actortest/history/journals). At the end the whole history is checked against the log's sequential specification (check.go).
//
// A run that chooses fewer than 50 positions fails, since it says nothing; so do a thousand runs that never had one of the
// faults. Which branches of the rules the runs reached is read from Go's own coverage (directory coverage).
package simulation
