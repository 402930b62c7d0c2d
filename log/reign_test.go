package log

import "testing"

func TestOfOneProposalTheReignThatBeginsHigherIsTheLater(t *testing.T) {
	before, behind := Reign{By: NewProposal(21, 1), First: 3}, Reign{By: NewProposal(21, 1), First: 12}
	next := Reign{By: NewProposal(22, 2), First: 5}
	for _, c := range []struct{ one, other, want Reign }{
		{before, behind, behind},
		{behind, before, behind},
		{behind, next, next},
		{next, behind, next},
		{Reign{}, before, before},
	} {
		if got := c.one.Later(c.other); got != c.want {
			t.Errorf("of %+v and %+v the later is %+v", c.one, c.other, got)
		}
	}
}
