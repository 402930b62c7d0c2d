package log

// Reign is the time of one elected writer: it writes from First on, under By. The zero Reign is none.
//
// A quorum promised By, and none of it had accepted anything at First or above. So what was accepted there under a lower
// proposal was not chosen, and never can be: it is void. A proposer that finds it must not propose it again, or entries of
// a fenced writer would come to be in the log after its successor was elected. (The original has this hole.)
type Reign struct {
	By    Proposal
	First Position
}

// Later returns the later of two reigns. A writer that goes on under its proposal behind a change of the members settles what its new
// members hold, and reigns anew from there on.
func (r Reign) Later(o Reign) Reign {
	if o.By > r.By || o.By == r.By && o.First > r.First {
		return o
	}
	return r
}

// Voids says whether what was accepted can no longer be chosen.
func (r Reign) Voids(a Action) bool {
	return r.First > 0 && !a.Learned && a.Position >= r.First && a.Performed < r.By
}
