// Package simulation runs whole clusters, again and again, under faults that a seed chooses, and checks what they promise.
//
// One seed is one run: three members, sometimes five, that initialize themselves or are initialized, with real actors, a
// disk in memory, a virtual clock and a network that the seed makes bad; and clients that append, truncate, elect, read
// and catch up through the members' gateways. Nothing in a run depends on the real time, so a seed that fails fails again:
//
//	go test ./tests/simulation -run TestSeed -seed=7 -v
//
// # Phase 1: faults
//
// Each run draws which faults it has, and how often (profile.go): messages between members are lost, doubled, late by up
// to half a minute, and overtake each other, all of them or those of one kind; writes reach some replicas only; links
// differ in speed, are cut in one direction or both, members are cut off or split; processes crash at any step, one or all at a time, also right behind a change of the disk, and lose what was not
// synced, or all but the oldest part of it; disks fail or are wiped; members stall, and clocks are wrong.
//
// The contract of the log is respected: fewer than a quorum of the disks are lost at one time, where a lost disk counts
// until its replica votes again; and before all vote for the first time, fewer than a quorum are ever lost.
//
// # Phase 2: recovery
//
// Every fault ends and every process is started again. Then, within bounds of virtual time, every member must vote, an
// append must succeed, every call of a client must end, and all members must have learned the same log.
//
// # What is checked
//
// The simulation sits between each replica and its disk, and sees every vote that becomes durable. From these it knows
// which value is chosen at which position, without asking anybody (truth.go): two values chosen at one position, two
// values under one proposal, a vote against what is chosen, or a value learned that is not chosen, end the run at once.
// So do a member that goes back on its status or its promise (disk.go), an answer that leaves before what it says is
// durable (wire.go), and an answer to a client that is not true (history.go). At the end the whole history is checked
// against the log's sequential specification (check.go).
package simulation
