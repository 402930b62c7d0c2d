package codec

import (
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/messages"
)

// started checks what a process says of its start and its disk.
func started(boot, bootAge, age uint64) error {
	if boot == 0 {
		return malformed("the starts of a process are counted from 1")
	}
	if boot > MaxCount || age > MaxCount {
		return malformed("no disk has seen %d starts and %d syncs", boot, age)
	}
	if age < bootAge {
		return malformed("a disk that had seen %d syncs when its process started has seen %d", bootAge, age)
	}
	return nil
}

// EncodeHeard writes which processes were heard.
func EncodeHeard(heard []identity.Heard) []*messages.Heard {
	rows := make([]*messages.Heard, len(heard))
	for i, h := range heard {
		p := h.Process
		rows[i] = &messages.Heard{
			Replica: uint32(h.Replica), Incarnation: EncodeIncarnation(p.Incarnation),
			Boot: p.Boot, Process: p.Nonce, BootAge: p.BootAge, Age: p.Age,
		}
	}
	return rows
}

// DecodeHeard reads which processes were heard: at most one of each replica, in the order of their ids.
func DecodeHeard(rows []*messages.Heard) ([]identity.Heard, error) {
	if len(rows) > MaxMembers {
		return nil, malformed("there are at most %d members, and %d were heard", MaxMembers, len(rows))
	}
	if len(rows) == 0 {
		return nil, nil
	}
	heard := make([]identity.Heard, 0, len(rows))
	for _, m := range rows {
		h, err := decodeHeard(m)
		if err != nil {
			return nil, err
		}
		if n := len(heard); n > 0 && heard[n-1].Replica >= h.Replica {
			return nil, malformed("replica %d was heard after replica %d", h.Replica, heard[n-1].Replica)
		}
		heard = append(heard, h)
	}
	return heard, nil
}

func decodeHeard(m *messages.Heard) (h identity.Heard, err error) {
	if h.Replica, err = replica(m.GetReplica()); err != nil {
		return h, err
	}
	h.Process = identity.Process{Boot: m.GetBoot(), Nonce: m.GetProcess(), BootAge: m.GetBootAge(), Age: m.GetAge()}
	if h.Process.Incarnation, err = DecodeIncarnation(m.GetIncarnation()); err != nil {
		return h, err
	}
	return h, started(m.GetBoot(), m.GetBootAge(), m.GetAge())
}
