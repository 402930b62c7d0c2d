package simulation

import (
	"fmt"
	"slices"

	"github.com/quorumlog/quorumlog/actors/actortest/logtest"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/membership"
)

// configured is a configuration that is chosen, and where.
type configured struct {
	membership.Configuration
	at     log.Position // 0 for the one that the log began with
	voters []log.ReplicaID
}

func inForce(c membership.Configuration, from log.Position) configured {
	return configured{c, from, c.Voters()}
}

// began is the configuration that a log of so many members begins with.
func began(members int) membership.Configuration {
	var all []membership.Member
	for i := range members {
		id := log.ReplicaID(i + 1)
		all = append(all, membership.Member{ID: id, Address: logtest.Address(id)})
	}
	return membership.Seed(all)
}

// votes says whether the vote of a replica counts.
func (c configured) votes(id log.ReplicaID) bool { return slices.Contains(c.voters, id) }

func (c configured) quorum() int { return len(c.voters)/2 + 1 }

// newest is the newest configuration that is chosen.
func (t *truth) newest() configured { return t.configs[t.epoch] }

// propose takes in a configuration that somebody asks to accept.
func (t *truth) propose(v log.Value) {
	if v.Kind != log.Config {
		return
	}
	if c, err := codec.ParseConfiguration(v.Data); err == nil && !slices.ContainsFunc(t.proposed, c.Equal) {
		t.proposed = append(t.proposed, c)
	}
}

// possible are the newest configuration, and those that may come to be the next one.
func (t *truth) possible() []membership.Configuration {
	all := []membership.Configuration{t.newest().Configuration}
	for _, c := range t.proposed {
		if c.Epoch == t.epoch+1 {
			all = append(all, c)
		}
	}
	return all
}

// configure takes in a configuration that is chosen.
func (t *truth) configure(b ballot) {
	if b.value.Kind != log.Config {
		return
	}
	c, err := codec.ParseConfiguration(b.value.Data)
	if err != nil {
		t.accuse(17, "a CONFIG is a configuration", err.Error())
		return
	}
	t.configs[c.Epoch] = inForce(c, b.at)
	t.epoch = max(t.epoch, c.Epoch)
}

// governing is the epoch of the configuration whose members decide on a position.
func (t *truth) governing(at log.Position) uint64 {
	var epoch uint64
	for e, c := range t.configs {
		if c.at < at {
			epoch = max(epoch, e)
		}
	}
	return epoch
}

// decision is a vote that completes a quorum of its configuration.
type decision struct {
	truth *truth
	ballot
}

// ofConfigurations are the rules of who decides on what.
var ofConfigurations = []rule[decision]{
	{17, "a position is decided by the members that govern it", func(d decision) string {
		g := d.truth.governing(d.at)
		first := d.chosen == nil
		if d.vote.epoch == g || !first && d.vote.epoch > g {
			return ""
		}
		return fmt.Sprintf("%s is chosen at %d by a quorum of epoch %d, and epoch %d governs it (for the first time: %t)",
			words(d.value), d.at, d.vote.epoch, g, first)
	}},
	{17, "a configuration is chosen by the one before it, above what is chosen", func(d decision) string {
		if d.value.Kind != log.Config || d.chosen != nil {
			return ""
		}
		c, err := codec.ParseConfiguration(d.value.Data)
		before := d.truth.configs[d.vote.epoch]
		_, twice := d.truth.configs[c.Epoch]
		changed := 0
		for _, id := range slices.Concat(c.Voters(), before.Voters()) {
			if slices.Contains(c.Voters(), id) != before.votes(id) {
				changed++
			}
		}
		return complain(err != nil || twice || c.Epoch != d.vote.epoch+1 || d.truth.last > d.at || changed > 1,
			"%s is chosen at %d by a quorum of %s, where %d is the last position that is chosen", c, d.at, before, d.truth.last)
	}},
	{17, "everything below a configuration is chosen", func(d decision) string {
		if d.value.Kind != log.Config || d.chosen != nil {
			return ""
		}
		for at := max(d.truth.begin, 1); at < d.at; at++ {
			if _, found := d.truth.value(at); !found {
				return fmt.Sprintf("a configuration is chosen at %d, and nothing is at %d", d.at, at)
			}
		}
		return ""
	}},
}
