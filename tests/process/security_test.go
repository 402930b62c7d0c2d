package process

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/cluster"
	"github.com/quorumlog/quorumlog/cluster/certificate"
	"github.com/quorumlog/quorumlog/log"
)

func TestTheProgramWorksWithCertificates(t *testing.T) {
	c := NewSecure(t, 3)
	c.StartAll()
	if r := c.RunWith("one\ntwo\n", "append"); r.Code != 0 || r.Stdout != "1\n2\n" {
		t.Fatalf("append: %+v", r)
	}
	c.Kill(3)
	c.Wipe(3)
	c.StartMember(3)
	c.WaitVoting(1, 2, 3)
	for _, args := range []string{"status", "verify"} {
		if r := c.Run(args); r.Code != 0 {
			t.Errorf("%s: %+v", args, r)
		}
	}
	if r := c.Run("read", "--text"); r.Code != 0 || r.Stdout != "one\ntwo\n" {
		t.Errorf("read: %+v", r)
	}
	if r := c.Run("truncate", "--to", "2"); r.Code != 0 {
		t.Errorf("truncate: %+v", r)
	}
}

func TestAReaderReadsAndChangesNothing(t *testing.T) {
	c := NewSecure(t, 1)
	c.StartAll()
	c.cert("client", "--name", "audit", "--read-only")
	if r := c.RunWith("one\n", "append"); r.Code != 0 {
		t.Fatalf("append: %+v", r)
	}
	as := c.shows("client-audit")
	for _, args := range [][]string{{"status"}, {"verify"}, {"read", "--text"}} {
		if r := c.Run(append(args, as...)...); r.Code != 0 {
			t.Errorf("%v: %+v", args, r)
		}
	}
	for _, args := range [][]string{{"append"}, {"truncate", "--to", "1"}} {
		if r := c.RunWith("two\n", append(args, as...)...); r.Code != 1 || !strings.Contains(r.Stderr, "may only read") {
			t.Errorf("%v: %+v", args, r)
		}
	}
	if r := c.Run("read", "--text"); r.Stdout != "one\n" {
		t.Errorf("read: %+v", r)
	}
}

func TestMistakesWithCertificatesAreNamed(t *testing.T) {
	c := NewSecure(t, 1)
	c.StartAll()
	expired := c.expired()
	spare, far := c.Data(9), " --members 1=10.0.0.1:7101"
	one := strings.Join(c.shows("member-1"), " ")
	c.cert("member", "--id", "2")
	c.cert("client", "--name", "green", "--cluster", "quorumlog")
	for _, r := range []struct {
		args string
		code int
		says string
	}{
		{"serve --id 1 --data " + spare + far, 2, "quorumlog cert"},
		{"serve --id 1 --insecure --data " + spare + " " + one, 2, "choose one"},
		{"serve --id 1 --data " + spare + " --tls-ca " + c.file("ca.crt"), 2, "three files"},
		{"serve --id 1 --data " + spare + " " + strings.Join(c.shows("member-2"), " "), 1, "give its own (quorumlog cert member)"},
		{"serve --id 1 --data " + spare + " --cluster blue " + one, 1, "this process is member 1 of cluster blue"},
		{"serve --id 1 --data " + spare + " " + strings.Join(c.shows("absent"), " "), 1, "no such file"},
		{"serve --id 1 --data " + spare + " " + expired, 1, "expired at"},
		{"status " + expired, 1, "expired at"},
		{"status " + one, 1, "give a client's (quorumlog cert client)"},
		{"status --tls-key " + c.file("ca.key"), 1, "is not that of the certificate"},
		{"status --insecure", 2, "choose one"},
		{"status --tls-ca= ", 2, "three files"},
		{"cert ca --dir " + c.certs, 1, "is not replaced"},
		{"cert member --dir " + c.certs + " --id 1", 1, "is not replaced"},
		{"cert member --dir " + c.certs, 2, "say with --id"},
		{"cert client --dir " + c.certs, 2, "cannot be in a certificate"},
		{"cert client --name x --dir " + spare, 1, "quorumlog cert ca"},
		{"cert client --name x --cluster green --dir " + c.certs, 2, "cluster quorumlog's"},
		{"cert show " + c.file("ca.key"), 1, "no certificate"},
		{"cert show " + c.file("absent"), 1, "no such file"},
		{"cert show " + strings.Fields(expired)[3], 1, "not valid now: member 1 of cluster quorumlog"},
	} {
		if got := c.Run(strings.Fields(r.args)...); got.Code != r.code || !strings.Contains(got.Stderr, r.says) {
			t.Errorf("%s: %+v, expected %d and %q", r.args, got, r.code, r.says)
		}
	}
	if _, err := os.Stat(spare); err == nil {
		t.Error("a mistake made a data directory")
	}
}

// expired makes a certificate of member 1 that has expired, and returns the flags that show it.
func (c *Cluster) expired() string {
	c.t.Helper()
	authority, err := certificate.In(c.certs, "ca").Read()
	if err != nil {
		c.t.Fatal(err)
	}
	who := certificate.Identity{Cluster: cluster.DefaultCluster, Role: certificate.Member, Member: 1}
	pair, err := authority.Issue(who, time.Now().Add(-48*time.Hour), 1)
	if err != nil {
		c.t.Fatal(err)
	}
	paths := certificate.In(filepath.Join(c.Dir, "expired"), "old")
	if err := paths.Write(pair); err != nil {
		c.t.Fatal(err)
	}
	return "--tls-ca " + c.file("ca.crt") + " --tls-cert " + paths.Certificate + " --tls-key " + paths.Key
}

// Whoever has no certificate, or one that the members do not believe, is told so by the command, and by their log.
func TestStrangersAndMembersSayWhyTheyDoNotTalk(t *testing.T) {
	c := NewSecure(t, 1)
	c.StartAll()
	plain, other := New(t, 1), New(t, 1)
	plain.Members = c.Members
	other.cert("ca")
	other.cert("client", "--name", "test")
	shows := func(ca string) []string {
		return []string{"status", "--tls-ca", ca, "--tls-cert", other.file("client-test.crt"), "--tls-key", other.file("client-test.key")}
	}
	for _, r := range []struct {
		who  *Cluster
		args []string
		says string
	}{
		{plain, []string{"status"}, "it speaks TLS"},
		{c, shows(other.file("ca.crt")), "is no authority in"},
		{c, shows(c.mixed(other)), "it does not believe this process's certificate"},
	} {
		if got := r.who.Run(r.args...); got.Code != 3 || !strings.Contains(got.Stdout, r.says) {
			t.Errorf("%v: %+v, expected %q", r.args, got, r.says)
		}
	}
	for _, says := range []string{"it speaks no TLS", "is no authority in"} {
		if log := c.running[1].Stderr.String(); !strings.Contains(log, says) {
			t.Errorf("the member does not log %q:\n%s", says, log)
		}
	}
}

// mixed is a file with the authorities of two clusters.
func (c *Cluster) mixed(other *Cluster) string {
	c.t.Helper()
	var both []byte
	for _, path := range []string{c.file("ca.crt"), other.file("ca.crt")} {
		text, err := os.ReadFile(path)
		if err != nil {
			c.t.Fatal(err)
		}
		both = append(both, text...)
	}
	path := filepath.Join(c.Dir, "both.crt")
	if err := os.WriteFile(path, both, 0o600); err != nil {
		c.t.Fatal(err)
	}
	return path
}

// All certificates are renewed while entries are appended, one after the other and all at once: no append fails, or is lost.
func TestCertificatesAreRenewedUnderLoad(t *testing.T) {
	c := NewSecure(t, 3)
	c.StartAll()
	members, err := cluster.ParseMembers(c.Members)
	if err != nil {
		t.Fatal(err)
	}
	client, err := cluster.DialSecurely(t.Context(), members, cluster.Security{
		CA: c.file("ca.crt"), Certificate: c.file("client-test.crt"), Key: c.file("client-test.key"),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close() //nolint:errcheck // it returns nil
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	load := newAppends(ctx, client, 8)
	load.wait(t, 500)
	for round := 1; round <= 2; round++ {
		for id := 1; id <= 3; id++ {
			c.renew(fmt.Sprintf("member-%d", id), "member", "--id", fmt.Sprint(id))
		}
		c.renew("client-test", "client", "--name", "test")
		for id := 1; id <= 3; id++ {
			c.awaitLog(id, "the new certificates count from now on", round)
		}
		load.wait(t, 2000)
	}
	cancel()
	load.check(t, client)
}

// awaitLog waits until a member has logged something so many times.
func (c *Cluster) awaitLog(id int, says string, times int) {
	c.t.Helper()
	Eventually(c.t, fmt.Sprintf("member %d logs that %s, %d times", id, says, times), func() (bool, string) {
		text := c.running[id].Stderr.String()
		return strings.Count(text, says) >= times, text
	})
}

// appends is a load, and what became of it.
type appends struct {
	count atomic.Int64
	done  chan appended
	loads int
}

// appended is what one goroutine has appended, by position, and the error that ended it.
type appended struct {
	entries map[log.Position]string
	err     error
}

func newAppends(ctx context.Context, client *cluster.Client, loads int) *appends {
	a := &appends{done: make(chan appended, loads), loads: loads}
	for i := range loads {
		go func() {
			all := appended{entries: make(map[log.Position]string)}
			for n := 0; ctx.Err() == nil && all.err == nil; n++ {
				entry := fmt.Sprintf("%d-%d", i, n)
				at, err := client.Append(context.WithoutCancel(ctx), []byte(entry))
				all.entries[at], all.err = entry, err
				a.count.Add(1)
			}
			a.done <- all
		}()
	}
	return a
}

// wait waits until so many more were appended.
func (a *appends) wait(t *testing.T, more int64) {
	t.Helper()
	target := a.count.Load() + more
	Eventually(t, fmt.Sprintf("%d entries are appended", target), func() (bool, string) {
		return a.count.Load() >= target, fmt.Sprint(a.count.Load())
	})
}

// check ends the load: every append was acknowledged, and is in the log where it was said to be.
func (a *appends) check(t *testing.T, client *cluster.Client) {
	t.Helper()
	all := make(map[log.Position]string)
	for range a.loads {
		one := <-a.done
		if one.err != nil {
			t.Errorf("an append failed: %v", one.err)
		}
		for at, entry := range one.entries {
			all[at] = entry
		}
	}
	reader := client.ReaderOf(1)
	end, err := reader.Catchup(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for entry, err := range reader.Read(t.Context(), 1, end) {
		if err != nil {
			t.Fatal(err)
		}
		if all[entry.Position] == string(entry.Data) {
			found++
		}
	}
	if found != len(all) {
		t.Errorf("%d entries were acknowledged, and %d are there", len(all), found)
	}
	t.Logf("%d entries", found)
}
