package exhaustive

import (
	"flag"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/log/status"
)

var fullFlag = flag.Bool("full", false, "search the large scopes, too, which takes minutes and some gigabytes")

// most is how many states a search may have; more do not fit into memory.
const most = 100_000_000

// trial is one search.
type trial struct {
	scope
	full bool // it is large
}

func kinds(of ...kind) []kind { return of }

// trials are the scopes in which our rules are searched.
func trials() []trial {
	w, f, l, b := writer, fillsFirst, fillsLast, fillsBoth
	return []trial{
		{scope: scope{size: 3, positions: 1, kinds: kinds(w, w), wipes: 1}},
		{scope: scope{size: 3, positions: 1, kinds: kinds(w, f), wipes: 1}},
		{scope: scope{size: 3, positions: 1, kinds: kinds(f, w), wipes: 1}},
		{scope: scope{size: 3, positions: 1, kinds: kinds(f, f), wipes: 1, notices: true, restarts: true}},
		{scope: scope{size: 3, positions: 1, kinds: kinds(f, f, f), wipes: 1}},
		{scope: scope{size: 3, positions: 1, kinds: kinds(f, f), wipes: 1, doubts: true}},
		{scope: scope{size: 3, positions: 1, kinds: kinds(w, w), notices: true, alike: true}},
		{scope: scope{size: 3, positions: 1, kinds: kinds(w, w, f)}},
		{scope: scope{size: 3, positions: 2, kinds: kinds(w, b)}},
		{scope: scope{size: 3, positions: 2, kinds: kinds(l, w), notices: true}},
		{scope: scope{size: 3, positions: 2, kinds: kinds(b, w), wipes: 1}},
		{scope: scope{size: 3, positions: 2, kinds: kinds(w, w), batches: true}},
		{scope: scope{size: 3, positions: 2, kinds: kinds(w, f), pipelined: true}},
		{scope: scope{size: 3, positions: 2, kinds: kinds(w, b), pipelined: true}},
		{scope: scope{size: 3, positions: 2, kinds: kinds(w, w), pipelined: true}},
		{scope: scope{size: 3, positions: 2, kinds: kinds(w, f, b), pipelined: true}},

		{full: true, scope: scope{size: 3, positions: 2, kinds: kinds(w, f, b), pipelined: true, notices: true}},
		{full: true, scope: scope{size: 3, positions: 2, kinds: kinds(w, w), pipelined: true, wipes: 1}},
		{full: true, scope: scope{size: 3, positions: 2, kinds: kinds(w, f, w), pipelined: true}},
		{full: true, scope: scope{size: 3, positions: 1, kinds: kinds(w, w, w)}},
		{full: true, scope: scope{size: 3, positions: 1, kinds: kinds(w, w), wipes: 1, notices: true}},
		{full: true, scope: scope{size: 3, positions: 1, kinds: kinds(w, f), wipes: 1, notices: true, restarts: true}},
		{full: true, scope: scope{size: 3, positions: 1, kinds: kinds(f, w), wipes: 1, notices: true, restarts: true}},
		{full: true, scope: scope{size: 3, positions: 1, kinds: kinds(f, f), wipes: 2, notices: true}},
		{full: true, scope: scope{size: 3, positions: 1, kinds: kinds(f, f, f), wipes: 1, notices: true}},
		{full: true, scope: scope{size: 5, positions: 1, kinds: kinds(f, f, f)}},
		{full: true, scope: scope{size: 5, positions: 1, kinds: kinds(w, w)}},
		{full: true, scope: scope{size: 3, positions: 1, kinds: kinds(w, w), wipes: 2}},
		{full: true, scope: scope{size: 3, positions: 1, kinds: kinds(f, f), wipes: 2, doubts: true}},
		{full: true, scope: scope{size: 3, positions: 1, kinds: kinds(w, w), wipes: 1, doubts: true}},
		{full: true, scope: scope{size: 3, positions: 2, kinds: kinds(w, b, f)}},
		{full: true, scope: scope{size: 3, positions: 2, kinds: kinds(b, b, b), notices: true}},
		{full: true, scope: scope{size: 3, positions: 2, kinds: kinds(w, w), wipes: 1, notices: true, batches: true}},
		{full: true, scope: scope{size: 3, positions: 2, kinds: kinds(w, w, l)}},
		{full: true, scope: scope{size: 3, positions: 2, kinds: kinds(b, b, b), wipes: 1}},
		{full: true, scope: scope{size: 3, positions: 2, kinds: kinds(w, b, f), wipes: 1}},
		{full: true, scope: scope{size: 3, positions: 1, kinds: kinds(w, w, f), wipes: 1}},
	}
}

// TestOurRulesChooseOneValue is what all this is for.
func TestOurRulesChooseOneValue(t *testing.T) {
	chosen := slices.DeleteFunc(trials(), func(c trial) bool { return c.full && !*fullFlag })
	for i, c := range chosen {
		t.Run(c.String(), func(t *testing.T) {
			t.Parallel()
			scope := fmt.Sprintf("scope %d of %d, %s", i+1, len(chosen), c)
			began := time.Now()
			r := searchAloud(newWorld(c.scope, ours()), most, aloud(t, scope, pause()))
			if r.fault != "" {
				t.Errorf("%s\n%s", r.fault, strings.Join(r.story, "\n"))
			}
			if r.cut {
				t.Errorf("there are more than %d states", r.states)
			}
			t.Logf("%s: all %d states in %v", scope, r.states, time.Since(began).Round(10*time.Millisecond))
		})
	}
}

// pause is how long a search says nothing: without -full for ever, so that the first thing that is said is a fault.
func pause() time.Duration {
	if *fullFlag {
		return 10 * time.Second
	}
	return math.MaxInt64
}

// aloud tells how far a search is, after each pause. How many states there are in all is known at its end only.
func aloud(t testing.TB, scope string, pause time.Duration) func(visited, found int) {
	began := time.Now()
	told := began
	return func(visited, found int) {
		if now := time.Now(); now.Sub(told) >= pause {
			told = now
			t.Logf("%s: %d states so far, %d of them to be visited, after %v", scope, found, found-visited, now.Sub(began).Round(time.Second))
		}
	}
}

// hole is a rule of the original, or one that we could have forgotten.
type hole struct {
	name  string
	rules rules
	trial
	finds string
}

const (
	twoValues = "TWO VALUES ARE CHOSEN"
	tornOne   = "but at 1 where it wrote before"
	fencedOne = "was elected with the log ending"
)

func holes() []hole {
	w, f := writer, fillsFirst
	without := func(change func(*rules)) rules {
		r := ours()
		change(&r)
		return r
	}
	pair := scope{size: 3, positions: 1, kinds: kinds(w, w), agreement: true}
	fills := scope{size: 3, positions: 1, kinds: kinds(f, f), agreement: true}
	with := func(s scope, wipes int, notices bool) trial {
		s.wipes, s.notices = wipes, notices
		return trial{scope: s}
	}
	return []hole{
		{"S1 accepting promises nothing", ours().acceptsLikeTheOriginal(),
			trial{scope: scope{size: 5, positions: 1, kinds: kinds(f, f, f), agreement: true}}, twoValues},
		{"S2 a recovery adopts no promise", without(func(r *rules) { r.adopt = false }), with(pair, 1, false), twoValues},
		{"S3 no crash vector", without(func(r *rules) { r.bury = false }), with(fills, 1, false), twoValues},
		{"S4 a rejected writer stays elected", without(func(r *rules) { r.resign = false }).acceptsLikeTheOriginal(), with(pair, 0, false), twoValues},
		{"a recovery adopts no crash vector", without(func(r *rules) { r.merge = false }), with(fills, 2, false), twoValues},
		{"a recovery does not catch up", without(func(r *rules) { r.catchUp = false }), with(fills, 1, false), twoValues},
		{"a recovery asks one replica", ours().recoversFromOne(), with(fills, 1, false), twoValues},
		{"a life in doubt votes at once", without(func(r *rules) { r.reborn = false }),
			trial{scope: scope{size: 3, positions: 1, kinds: kinds(f, f), wipes: 2, agreement: true, doubts: true}, full: true}, twoValues},
		{"a learned value is overwritten", ours().overwritesWhatIsLearned(), with(pair, 0, true), twoValues},
		{"a Fill writes a NOP whatever it finds", ours().fillsWithNothing(), with(fills, 0, false), twoValues},
		{"an answer leaves before it is durable", without(func(r *rules) { r.syncFirst = false }), with(fills, 0, false), twoValues},
		{"an election has one round", without(func(r *rules) { r.secondly = false }),
			trial{scope: scope{size: 3, positions: 1, kinds: kinds(w, w, f)}}, fencedOne},
		{"a recovery adopts no reign", without(func(r *rules) { r.reign = false }),
			trial{scope: scope{size: 3, positions: 1, kinds: kinds(w, w, f), wipes: 1}, full: true}, fencedOne},
		{"equal bytes are one entry", ours().acknowledgesEqualBytes(),
			trial{scope: scope{size: 3, positions: 1, kinds: kinds(w, w), notices: true, alike: true}}, "were both told"},
		{"an entry is accepted without what its writer wrote before", ours().acceptsWithAGap(),
			trial{scope: scope{size: 3, positions: 2, kinds: kinds(w, f), pipelined: true}}, tornOne},
		{"an entry is proposed without what its writer wrote before", ours().proposesUnlinked(),
			trial{scope: scope{size: 3, positions: 2, kinds: kinds(w, f, fillsBoth), pipelined: true}}, tornOne},
		{"a recovery counts itself", ours().countsItself(),
			trial{scope: scope{size: 3, positions: 1, kinds: kinds(f, f), wipes: 1, restarts: true, agreement: true}}, twoValues},
	}
}

// TestEveryHoleIsFound shows that the search sees: with a rule taken away it finds what the rule is for.
func TestEveryHoleIsFound(t *testing.T) {
	for _, h := range holes() {
		if h.full && !*fullFlag {
			continue
		}
		t.Run(h.name, func(t *testing.T) {
			t.Parallel()
			r := search(newWorld(h.scope, h.rules), most)
			if !strings.Contains(r.fault, h.finds) {
				t.Errorf("in %d states nothing like %q was found, but %q", r.states, h.finds, r.fault)
			}
			t.Logf("%s, after %d states:\n%s", h.name, r.states, strings.Join(r.story, "\n"))
		})
	}
}

func TestReplicasThatChangePlacesAreTheSameState(t *testing.T) {
	w := newWorld(scope{size: 3, positions: 1, kinds: kinds(fillsFirst)}, ours())
	found := map[state]bool{}
	for _, next := range w.steps(w.first()) {
		found[w.canonical(next.to)] = true
	}
	if len(found) != 1 {
		t.Errorf("the first replica to hear of it makes %d different states", len(found))
	}
}

func TestStoryIsTheSameEveryTime(t *testing.T) {
	tell := func() []string {
		r := ours()
		r.bury = false
		return search(newWorld(scope{size: 3, positions: 1, kinds: kinds(fillsFirst, fillsFirst), wipes: 1, agreement: true}, r), most).story
	}
	if a, b := tell(), tell(); !slices.Equal(a, b) {
		t.Errorf("first\n%s\nand then\n%s", strings.Join(a, "\n"), strings.Join(b, "\n"))
	}
}

// listener keeps what a test logs.
type listener struct {
	testing.TB
	said []string
}

func (h *listener) Logf(format string, args ...any) {
	h.said = append(h.said, fmt.Sprintf(format, args...))
}

func TestSearchTellsHowFarItIs(t *testing.T) {
	h := &listener{TB: t}
	searchAloud(newWorld(scope{size: 3, positions: 1, kinds: kinds(writer, writer, fillsFirst)}, ours()), 100_000, aloud(h, "a scope", 0))
	if len(h.said) == 0 || !strings.HasPrefix(h.said[0], "a scope: ") || !strings.Contains(h.said[0], "of them to be visited, after 0s") {
		t.Errorf("it said %q", h.said)
	}
}

func TestSearchThatIsCutSaysSo(t *testing.T) {
	r := search(newWorld(scope{size: 3, positions: 1, kinds: kinds(writer, writer)}, ours()), 100)
	if !r.cut || r.fault != "" {
		t.Errorf("got %+v", r)
	}
}

// TestAnswersOfTwoLivesAreOneReplica guards the smallest world in which a quorum would be one replica alone.
func TestAnswersOfTwoLivesAreOneReplica(t *testing.T) {
	w := newWorld(scope{size: 3, positions: 1, kinds: kinds(fillsFirst), wipes: 1}, ours())
	s := w.first()
	r := w.replicas.of(s.replicas[0])
	r.status, r.lives, r.knows = status.Voting, 1, 1
	r.told[0] = [maxLives]answerID{
		w.answers.id(answer{granted: explicit}), w.answers.id(answer{granted: explicit, life: 1, knows: 1}),
	}
	s.replicas[0] = w.replicas.id(r)
	if won := w.outcomes(w.ballot(s, 0)); len(won) > 0 {
		t.Errorf("one replica is a quorum: %v", won)
	}
}

// String says how large a scope is.
func (s scope) String() string {
	var what []string
	for _, k := range s.kinds {
		what = append(what, k.String())
	}
	text := fmt.Sprintf("%d replicas, %d positions, %d lost disks: %s", s.size, s.positions, s.wipes, strings.Join(what, ", "))
	for _, also := range []struct {
		is   bool
		what string
	}{{s.notices, "notices"}, {s.pipelined, "pipelined"}, {s.batches, "batches"}, {s.restarts, "restarts"}, {s.alike, "equal entries"}, {s.doubts, "doubts"}} {
		if also.is {
			text += ", " + also.what
		}
	}
	return text
}
