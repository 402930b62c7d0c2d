package codec_test

import (
	"math/rand/v2"
	"slices"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/membership"
	"github.com/quorumlog/quorumlog/log/status"
)

// drawer draws values that keep every rule of the schema, with a liking for the bounds.
type drawer struct{ *rand.Rand }

// number is one that is small, large, or anything between 1 and max.
func (d *drawer) number(highest uint64) uint64 {
	switch d.IntN(4) {
	case 0:
		return 1 + d.Uint64N(min(highest, 9))
	case 1:
		return highest - d.Uint64N(min(highest, 9))
	default:
		return 1 + d.Uint64N(highest)
	}
}

func (d *drawer) position() log.Position { return log.Position(d.number(uint64(log.MaxPosition))) }

func (d *drawer) replica() log.ReplicaID { return log.ReplicaID(d.number(1<<16 - 1)) }

func (d *drawer) proposal() log.Proposal { return log.NewProposal(d.number(log.MaxRound), d.replica()) }

// maybe is v or nothing.
func maybe[T any](d *drawer, v T) T {
	var none T
	if d.IntN(3) == 0 {
		return none
	}
	return v
}

func (d *drawer) long() log.Range {
	a, b := d.position(), d.position()
	return log.Range{First: min(a, b), Last: max(a, b)}
}

func (d *drawer) run() log.Range {
	first := d.position()
	return log.Range{First: first, Last: first + min(log.Position(d.IntN(log.MaxRun)), log.MaxPosition-first)}
}

func (d *drawer) status() status.Status { return status.Status(1 + d.IntN(int(status.Voting))) }

func (d *drawer) bytes() []byte {
	b := make([]byte, d.IntN(20))
	for i := range b {
		b[i] = byte(d.Uint32())
	}
	return b
}

func (d *drawer) text() string {
	words := []string{"", "the disk is full", "ä ö ü", "replica 7", "日本"}
	return words[d.IntN(len(words))]
}

func (d *drawer) value(at log.Position) log.Value {
	switch d.IntN(3) {
	case 0:
		return log.Value{Kind: log.NOP}
	case 1:
		return log.Value{Kind: log.Truncate, To: 1 + log.Position(d.Uint64N(uint64(at)))}
	}
	return log.Value{Kind: log.Append, Data: d.bytes()}
}

func (d *drawer) action(at log.Position) log.Action {
	a, b := d.proposal(), d.proposal()
	return log.Action{Position: at, Promised: max(a, b), Performed: min(a, b), Learned: d.IntN(2) == 0, Value: d.value(at)}
}

// actions are some records of a range, in order.
func (d *drawer) actions(within log.Range) []log.Action {
	var all []log.Action
	for p := within.First; within.Contains(p) && len(all) < 5; p += 1 + log.Position(d.IntN(3)) {
		all = append(all, d.action(p))
	}
	return all
}

func (d *drawer) learned(within log.Range) []log.Action {
	all := d.actions(within)
	for i := range all {
		all[i].Learned = true
	}
	return all
}

func (d *drawer) reign() log.Reign { return log.Reign{By: d.proposal(), First: d.position()} }

func (d *drawer) incarnation() identity.Incarnation {
	return identity.Incarnation{Generation: d.number(codec.MaxCount), Disk: d.Uint64()}
}

func (d *drawer) vector() identity.Vector {
	var v identity.Vector
	for range d.IntN(4) {
		v = v.With(d.replica(), d.incarnation())
	}
	return v
}

func (d *drawer) ages() (boot, now uint64) {
	a, b := d.number(codec.MaxCount), d.number(codec.MaxCount)
	return min(a, b), max(a, b)
}

func (d *drawer) heard() []identity.Heard {
	var all []identity.Heard
	for _, k := range d.vector() {
		p := identity.Process{Incarnation: k.Incarnation, Boot: d.number(codec.MaxCount), Nonce: d.Uint64()}
		p.BootAge, p.Age = d.ages()
		all = append(all, identity.Heard{Replica: k.Replica, Process: p})
	}
	return all
}

func (d *drawer) envelope() codec.Envelope {
	e := codec.Envelope{Request: d.Uint64(), Known: d.vector(), From: identity.Identity{
		Epoch: d.number(membership.MaxEpoch), Configuration: d.Uint64(), Replica: d.replica(), Incarnation: d.incarnation(),
		Boot: d.number(codec.MaxCount), Process: d.Uint64(),
	}}
	e.From.BootAge, e.From.Age = d.ages()
	for i := range e.From.Cluster {
		e.From.Cluster[i] = byte(d.Uint32())
	}
	return e
}

func (d *drawer) refusal() identity.Refusal {
	r := identity.Refusal{Reason: identity.Malformed + identity.Reason(d.IntN(int(identity.OutOfBounds))), Detail: d.text()}
	if r.Reason == identity.DeadIncarnation {
		r.Known, r.Votes, r.Alive = d.incarnation(), d.IntN(2) == 0, d.IntN(2) == 0
	}
	return r
}

// spoil changes a message on its way.
func (d *drawer) spoil(wire []byte) []byte {
	wire = slices.Clone(wire)
	for range 1 + d.IntN(3) {
		if len(wire) == 0 {
			break
		}
		at := d.IntN(len(wire))
		switch d.IntN(4) {
		case 0:
			wire = wire[:at]
		case 1:
			wire[at] ^= 1 << d.IntN(8)
		case 2:
			wire[at] = byte(d.Uint32())
		case 3:
			wire = append(wire, wire[at:]...)
		}
	}
	return wire
}
