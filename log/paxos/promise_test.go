package paxos_test

import (
	"testing"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/paxos"
)

func TestImplicitPromiseIsGrantedUnlessHigherOneWas(t *testing.T) {
	for _, c := range []struct{ claim, implicit, held, by, want string }{
		{"the first is granted, and stored", "0", "", "3", "promised [] end 0:; all 3"},
		{"a higher one is granted, and stored", "3", "", "4", "promised [] end 0:; all 4"},
		{"the same is granted again, and nothing is stored", "3", "", "3", "promised [] end 0:"},
		{"a lower one is rejected, and told by what", "3", "", "2", "rejected by 3"},
		{"in one round the higher replica wins", "3", "", "3.2", "promised [] end 0:; all 3.2"},
		{"in one round the lower replica loses", "3.2", "", "3", "rejected by 3.2"},
		{"what is held is told by its end alone", "3", "1=a@2 2^3", "4", "promised [] end 2:; all 4"},
		{"records of a higher explicit promise do not matter", "3", "1^9", "4", "promised [] end 1:; all 4"},
	} {
		t.Run(c.claim, func(t *testing.T) {
			if got := showVerdict(paxos.Promise(acceptor(c.implicit, c.held), ballot(c.by))); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestExplicitPromiseCoversItsRangeAllOrNothing(t *testing.T) {
	for _, c := range []struct {
		claim, implicit, held, by string
		first, last               log.Position
		want                      string
	}{
		{"where nothing is held, every position is promised",
			"0", "", "3", 1, 2, "promised [1, 2] end 2:; 1^3 2^3"},
		{"what was accepted is told as it was, and kept",
			"0", "1=a@1 2=b@2^3", "4", 1, 2, "promised [1, 2] end 2: 1=a@1 2=b@2^3; 1=a@1^4 2=b@2^4"},
		{"a promise alone is nothing to tell",
			"0", "1^1 2=b@1", "2", 1, 2, "promised [1, 2] end 2: 2=b@1; 1^2 2=b@1^2"},
		{"the same proposal is granted again, and nothing is stored",
			"0", "1^3 2=b@2^3", "3", 1, 2, "promised [1, 2] end 2: 2=b@2^3"},
		{"the proposal that wrote is granted again",
			"0", "1=a@3", "3", 1, 1, "promised [1, 1] end 1: 1=a@3"},
		{"a higher promise of one record rejects all",
			"0", "2^5", "4", 1, 3, "rejected by 5"},
		{"the highest promise in the way is told",
			"0", "1^5 2^7 3^6", "4", 1, 3, "rejected by 7"},
		{"what was accepted under a higher proposal rejects",
			"0", "1=a@5", "4", 1, 1, "rejected by 5"},
		{"a higher implicit promise rejects where there is no record",
			"5", "", "4", 1, 1, "rejected by 5"},
		{"a higher implicit promise rejects where there is a record too (S18)",
			"5", "1=a@2", "4", 1, 1, "rejected by 5"},
		{"the record's promise counts where it is above the implicit one",
			"5", "1^7", "6", 1, 1, "rejected by 7"},
		{"the proposer of the implicit promise may ask explicitly",
			"5", "1=a@2", "5", 1, 1, "promised [1, 1] end 1: 1=a@2; 1=a@2^5"},
		{"a learned record is the answer, and nothing is promised",
			"0", "1=a@2!", "3", 1, 1, "promised [1, 1] end 1: 1=a@2!"},
		{"a learned record is the answer below every promise",
			"9", "1=a@2^8!", "1", 1, 1, "promised [1, 1] end 1: 1=a@2^8!"},
		{"a learned record does not lift what stands beside it",
			"9", "1=a@2!", "3", 1, 2, "rejected by 9"},
		{"the end is that of the log where it is above the range",
			"0", "1=a@1 7=g@1", "2", 1, 1, "promised [1, 1] end 7: 1=a@1; 1=a@1^2"},
		{"positions above the end are promised",
			"0", "1=a@1", "2", 3, 4, "promised [3, 4] end 4:; 3^2 4^2"},
	} {
		t.Run(c.claim, func(t *testing.T) {
			r := log.Range{First: c.first, Last: c.last}
			held := within(records(c.held), r)
			if got := showVerdict(paxos.PromiseRange(acceptor(c.implicit, c.held), held, ballot(c.by), r)); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestExplicitPromiseBelowLogIsTruncated(t *testing.T) {
	a := paxos.Acceptor{Promised: ballot("9"), Begin: 5, End: 8}
	for first, want := range map[log.Position]string{
		4: "truncated 5",
		5: "rejected by 9",
	} {
		if got := showVerdict(paxos.PromiseRange(a, nil, ballot("3"), log.Range{First: first, Last: 6})); got != want {
			t.Errorf("from %d: got %s, want %s", first, got, want)
		}
	}
}

func TestProposalIsFollowedInJumpsOfBoundedSize(t *testing.T) {
	for _, c := range []struct {
		claim             string
		promised, highest uint64
		round             uint64
		refused           bool
	}{
		{"from nothing, as far as allowed", 0, 0, paxos.MaxJump, false},
		{"from nothing, too far", 0, 0, paxos.MaxJump + 1, true},
		{"from the implicit promise, as far as allowed", 7, 0, paxos.MaxJump + 7, false},
		{"from the implicit promise, too far", 7, 0, paxos.MaxJump + 8, true},
		{"from the highest proposal seen, as far as allowed", 7, 9, paxos.MaxJump + 9, false},
		{"from the highest proposal seen, too far", 7, 9, paxos.MaxJump + 10, true},
		{"the last round, from below", 0, 0, log.MaxRound, true},
		{"the last round, from near", 0, log.MaxRound - 1, log.MaxRound, false},
	} {
		t.Run(c.claim, func(t *testing.T) {
			a := paxos.Acceptor{Promised: log.NewProposal(c.promised, 1), Highest: log.NewProposal(c.highest, 1), Begin: 1}
			by := log.NewProposal(c.round, 1)
			one := log.Span(1, 1)
			for question, v := range map[string]paxos.Verdict{
				"implicit promise": paxos.Promise(a, by),
				"explicit promise": paxos.PromiseRange(a, nil, by, one),
				"write":            paxos.Write(a, nil, by, 1, values("a")),
			} {
				if outOfBounds(v) != c.refused {
					t.Errorf("%s: got %s, want refused %t", question, showVerdict(v), c.refused)
				}
			}
		})
	}
}

func TestPositionIsAcceptedWithinWindow(t *testing.T) {
	for _, c := range []struct {
		claim      string
		begin, end log.Position
		last       log.Position
		refused    bool
	}{
		{"above an empty log, as far as allowed", 1, 0, log.Window, false},
		{"above an empty log, too far", 1, 0, log.Window + 1, true},
		{"above the end, as far as allowed", 1, 100, log.Window + 100, false},
		{"above the end, too far", 1, 100, log.Window + 101, true},
		{"above an empty log that was truncated, as far as allowed", 51, 50, log.Window + 50, false},
		{"above an empty log that was truncated, too far", 51, 50, log.Window + 51, true},
		{"above a begin that was jumped to, as far as allowed", 51, 0, log.Window + 50, false},
		{"above a begin that was jumped to, too far", 51, 0, log.Window + 51, true},
		{"at the last position there is", 1, log.MaxPosition - 1, log.MaxPosition, false},
		{"at the last position there is, from below", 1, 1, log.MaxPosition, true},
	} {
		t.Run(c.claim, func(t *testing.T) {
			a := paxos.Acceptor{Begin: c.begin, End: c.end}
			r := log.Range{First: c.last, Last: c.last}
			for question, v := range map[string]paxos.Verdict{
				"explicit promise": paxos.PromiseRange(a, nil, ballot("1"), r),
				"write":            paxos.Write(a, nil, ballot("1"), c.last, values("a")),
			} {
				if outOfBounds(v) != c.refused {
					t.Errorf("%s: got %s, want refused %t", question, showVerdict(v), c.refused)
				}
			}
		})
	}
}

func TestRefusedQuestionStoresNothing(t *testing.T) {
	a := paxos.Acceptor{Begin: 1}
	far := log.NewProposal(paxos.MaxJump+1, 1)
	for _, v := range []paxos.Verdict{
		paxos.Promise(a, far),
		paxos.PromiseRange(a, nil, far, log.Span(1, 1)),
		paxos.Write(a, nil, far, 1, values("a")),
		paxos.Write(a, nil, ballot("1"), log.Window+1, values("a")),
	} {
		if len(v.Store) > 0 || v.Promised > 0 {
			t.Errorf("stores %s", showVerdict(v))
		}
	}
}

func outOfBounds(v paxos.Verdict) bool { return showVerdict(v) == "refused: out of bounds" }

// within returns the records in a range.
func within(actions []log.Action, r log.Range) []log.Action {
	var in []log.Action
	for _, a := range actions {
		if r.Contains(a.Position) {
			in = append(in, a)
		}
	}
	return in
}
