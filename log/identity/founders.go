package identity

import "slices"

// Founders are the numbers of the disks on which a log was begun, as one of those who began it saw them. They tell a log
// from another one of the same name. Nil: not known, as on the disk of a replica that has no log yet, and of one whose log was
// begun before founders were noted, or by hand.
//
// Not all who begin a log note the same founders: one may lose its disk meanwhile. But any two share a founder. Proof: each noted the
// disks of all members, its own among them, as they answered it STARTING. A member of which they noted two disks lost the first of
// them in between. All members had registered that one before it was STARTING, so the second has a later generation, and whoever
// answers it knows that it has; or all members have lost their disks, and nothing is left of what was begun. Each of these second disks was
// STARTING, which the last of them got to be only where fewer than a quorum of all members live on such a disk (rule B2 in package
// status). So there are others, and of each of them both noted one disk.
//
// The founders of two logs share none: the number of a disk is random, and a disk begins one log at most.
type Founders []uint64

// FoundersOf returns the numbers of these disks.
func FoundersOf(disks ...Incarnation) Founders {
	f := make(Founders, 0, len(disks))
	for _, d := range disks {
		f = append(f, d.Disk)
	}
	return f
}

// Share says whether the logs that two replicas have are one log, where both know its founders.
func (f Founders) Share(o Founders) bool {
	return slices.ContainsFunc(f, func(disk uint64) bool { return slices.Contains(o, disk) })
}

// Differ says whether both are known, and are founders of two logs.
func (f Founders) Differ(o Founders) bool { return len(f) > 0 && len(o) > 0 && !f.Share(o) }
