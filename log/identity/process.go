package identity

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/quorumlog/quorumlog/log"
)

// Process is what one process of a replica said of itself, and of the disk that it runs on.
//
// A disk has an age: how many syncs it has seen. A process says no age that is not synced, so whoever starts on the same
// disk later begins at least that old, and one sync older for each start in between, for a start is counted with a sync.
// One that begins younger runs on a directory that was rolled back (hole S7), or on a copy of it (S8).
type Process struct {
	Incarnation Incarnation
	Boot        uint64 // counts the starts on this disk
	Nonce       uint64 // tells two processes of one start apart
	BootAge     uint64 // of the disk when the process started, its start included
	Age         uint64 // of the disk, the highest that was heard; at least BootAge
}

// Heard is the newest process of a replica that was heard.
type Heard struct {
	Replica log.ReplicaID
	Process Process
}

// Sighting is that the process of an identity was heard.
func (i Identity) Sighting() Heard { return Heard{i.Replica, i.process()} }

// process is the process that an identity is of.
func (i Identity) process() Process {
	return Process{i.Incarnation, i.Boot, i.Process, i.BootAge, i.Age}
}

// same says whether two are one process.
func (p Process) same(o Process) bool {
	return p.Incarnation == o.Incarnation && p.Boot == o.Boot && p.Nonce == o.Nonce
}

// follows says whether p may have started on the disk as o left it.
func (p Process) follows(o Process) bool {
	return p.Boot > o.Boot && p.BootAge-min(p.BootAge, o.Age) >= p.Boot-o.Boot
}

// outlives says whether p is right and o is not, where both are of one incarnation. Of two of one start it is the one whose
// disk was older: the other one's was an earlier state of it. Where nothing tells them apart, the first that was heard stays.
func (p Process) outlives(o Process) bool {
	switch {
	case p.Boot > o.Boot:
		return p.follows(o)
	case p.Boot < o.Boot:
		return !o.follows(p)
	}
	return p.BootAge > o.BootAge
}

// contradiction says for people why o cannot be heard beside p, which was heard.
func (p Process) contradiction(r log.ReplicaID, o Process) string {
	if o.Boot > p.Boot {
		return fmt.Sprintf("the disk of replica %d had seen %d syncs in its start %d, and no more than %d when it began start %d, although that "+
			"start itself adds one: its directory was rolled back to an earlier state, or is a copy of one", r, p.Age, p.Boot, o.BootAge, o.Boot)
	}
	return fmt.Sprintf("replica %d was heard in its start %d as process %x, and start %d as process %x asks: its directory was copied or rolled back",
		r, p.Boot, p.Nonce, o.Boot, o.Nonce)
}

// Rewound says whether somebody heard this very process tell an age that its disk does not have. It tells none that is not
// synced, and knows the highest that it told, unless memory and disk were put back together: a snapshot of a virtual machine
// was resumed, or a second one was made of it.
func (a *Admission) Rewound(heard []Heard) (Refusal, bool) {
	self := a.Self.process()
	for _, h := range heard {
		if h.Replica == a.Self.Replica && h.Process.same(self) && h.Process.Age > self.Age {
			return Refusal{Reason: DuplicateIdentity, Detail: fmt.Sprintf("a member heard replica %d in its start %d when its disk had seen %d syncs, "+
				"and it has seen no more than %d: the process and its directory were rolled back to an earlier state, or copied",
				h.Replica, h.Process.Boot, h.Process.Age, self.Age)}, true
		}
	}
	return Refusal{}, false
}

// Hear takes over what a peer has heard of the others, where that is newer. What it heard of the replica itself is for Rewound.
func (a *Admission) Hear(heard []Heard) {
	for _, h := range heard {
		known, found := a.Heard[h.Replica]
		_, member := slices.BinarySearch(a.Members, h.Replica)
		switch {
		case !member || h.Replica == a.Self.Replica || a.Known.Buries(h.Replica, h.Process.Incarnation):
		case found && known.Incarnation.Generation > h.Process.Incarnation.Generation:
		default:
			a.note(h.Replica, h.Process)
		}
	}
}

// note remembers a process, unless another one was heard that is right. It says which is right, and whether that is p.
func (a *Admission) note(r log.ReplicaID, p Process) (Process, bool) {
	heard, found := a.Heard[r]
	switch {
	case found && heard.same(p):
		if p.Age <= heard.Age {
			return heard, true
		}
	case found && heard.Incarnation == p.Incarnation && !p.outlives(heard):
		return heard, false
	}
	a.Heard[r] = p
	return p, true
}

// Sightings is what was heard, in the order of the replicas' ids.
func (a *Admission) Sightings() []Heard {
	all := make([]Heard, 0, len(a.Heard))
	for r, p := range a.Heard {
		all = append(all, Heard{r, p})
	}
	slices.SortFunc(all, func(a, b Heard) int { return cmp.Compare(a.Replica, b.Replica) })
	return all
}
