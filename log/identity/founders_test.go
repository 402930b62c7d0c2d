package identity_test

import (
	"testing"

	"github.com/quorumlog/quorumlog/log/identity"
)

func TestFoundersTellOneLogFromAnother(t *testing.T) {
	one := identity.FoundersOf(identity.Incarnation{Generation: 1, Disk: 7}, identity.Incarnation{Generation: 2, Disk: 8})
	for _, c := range []struct {
		claim         string
		other         identity.Founders
		share, differ bool
	}{
		{"the same", identity.Founders{7, 8}, true, false},
		{"one of them is another disk", identity.Founders{9, 8}, true, false},
		{"all of them are other disks", identity.Founders{9, 10}, false, true},
		{"not known", nil, false, false},
	} {
		t.Run(c.claim, func(t *testing.T) {
			if one.Share(c.other) != c.share || c.other.Share(one) != c.share {
				t.Errorf("share: want %t", c.share)
			}
			if one.Differ(c.other) != c.differ || c.other.Differ(one) != c.differ {
				t.Errorf("differ: want %t", c.differ)
			}
		})
	}
}
