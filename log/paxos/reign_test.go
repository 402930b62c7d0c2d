package paxos_test

import (
	"testing"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/paxos"
)

func TestAReignBeginsWhereNobodyHigherWasBefore(t *testing.T) {
	by := func(round uint64) log.Proposal { return log.NewProposal(round, 1) }
	reign := log.Reign{By: by(5), First: 10}
	at := func(p log.Position, promised uint64, learned bool) log.Action {
		return log.Action{Position: p, Promised: by(promised), Performed: by(1), Learned: learned}
	}
	for name, c := range map[string]struct {
		implicit uint64
		held     []log.Action
		granted  bool
	}{
		"nothing is held":                               {5, nil, true},
		"the promise was not heard before":              {3, nil, true},
		"a higher implicit promise":                     {6, nil, false},
		"a lower promise at the first position":         {5, []log.Action{at(10, 4, false)}, true},
		"a higher promise below the first position":     {5, []log.Action{at(9, 7, false)}, true},
		"a higher promise at the first position":        {5, []log.Action{at(10, 7, false)}, false},
		"a higher promise above it":                     {5, []log.Action{at(10, 4, false), at(12, 7, false)}, false},
		"something chosen above it that nobody told of": {5, []log.Action{at(11, 4, true)}, false},
		"something chosen below it, as it must be":      {5, []log.Action{at(9, 4, true)}, true},
	} {
		a := paxos.Acceptor{Promised: by(c.implicit), Highest: by(8), Begin: 1, End: 20}
		v := paxos.BeginReign(a, c.held, reign)
		_, granted := v.Answer.(paxos.Promised)
		if granted != c.granted || (v.Reign == reign) != c.granted {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

func TestAReignIsNotedAgainAlsoOnceItsWriterHasWritten(t *testing.T) {
	reign := log.Reign{By: log.NewProposal(5, 1), First: 10}
	a := paxos.Acceptor{Promised: reign.By, Highest: reign.By, Begin: 1, End: 10, Reign: reign}
	own := log.Action{Position: 10, Promised: reign.By, Performed: reign.By, Learned: true}
	if v := paxos.BeginReign(a, []log.Action{own}, reign); v.Answer != nil {
		if _, granted := v.Answer.(paxos.Promised); !granted {
			t.Errorf("%+v", v)
		}
	}
}

func TestWhatAReignVoidsIsNotProposedAgain(t *testing.T) {
	old, successor := log.NewProposal(1, 1), log.NewProposal(2, 2)
	entry := log.Value{Kind: log.Append, Data: []byte("old")}
	span := log.Range{First: 9, Last: 11}
	accepted := func(p log.Position, by log.Proposal, learned bool) log.Action {
		return log.Action{Position: p, Promised: by, Performed: by, Learned: learned, Value: entry}
	}
	tally := paxos.NewTally(paxos.AskRange, 3)
	tally.Add(paxos.Vote{From: 1, Answer: paxos.Promised{Range: span, Actions: []log.Action{
		accepted(9, old, false), accepted(10, old, false), accepted(11, old, true)}}})
	outcome := tally.Add(paxos.Vote{From: 2, Answer: paxos.Promised{Range: span, Reign: log.Reign{By: successor, First: 10}}})
	won, ok := outcome.(paxos.Won)
	if !ok {
		t.Fatalf("%+v", outcome)
	}
	kinds := ""
	for _, a := range paxos.Propose(won, log.NewProposal(3, 1), log.None) {
		kinds += a.Value.Kind.String()[:1]
	}
	if kinds != "ANA" { // below the reign, void, learned
		t.Errorf("proposes %s", kinds)
	}
}
