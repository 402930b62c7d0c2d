package scenario

import (
	"fmt"
	"slices"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/tests/kit"
)

func networkCommands() map[string]command {
	return map[string]command{
		"isolate": (*script).isolate, "bridge": (*script).bridge, "partition": (*script).partition, "heal": (*script).heal,
		"hold": (*script).hold, "drop": (*script).drop, "pass": (*script).pass, "held": (*script).held,
		"release": (*script).release,
	}
}

// isolate: "isolate 3" cuts every link of a member.
func (s *script) isolate() string {
	for _, m := range s.members() {
		s.cluster.World.Net.Isolate(m.Node.Address())
	}
	return ""
}

// partition: "partition a=(1,2) b=3" cuts every link between the groups.
func (s *script) partition() string {
	var groups [][]string
	for _, a := range s.line.CmdArgs {
		groups = append(groups, addresses(s.listed(a.Key)))
	}
	s.cluster.World.Net.Partition(groups...)
	return ""
}

// bridge: "bridge 1 3" cuts the links between members, and leaves those to the others.
func (s *script) bridge() string {
	for _, m := range s.members() {
		for _, o := range s.members() {
			if m != o {
				s.cluster.World.Net.Cut(m.Node.Address(), o.Node.Address())
			}
		}
	}
	return ""
}

// heal: "heal" undoes isolate, partition and bridge.
func (s *script) heal() string {
	s.cluster.World.Net.HealAll()
	return ""
}

// rule says what becomes of some messages.
type rule struct {
	kind     string // the message's name; empty for any
	from, to []string
	verdict  actortest.Verdict
	left     int // how often it applies; negative for always
}

func (r *rule) matches(e actortest.Envelope) bool {
	name := string(e.Message.ProtoReflect().Descriptor().Name())
	return (r.kind == "" || r.kind == name) &&
		(len(r.from) == 0 || slices.Contains(r.from, e.From)) && (len(r.to) == 0 || slices.Contains(r.to, e.To))
}

// judge is the world's filter: the first rule that matches decides.
func (s *script) judge(e actortest.Envelope) actortest.Verdict {
	for i := range s.rules {
		r := &s.rules[i]
		if r.left == 0 || !r.matches(e) {
			continue
		}
		r.left--
		return r.verdict
	}
	return actortest.Deliver
}

// rule reads "[type=WriteRequest] [from=1] [to=(2,3)] [count=1]".
func (s *script) rule(verdict actortest.Verdict) rule {
	r := rule{
		kind: s.text("type"), from: addresses(s.listed("from")), to: addresses(s.listed("to")), verdict: verdict, left: -1,
	}
	s.line.MaybeScanArgs(s, "count", &r.left)
	return r
}

// hold: "hold type=WriteRequest from=1 to=(2,3) [count=1]" puts such messages aside from now on.
func (s *script) hold() string {
	s.rules = append(s.rules, s.rule(actortest.Hold))
	return ""
}

// drop: "drop type=WriteRequest from=1 to=2 [count=1]" loses such messages from now on.
func (s *script) drop() string {
	s.rules = append(s.rules, s.rule(actortest.Drop))
	return ""
}

// pass: "pass" ends every hold and drop. What is held stays so.
func (s *script) pass() string {
	s.rules = nil
	return ""
}

// held: "held" lists what is held, without repetitions.
func (s *script) held() string {
	var all []string
	for _, e := range s.cluster.World.Held() {
		all = append(all, fmt.Sprintf("%s %s -> %s", e.Message.ProtoReflect().Descriptor().Name(), e.From, e.To))
	}
	slices.Sort(all)
	return lines(slices.Compact(all))
}

// release: "release [type=...] [from=...] [to=...]" sends what is held.
func (s *script) release() string {
	r := s.rule(actortest.Deliver)
	s.cluster.World.Release(r.matches)
	return ""
}

func addresses(members []*kit.Member) []string {
	var all []string
	for _, m := range members {
		all = append(all, m.Node.Address())
	}
	return all
}
