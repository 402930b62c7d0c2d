package simulation

import (
	"testing"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/log/storage"
)

// breaks checks that every rule has something that breaks it, and that none minds what is fine.
func breaks[T any](t *testing.T, rules []rule[T], fine T, broken map[string]T) {
	t.Helper()
	check(rules, fine, func(_ int, name, what string) { t.Errorf("%s: what is fine breaks it: %s", name, what) })
	for _, r := range rules {
		subject, found := broken[r.name]
		switch {
		case !found:
			t.Errorf("nothing here breaks %q", r.name)
		case r.broken(subject) == "":
			t.Errorf("%q does not notice what breaks it", r.name)
		}
		delete(broken, r.name)
	}
	for name := range broken {
		t.Errorf("there is no rule %q", name)
	}
}

const (
	first  = log.Proposal(1<<16 | 1)
	second = log.Proposal(2<<16 | 2)
)

// cast is a vote of replica 1 for a value at position 5.
func cast(by log.Proposal, what string) vote {
	return vote{by: by, value: entry(what), replica: 1, incarnation: identity.Incarnation{Generation: 1}}
}

// at is a vote that becomes durable where there are others, of which one may be chosen.
func at(v vote, chosen *vote, others ...vote) ballot {
	return ballot{5, &place{nil, others, chosen}, v}
}

func TestRulesOfVotesNotice(t *testing.T) {
	old := cast(first, "a")
	breaks(t, ofVotes, at(cast(second, "a"), &old, old), map[string]ballot{
		"a proposal has one value at a position":                                   at(cast(first, "b"), nil, old),
		"nobody accepts another value than the chosen one under a higher proposal": at(cast(second, "b"), &old, old),
	})
	truncation := cast(first, "")
	truncation.value = log.Value{Kind: log.Truncate, To: 6}
	breaks(t, ofChoices, at(old, nil, cast(second, "a")), map[string]ballot{
		"one value is chosen at a position":                          at(cast(first, "b"), &old, old),
		"nothing is chosen below another value of a higher proposal": at(old, nil, cast(second, "b")),
		"a truncation keeps its own position":                        at(truncation, nil),
	})
}

// truthWith is a truth of three members in which "a" is chosen at 5.
func truthWith() *truth {
	t := newTruth(3)
	c := cast(first, "a")
	t.place(5).chosen = &c
	t.place(5).votes = []vote{c}
	return t
}

func TestRulesOfLessonsNotice(t *testing.T) {
	breaks(t, ofLessons, lesson{truthWith(), 1, 5, entry("a")}, map[string]lesson{
		"what is learned is chosen": {truthWith(), 1, 5, entry("b")},
	})
	breaks(t, ofLessons, lesson{truthWith(), 1, 5, entry("a")}, map[string]lesson{
		"what is learned is chosen": {truthWith(), 1, 6, entry("a")},
	})
}

// voting is what replica 1 of three keeps about itself.
func voting() storage.Metadata {
	return storage.Metadata{
		Replica: 1, Members: []log.ReplicaID{1, 2, 3}, Status: status.Voting, Promised: first, Highest: second, Boot: 3, Begin: 1,
		Incarnation: identity.Incarnation{Generation: 2, Disk: 7}, Reign: log.Reign{By: first, First: 1},
		Known: identity.Vector{}.With(2, identity.Incarnation{Generation: 2, Disk: 5}),
	}
}

// into is a step from voting to something else.
func into(change func(*storage.Metadata)) step {
	s := step{newTruth(3), voting(), voting()}
	change(&s.next)
	return s
}

// founded is a step in a log that was begun on disk 5.
func founded(before, next identity.Founders) step {
	s := into(func(m *storage.Metadata) { m.Founders = next })
	s.before.Founders = before
	s.truth.begun(identity.Founders{5, 6})
	return s
}

func TestRulesOfMetadataNotice(t *testing.T) {
	breaks(t, ofMetadata, into(func(m *storage.Metadata) { m.Promised, m.Highest = second, second }), map[string]step{
		"the status goes forward":                                into(func(m *storage.Metadata) { m.Status = status.Recovering }),
		"the implicit promise grows":                             into(func(m *storage.Metadata) { m.Promised = 0 }),
		"the highest proposal grows":                             into(func(m *storage.Metadata) { m.Highest = first }),
		"the reign is the latest":                                into(func(m *storage.Metadata) { m.Reign = log.Reign{} }),
		"a process leaves the count of its starts alone":         into(func(m *storage.Metadata) { m.Boot++ }),
		"a replica that takes another incarnation does not vote": into(func(m *storage.Metadata) { m.Incarnation.Generation++ }),
		"a configuration is in force once it is chosen":          into(func(m *storage.Metadata) { m.Configuration = moved("+4") }),
		"who is known to be dead stays dead":                     into(func(m *storage.Metadata) { m.Known = nil }),
		"all replicas have one log":                              founded(nil, identity.Founders{7}),
		"a replica keeps its log":                                founded(identity.Founders{6}, identity.Founders{5}),
		"nothing of a stranger is kept": into(func(m *storage.Metadata) {
			m.Known = m.Known.With(3, identity.Incarnation{Generation: 1, Disk: strangeDisk})
		}),
	})
	for name, change := range map[string]func(*storage.Metadata){
		"a promise to a stranger": func(m *storage.Metadata) { m.Promised = log.NewProposal(strangeRound, 2) },
		"a promise to no member":  func(m *storage.Metadata) { m.Promised = log.NewProposal(3, 4) },
		"a member that is none":   func(m *storage.Metadata) { m.Known = m.Known.With(9, identity.Incarnation{Generation: 1}) },
	} {
		noticed := false
		check(ofMetadata, into(change), func(int, string, string) { noticed = true })
		if !noticed {
			t.Errorf("%s is not noticed", name)
		}
	}
}

func TestStatusGoesForwardOnly(t *testing.T) {
	const all = status.Voting
	want := map[[2]status.Status]bool{
		{status.Empty, status.Starting}: true, {status.Empty, status.Recovering}: true, {status.Starting, status.Recovering}: true,
		{status.Starting, status.Voting}: true, {status.Recovering, status.Voting}: true,
	}
	for from := status.Empty; from <= all; from++ {
		for to := status.Empty; to <= all; to++ {
			if got := follows(from, to); got != (want[[2]status.Status{from, to}] || from == to) {
				t.Errorf("from %s to %s: %t", from, to, got)
			}
		}
	}
}

func TestRulesOfRecordsNotice(t *testing.T) {
	held := record{promised: second, performed: first, value: entry("a")}
	put := func(promised, performed log.Proposal, what string) log.Action {
		return log.Action{Position: 5, Promised: promised, Performed: performed, Value: entry(what)}
	}
	final := held
	final.learned = true
	breaks(t, ofRecords, change{1, held, put(second, second, "b"), true}, map[string]change{
		"what is accepted is promised":                                 {1, held, put(first, second, "b"), true},
		"what is learned is final":                                     {1, final, put(second, second, "b"), true},
		"what is accepted is replaced by what a higher proposal wrote": {1, record{promised: second, performed: second}, put(second, first, "a"), true},
		"the promise of a position grows":                              {1, held, put(first, first, "a"), true},
		"no record is a stranger's":                                    {1, held, put(log.NewProposal(strangeRound, 1), second, "a"), true},
	})
}

// diskWith is a disk of replica 1 with one durable vote at 5.
func diskWith(change func(*disk)) *disk {
	t := newTruth(3)
	t.place(5).votes = []vote{{by: first, value: entry("a"), replica: 1, incarnation: voting().Incarnation}}
	d := &disk{id: 1, watch: watch{truth: t}, synced: voting(), durable: map[log.Position]held{
		5: {promised: second, performed: first},
	}}
	change(d)
	return d
}

func TestRulesOfRestartsNotice(t *testing.T) {
	before := diskWith(func(*disk) {})
	breaks(t, ofRestarts, restart{before, diskWith(func(*disk) {})}, map[string]restart{
		"a crash takes nothing back that is kept about the replica": {before, diskWith(func(d *disk) { d.synced.Highest = first })},
		"a crash takes no promise back":                             {before, diskWith(func(d *disk) { d.durable[5] = held{promised: first, performed: first} })},
		"a crash takes no vote back":                                {before, diskWith(func(d *disk) { d.durable[5] = held{promised: second} })},
	})
}

func TestRulesOfTruncationsNotice(t *testing.T) {
	truth := truthWith()
	truth.begin = 4
	breaks(t, ofTruncations, truncation{truth, 1, 4}, map[string]truncation{
		"the log is truncated only where that is chosen": {truth, 1, 5},
	})
}

func TestRulesOfRecoveryNotice(t *testing.T) {
	const name = "a replica that recovers takes over what a quorum of voting replicas knew"
	lives := identity.Vector{}.With(1, voting().Incarnation).With(2, identity.Incarnation{Generation: 2, Disk: 5}).
		With(3, identity.Incarnation{Generation: 1})
	says := func(from log.ReplicaID) standpoint {
		life, _ := lives.Of(from)
		return standpoint{from: from, incarnation: life, promised: first, highest: second, end: 9,
			reign: log.Reign{By: first, First: 1}, known: voting().Known}
	}
	is := func(change func(*adoption)) adoption {
		a := adoption{next: voting(), learned: 9, heard: heard([]standpoint{says(3)}, []standpoint{says(2), says(3)})}
		a.next.Known = a.next.Known.With(3, identity.Incarnation{Generation: 1})
		change(&a)
		return a
	}
	for what, change := range map[string]func(*adoption){
		"a promise":         func(a *adoption) { a.next.Promised = 0 },
		"a proposal":        func(a *adoption) { a.next.Highest = first },
		"a reign":           func(a *adoption) { a.next.Reign = log.Reign{} },
		"who is dead":       func(a *adoption) { a.next.Known = nil },
		"an observer's":     func(a *adoption) { a.heard[1].configured = inForce(moved("+4", "-3"), 0) },
		"what was accepted": func(a *adoption) { a.learned = 8 },
		"a quorum":          func(a *adoption) { a.heard = a.heard[:1] },
		"an answer twice":   func(a *adoption) { a.heard = heard([]standpoint{says(3), says(3)}) },
		"its own answer":    func(a *adoption) { a.heard = heard([]standpoint{says(3), says(1)}) },
		"who lives": func(a *adoption) {
			says := &a.heard[1].standpoints[0]
			says.known = says.known.With(3, identity.Incarnation{Generation: 1, Disk: 8})
		},
		"two questions once": func(a *adoption) { a.heard = heard([]standpoint{says(3)}, []standpoint{says(2)}) },
	} {
		t.Run(what, func(t *testing.T) {
			breaks(t, ofAdoptions, is(func(*adoption) {}), map[string]adoption{name: is(change)})
		})
	}
}

func TestRulesOfAnswersNotice(t *testing.T) {
	id := identity.Identity{Replica: 1, Incarnation: voting().Incarnation}
	says := func(change func(*reply)) reply {
		r := reply{disk: diskWith(func(*disk) {}), Envelope: codec.Envelope{From: id, Known: voting().Known}, asked: asked{by: first}}
		change(&r)
		return r
	}
	breaks(t, ofGrants, says(func(*reply) {}), map[string]reply{
		"a replica answers under its own incarnation":           says(func(r *reply) { r.From.Incarnation.Disk = 8 }),
		"only a replica that votes grants anything":             says(func(r *reply) { r.synced.Status = status.Recovering }),
		"a configuration is durable before anybody votes in it": says(func(r *reply) { r.From.Epoch = 1 }),
		"a disk that was rolled back grants nothing":            says(func(r *reply) { r.rolled = true }),
		"nothing is granted once the disk failed":               says(func(r *reply) { r.failed = true }),
		"who is dead is durable before anybody hears of it":     says(func(r *reply) { r.synced.Known = nil }),
		"whoever is answered is known, durably": says(func(r *reply) {
			r.asked.from = identity.Identity{Replica: 3, Incarnation: identity.Incarnation{Generation: 1}}
		}),
	})
	breaks(t, ofPromises, says(func(*reply) {}), map[string]reply{
		"a promise is durable before it is said": says(func(r *reply) { r.asked.by = second }),
	})
	at := log.Range{First: 5, Last: 5}
	explicit := says(func(r *reply) { r.asked.run, r.granted = at, at })
	breaks(t, ofPromises, explicit, map[string]reply{
		"a promise is durable before it is said": says(func(r *reply) { r.asked, r.granted = asked{by: second + 1, run: at}, at }),
	})
	breaks(t, ofAcceptances, says(func(r *reply) { r.granted = at }), map[string]reply{
		"a vote is durable before it is said": says(func(r *reply) { r.granted = log.Range{First: 5, Last: 6} }),
	})
	reserved := diskWith(func(d *disk) { d.raised = []raise{{first, 7}, {second, 9}} })
	breaks(t, ofRequests, requested{reserved, first, 7}, map[string]requested{
		"a proposal is durable before it is used":         {reserved, log.NewProposal(3, 1), 9},
		"whoever proposes tells the sync of its proposal": {reserved, first, 6},
	})
	own := codec.Standing{Status: status.Voting, Promised: first, Highest: second}
	two := &asking{replica: 2, incarnation: identity.Incarnation{Generation: 2, Disk: 5}}
	later := &asking{replica: 2, incarnation: identity.Incarnation{Generation: 3}}
	breaks(t, ofStandings, standing{diskWith(func(*disk) {}), codec.Envelope{}, own, two}, map[string]standing{
		"who is dead is durable before anybody hears of it": {
			diskWith(func(d *disk) { d.synced.Known = nil }), codec.Envelope{Known: voting().Known}, own, two},
		"whoever is answered is known, durably":    {diskWith(func(*disk) {}), codec.Envelope{}, own, later},
		"what a replica says of itself is durable": {diskWith(func(d *disk) { d.synced.Promised = 0 }), codec.Envelope{}, own, two},
	})
}

func TestRulesOfMomentsNotice(t *testing.T) {
	breaks(t, ofMoments, peaks{20, 20, 1000}, map[string]peaks{
		"a member has few actors":                        {Actors: 101},
		"a member has few timers":                        {Timers: 201},
		"a replica has few records that are not learned": {Unlearned: 2001},
	})
}
