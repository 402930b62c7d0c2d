package simulation

import (
	"fmt"
	"testing"

	"github.com/quorumlog/quorumlog/actors/actortest/logtest"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/membership"
)

// moved is the configuration of three members after changes: +4 adds, ^4 promotes, -4 removes.
func moved(changes ...string) membership.Configuration {
	c := began(3)
	for _, text := range changes {
		ch := membership.Change{Kind: map[byte]membership.Kind{'+': membership.Add, '^': membership.Promote, '-': membership.Remove}[text[0]]}
		if _, err := fmt.Sscanf(text[1:], "%d", &ch.ID); err != nil {
			panic(err)
		}
		ch.Address = logtest.Address(ch.ID)
		next, err := c.Next(ch)
		if err != nil {
			panic(err)
		}
		c = next
	}
	return c
}

// heard are answers to questions of a log of three members.
func heard(all ...[]standpoint) []told {
	var out []told
	for _, standpoints := range all {
		out = append(out, told{inForce(began(3), 0), standpoints})
	}
	return out
}

// decided is a decision on position 5, of a truth in which all below is chosen, and the first change of the members at 4.
func decided(c membership.Configuration, epoch uint64) decision {
	t := newTruth(3)
	for at := log.Position(1); at < 5; at++ {
		t.place(at).chosen = &vote{value: entry("a")}
	}
	t.last, t.configs[1], t.epoch = 4, inForce(moved("+4"), 4), 1
	v := cast(first, "a")
	v.epoch = epoch
	if c.Epoch > 0 {
		data, err := codec.FormatConfiguration(c)
		if err != nil {
			panic(err)
		}
		v.value = log.Value{Kind: log.Config, Data: data}
	}
	return decision{t, at(v, nil)}
}

func TestRulesOfConfigurationsNotice(t *testing.T) {
	for _, fine := range []decision{decided(membership.Configuration{}, 1), decided(moved("+4", "^4"), 1)} {
		hole := decided(moved("+4", "^4"), 1)
		hole.truth.place(2).chosen = nil
		breaks(t, ofConfigurations, fine, map[string]decision{
			"a position is decided by the members that govern it":                  decided(membership.Configuration{}, 0),
			"a configuration is chosen by the one before it, above what is chosen": decided(moved("+4", "^4", "-1"), 1),
			"everything below a configuration is chosen":                           hole,
		})
	}
	early := decided(moved("+4", "^4"), 1)
	early.truth.last = 6
	two := decided(moved("+4", "^4"), 1)
	two.truth.configs[1] = inForce(moved("+4"), 4)
	two.truth.configs[2] = inForce(moved("+4", "-4"), 3)
	later := decided(membership.Configuration{}, 2)
	for claim, d := range map[string]decision{"above it": early, "two of one epoch": two, "by those who come later": later} {
		noticed := false
		check(ofConfigurations, d, func(int, string, string) { noticed = true })
		if !noticed {
			t.Errorf("%s: not noticed", claim)
		}
	}
}

func TestVotesCountInTheirOwnConfiguration(t *testing.T) {
	voted := func(epochs ...uint64) bool {
		truth := newTruth(3)
		truth.configs[1], truth.configs[2] = inForce(moved("+4"), 1), inForce(moved("+4", "^4"), 2)
		var votes []vote
		for i, epoch := range epochs {
			votes = append(votes, vote{by: first, replica: log.ReplicaID(4 - i), epoch: epoch})
		}
		return truth.isQuorum(votes, first, epochs[0])
	}
	for _, c := range []struct {
		epochs []uint64 // of the votes of the replicas 4, 3, 2
		want   bool
	}{
		{[]uint64{1, 1}, false},
		{[]uint64{1, 1, 1}, true},
		{[]uint64{2, 2}, false},
		{[]uint64{2, 2, 1}, false},
		{[]uint64{2, 2, 2}, true},
	} {
		if got := voted(c.epochs...); got != c.want {
			t.Errorf("votes in %v: %t", c.epochs, got)
		}
	}
}
