package process

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// found is a cluster whose members are found by a discovery.
type found struct {
	*Cluster
	url    string
	own    func(id int) string         // what a member's URL has more than a client's; nil: nothing
	tell   func(places map[int]string) // has it say where members are; nil where they announce that themselves
	places map[int]string
}

// foundByFile is a discovery that a hand writes.
func foundByFile(t *testing.T, c *Cluster) *found {
	t.Helper()
	path := c.write(t, "places", "")
	return &found{Cluster: c, url: "file://" + path, places: make(map[int]string), tell: func(places map[int]string) {
		var text strings.Builder
		for _, id := range slices.Sorted(maps.Keys(places)) {
			fmt.Fprintf(&text, "%d=%s\n", id, places[id])
		}
		c.write(t, "places.new", text.String())
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}}
}

// at starts a member somewhere, and has that said.
func (f *found) at(id int, place string) {
	f.t.Helper()
	url := f.url
	if f.own != nil {
		url += f.own(id)
	}
	f.StartMember(id, "--listen", place, "--discovery", url)
	f.places[id] = place
	if f.tell != nil {
		f.tell(f.places)
	}
}

// append appends a line, as a client that is given the same discovery.
func (f *found) append(line string) {
	f.t.Helper()
	if r := f.RunWith(line+"\n", "append", "--discovery", f.url); r.Code != 0 {
		f.t.Fatalf("append: %+v", r)
	}
}

// votes waits until these members vote, as the client sees it.
func (f *found) votes(ids ...int) {
	f.t.Helper()
	Eventually(f.t, fmt.Sprintf("members %v vote", ids), func() (bool, string) {
		r := f.Run("status", "--discovery", f.url, "--timeout", "2s")
		for _, id := range ids {
			row := ""
			for line := range strings.Lines(r.Stdout) {
				if strings.HasPrefix(line, fmt.Sprint(id)) {
					row = line
				}
			}
			if !strings.Contains(row, "VOTING") {
				return false, r.Stdout + r.Stderr
			}
		}
		return true, ""
	})
}

// moves has members move, one to a new place, and two each to where the other one was; the others, and nobody's list, are touched.
func (f *found) moves() {
	f.t.Helper()
	for i, address := range f.Addresses {
		f.at(i+1, address)
	}
	f.votes(1, 2, 3)
	f.append("one")
	f.Stop(3)
	f.at(3, FreePorts(f.t, 1)[0])
	f.votes(3)
	f.Kill(1) // the quorum now needs the member that moved
	f.append("two")
	f.Stop(2)
	f.at(2, f.Addresses[0])
	f.at(1, f.Addresses[1])
	f.votes(1, 2, 3)
	f.append("three")
	if r := f.Run("read", "--text", "--discovery", f.url); r.Stdout != "one\ntwo\nthree\n" {
		f.t.Errorf("read: %+v", r)
	}
	if r := f.Run("verify", "--discovery", f.url); r.Code != 0 {
		f.t.Errorf("verify: %+v", r)
	}
}

func TestMembersThatMoveAreFoundInAFile(t *testing.T) {
	t.Parallel()
	foundByFile(t, New(t, 3)).moves()
}

func TestMembersThatMoveAreFoundByAskingAllHosts(t *testing.T) {
	t.Parallel()
	hosts := FreePorts(t, 3)
	own := func(id int) string { return "?listen=" + hosts[id-1] }
	(&found{Cluster: New(t, 3), url: "automanaged://" + strings.Join(hosts, ",") + "/log", own: own, places: make(map[int]string)}).moves()
}

func TestMembersThatMoveAreFoundWithCertificates(t *testing.T) {
	t.Parallel()
	foundByFile(t, NewSecure(t, 3)).moves()
}

func TestClusterOutlivesADiscoveryThatLies(t *testing.T) {
	t.Parallel()
	f := foundByFile(t, New(t, 3))
	a := f.Addresses
	f.tell(map[int]string{1: a[1], 2: a[2], 3: "127.0.0.1:9"})
	for i := range a {
		f.StartMember(i+1, "--discovery", f.url)
	}
	f.votes(1, 2, 3)
	f.append("one")
	f.tell(map[int]string{1: a[2], 2: "127.0.0.1:9", 3: a[1]})
	f.Kill(2)
	f.append("two")
	f.StartMember(2, "--discovery", f.url)
	f.votes(1, 2, 3)
	if err := os.Remove(strings.TrimPrefix(f.url, "file://")); err != nil {
		t.Fatal(err)
	}
	f.Kill(1)
	f.append("three")
}

func TestMistakesAboutDiscoveryAreNamed(t *testing.T) {
	t.Parallel()
	c := New(t, 1)
	serve := "serve --id 1 --data " + c.Data(1)
	for args, says := range map[string]string{
		"status --discovery ftp://a/b":                        "nothing is known of \"ftp\"",
		"status --discovery file:places":                      "absolute path",
		"status --discovery dns:///":                          "name of the SRV records is missing",
		"status --discovery dns:///a?ofset=1":                 "\"ofset\" is none of its options",
		"status --discovery dns:///a?offset=x":                "is no number",
		"status --discovery dns:///a?every=5":                 "is no duration",
		"status --discovery etcd:///a":                        "a host is missing",
		"status --discovery etcd://a/b/c":                     "has a slash",
		"status --discovery consul://a,b/c":                   "there is one agent",
		"status --discovery etcd://a/b?cert=x":                "comes with its key",
		"status --discovery zk://user@a/b":                    "has a password",
		"status --discovery automanaged://a/b?listen=6330":    "is no HOST:PORT",
		"status --discovery automanaged://u@a/b":              "nobody is asked",
		"status --discovery k8s://a,b/c":                      "there is one API server",
		serve + " --announce a:1":                             "nothing to announce it to",
		serve + " --announce 0.0.0.0:1 --discovery file:///a": "names none",
	} {
		if r := c.Run(strings.Fields(args)...); r.Code != 2 || !strings.Contains(r.Stderr, says) {
			t.Errorf("quorumlog %s: %+v", args, r)
		}
	}
}
