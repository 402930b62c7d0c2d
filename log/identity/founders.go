package identity

import "slices"

// Founders are the numbers of the disks on which a log was begun, as one of those who began it saw them. They tell a log
// from another one of the same name. Nil: not known, as on the disk of a replica that has no log yet, and of one whose log was
// begun before founders were noted, or by hand.
//
// Not all who begin a log need see the same founders: one may lose its disk meanwhile. But any two of them share a founder.
// Proof: whoever begins a log notes the disks of all members, its own among them, as they answered it STARTING. Let A and B be
// two members with other founders, a and b their disks. If neither lost its disk meanwhile, or one alone did, they share the
// disk of the other one, or of a third. Let each have noted an earlier disk of the other. Then B's earlier one answered a, so it
// lived after A's earlier one was lost, and A's earlier one answered b, so it lived after B's earlier one was lost: that cannot be.
// And where each has noted a later disk of some, these began anew after everybody had answered them, so as their second life
// at least, and fewer than a quorum did (status.Next, B2): the others are shared.
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
