// Package digest is what members tell each other of the values that they have learned, so that two logs that differ are found
// before anybody needs them to be equal.
//
// The log is cut into blocks of 256 positions, the same everywhere. Once a member has learned all of a block, its values never
// change, and neither does the block's sum. So sums need no order, no proposal and no chain: a member computes them again from
// its disk after a start, drops them with a truncation, and compares each by itself, which also tells where two logs differ.
package digest

import (
	"cmp"
	"maps"
	"slices"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/interval"
	"github.com/quorumlog/quorumlog/log/paxos"
)

// Positions is how many positions a block has. The first begins at position 1.
const Positions = 256

// Sum tells the values of a block from others.
type Sum uint64

// Block is the sum of a block.
type Block struct {
	First log.Position // of the block
	Sum   Sum
}

// Range is the positions of the block.
func (b Block) Range() log.Range { return log.Range{First: b.First, Last: b.First + Positions - 1} }

// Aligned says whether a block begins at a position.
func Aligned(p log.Position) bool { return p%Positions == 1 && p <= log.MaxPosition-Positions }

// whole returns the part of a range that is whole blocks.
func whole(r log.Range) log.Range {
	skipped := (r.First + Positions - 2) / Positions * Positions
	last := r.Last / Positions * Positions
	return log.Range{First: skipped + 1, Last: last}
}

// maxDisputes is how many blocks a book keeps of which members say different things. More of them say no more.
const maxDisputes = 64

// Book is the sums that one member knows of its own log, and what the others said of those that differ.
type Book struct {
	self     log.ReplicaID
	quorum   int
	done     interval.Set // positions of the blocks whose sums are known
	sums     map[log.Position]Sum
	cursor   log.Position // of what is told next
	disputes map[log.Position]map[log.ReplicaID]Sum
}

// NewBook returns the book of a member that knows nothing yet.
func NewBook(self log.ReplicaID, members int) *Book {
	return &Book{self: self, quorum: paxos.Quorum(members), sums: map[log.Position]Sum{}, disputes: map[log.Position]map[log.ReplicaID]Sum{}}
}

// Move goes on among another number of members. What was disputed is forgotten: those who differ will say so again.
func (b *Book) Move(members int) {
	b.quorum = paxos.Quorum(members)
	clear(b.disputes)
}

// Next returns the highest whole block of what is kept and learned whose sum is not known, and forgets those that are not kept.
func (b *Book) Next(kept log.Range) (Block, bool) {
	b.forget(kept.First)
	blocks := whole(kept)
	if blocks.Empty() {
		return Block{}, false
	}
	missing := b.done.Complement(blocks)
	last, found := missing.Last()
	if !found {
		return Block{}, false
	}
	return Block{First: last - Positions + 1}, true
}

// forget drops the sums of what is truncated.
func (b *Book) forget(begin log.Position) {
	first, found := b.done.First()
	if !found || first >= begin {
		return
	}
	gone := func(p log.Position) bool { return p < begin }
	maps.DeleteFunc(b.sums, func(p log.Position, _ Sum) bool { return gone(p) })
	maps.DeleteFunc(b.disputes, func(p log.Position, _ map[log.ReplicaID]Sum) bool { return gone(p) })
	b.done.Remove(log.Range{First: 1, Last: whole(log.Range{First: begin, Last: log.MaxPosition}).First - 1})
}

// Put notes the sum of a block.
func (b *Book) Put(block Block) {
	b.sums[block.First] = block.Sum
	b.done.Add(block.Range())
}

// Tell returns up to n blocks to tell the others: the newest one, and of all in turns, so that each is told again and again.
func (b *Book) Tell(n int) []Block {
	last, found := b.done.Last()
	if !found || n < 1 {
		return nil
	}
	newest := last - Positions + 1
	told := []Block{{newest, b.sums[newest]}}
	for range min(n, len(b.sums)) - 1 {
		if b.cursor = b.after(b.cursor); b.cursor != newest {
			told = append(told, Block{b.cursor, b.sums[b.cursor]})
		}
	}
	return told
}

// after is the block that follows the one at a position, in the circle of those that are known.
func (b *Book) after(p log.Position) log.Position {
	if p > 0 {
		if next := p + Positions; b.done.Contains(next) {
			return next
		}
		if rest := b.done.Intersect(log.Range{First: p + Positions, Last: log.MaxPosition}); !rest.Empty() {
			first, _ := rest.First()
			return first
		}
	}
	first, _ := b.done.First()
	return first
}

// Finding is a block of which two members say different things.
type Finding struct {
	Block    log.Range
	Peer     log.ReplicaID
	Minority bool // a quorum of the members say the same, and this one another thing
}

// Hear compares what another member says with what is known here, and returns what is new of it.
func (b *Book) Hear(peer log.ReplicaID, told []Block) []Finding {
	var found []Finding
	for _, t := range told {
		own, known := b.sums[t.First]
		if !known || peer == b.self {
			continue
		}
		said := b.disputes[t.First]
		switch {
		case said == nil && t.Sum == own:
			continue
		case said == nil && len(b.disputes) >= maxDisputes:
			continue
		case said == nil:
			said = map[log.ReplicaID]Sum{}
			b.disputes[t.First] = said
		}
		before, heard := said[peer]
		said[peer] = t.Sum
		switch {
		case t.Sum == own:
			b.settle(t.First, own)
		case !heard || before != t.Sum:
			found = append(found, Finding{t.Range(), peer, b.outvoted(own, said)})
		}
	}
	slices.SortFunc(found, func(a, c Finding) int { return cmp.Compare(a.Block.First, c.Block.First) })
	return found
}

// settle ends a dispute once nobody says anything else any more.
func (b *Book) settle(at log.Position, own Sum) {
	for _, s := range b.disputes[at] {
		if s != own {
			return
		}
	}
	delete(b.disputes, at)
}

// outvoted says whether a quorum of the members say one thing, and this one another.
func (b *Book) outvoted(own Sum, said map[log.ReplicaID]Sum) bool {
	votes := map[Sum]int{}
	for _, s := range said {
		if votes[s]++; s != own && votes[s] >= b.quorum {
			return true
		}
	}
	return false
}

// Differs says whether any member says another thing of a block.
func (b *Book) Differs() bool { return len(b.disputes) > 0 }
