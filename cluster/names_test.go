package cluster

import (
	"strings"
	"testing"

	"github.com/quorumlog/quorumlog/actors/member"
)

func TestActorsOfALogAreKnownByTheirNames(t *testing.T) {
	for id, want := range map[string]string{ // the log, a colon, and the name below it; empty: of none
		"quorumlog/replica":                                 ":replica",
		"quorumlog/coordinator/$1":                          ":coordinator/$1",
		"quorumlog.orders/replica":                          "orders:replica",
		"quorumlog.a-1/gateway":                             "a-1:gateway",
		"quorumlog.orders/coordinator/$":                    "orders:coordinator/$",
		"quorumlog":                                         "",
		"quorumlog.orders":                                  "",
		"quorumlog./replica":                                "",
		"quorumlog.-a/replica":                              "",
		"quorumlog.Orders/replica":                          "",
		"quorumlog.a.b/replica":                             "",
		"quorumlogs/replica":                                "",
		"client-$1":                                         "",
		"other/quorumlog/replica":                           "",
		"quorumlog." + strings.Repeat("a", 63) + "/gateway": strings.Repeat("a", 63) + ":gateway",
		"quorumlog." + strings.Repeat("a", 64) + "/gateway": "",
	} {
		name, below, ok := logOf(id)
		got := ""
		if ok {
			got = name + ":" + below
		}
		if got != want {
			t.Errorf("%s is %q, want %q", id, got, want)
		}
	}
}

func TestNamesOfLogsThatAreTakenAreThoseThatActorsMayHave(t *testing.T) {
	for _, name := range []string{"", "a", "0", "orders", "a-b-", strings.Repeat("z", 63), "-a", "A", "a_b", "a.b", "a/b", "ä", " ", strings.Repeat("z", 64)} {
		got, _, ok := logOf(pid(Member{1, "a:1"}, name, member.Replica).GetId())
		if good := ValidateLog(name) == nil; good != (ok && got == name) {
			t.Errorf("%q is valid: %t, and its replica is of %q (%t)", name, good, got, ok)
		}
	}
}

func TestLogsOfOneClusterAreStrangersToEachOther(t *testing.T) {
	known := map[any]string{}
	for _, c := range [][2]string{{"a", ""}, {"a", "b"}, {"a", "c"}, {"b", ""}, {"b", "a"}, {"a of cluster b", ""}, {"b of cluster a", ""}} {
		id := clusterID(c[0], c[1])
		if other, taken := known[id]; taken {
			t.Errorf("log %q of cluster %q is %s", c[1], c[0], other)
		}
		known[id] = c[0] + "/" + c[1]
	}
	if clusterID("quorumlog", "") != clusterID(DefaultCluster, "") {
		t.Error("a name has two ids")
	}
}
