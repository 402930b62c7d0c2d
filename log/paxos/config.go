package paxos

import "github.com/quorumlog/quorumlog/log"

// Ready says whether an acceptor that has learned every position up to learned may accept values from a position on. A CONFIG
// it accepts only once it has learned everything below: so where one is chosen, a quorum knows all of it as chosen, and whoever
// asks a quorum of the configuration after the next is told, although that one may share nobody with those who chose it
// (docs/adr/0017, C3).
func Ready(values []log.Value, first, learned log.Position) bool {
	for _, v := range values {
		if v.Kind == log.Config && learned+1 < first {
			return false
		}
	}
	return true
}
