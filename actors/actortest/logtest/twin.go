package logtest

import "fmt"

// Twin is a process that believes to be this member, on a copy of its disk as it is now, and a node of its own. Peers answer
// it there, but whoever asks the member asks the first one. It does not run yet, and the cluster does not list it; what it
// fails of is in Failure.
func (m *Member) Twin() *Member {
	m.twins++
	return &Member{
		ID: m.ID, Node: m.cluster.World.Node(fmt.Sprintf("twin%d-%d:7000", m.ID, m.twins)), Store: m.Store.Copy(),
		Failed: func(error) {}, cluster: m.cluster,
	}
}
