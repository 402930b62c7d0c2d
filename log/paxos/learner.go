package paxos

import "github.com/quorumlog/quorumlog/log"

// Chosen returns the parts of a range that a replica may mark as learned when it hears that what was written under a
// proposal is chosen: those for which it holds the value of that very proposal. There is one value per proposal and
// position, so the value that it holds is the chosen one. Held are the records in the range, in order.
func Chosen(held []log.Action, by log.Proposal) []log.Range {
	var runs []log.Range
	for _, a := range held {
		if a.Learned || a.Performed != by || a.Value.Kind == log.None {
			continue
		}
		if n := len(runs); n > 0 && runs[n-1].Last+1 == a.Position {
			runs[n-1].Last = a.Position
			continue
		}
		runs = append(runs, log.Range{First: a.Position, Last: a.Position})
	}
	return runs
}
