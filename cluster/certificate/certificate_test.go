package certificate

import (
	"crypto/x509"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/log"
)

func TestIdentitiesAreReadAsTheyAreWritten(t *testing.T) {
	for _, r := range []struct {
		who Identity
		uri string
	}{
		{Identity{Cluster: "quorumlog", Role: Member, Member: 3}, "quorumlog://quorumlog/member/3"},
		{Identity{Cluster: "Blue_1.x", Role: Client, Name: "billing"}, "quorumlog://Blue_1.x/client/billing"},
		{Identity{Cluster: "b", Role: Reader, Name: "audit.2"}, "quorumlog://b/reader/audit.2"},
	} {
		if r.who.URI().String() != r.uri {
			t.Errorf("%s is written as %s", r.who, r.who.URI())
		}
		made := issued(t, newAuthority(t, r.who.Cluster), r.who, time.Now(), 1)
		if got, err := Of(leaf(t, made)); err != nil || got != r.who {
			t.Errorf("%s is read as %v, %v", r.who, got, err)
		}
	}
}

func TestURIsThatNameNobodyAreRefused(t *testing.T) {
	for _, text := range []string{
		"quorumlog://b/member/0", "quorumlog://b/member/65536", "quorumlog://b/member/01", "quorumlog://b/member/", "quorumlog://b/member/x",
		"quorumlog://b/member/1/2", "quorumlog://b/voter/1", "quorumlog:///member/1", "quorumlog://b", "quorumlog://b/client/",
		"quorumlog://b/client/a/b", "quorumlog://b/client/a?b", "quorumlog://b/client/a%20b", "quorumlog://x@b/member/1",
		"quorumlog://b:1/member/1", "quorumlog://a..b/member/1",
	} {
		uri, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if who, err := Of(&x509.Certificate{URIs: []*url.URL{uri}}); err == nil {
			t.Errorf("%s names %s", text, who)
		}
	}
}

func TestACertificateNamesOneHolder(t *testing.T) {
	one, two := Identity{Cluster: "b", Role: Member, Member: 1}.URI(), Identity{Cluster: "b", Role: Member, Member: 2}.URI()
	for _, uris := range [][]*url.URL{nil, {one, two}, {one, one}, {{Scheme: "spiffe", Host: "b", Path: "/member/1"}}} {
		if who, err := Of(&x509.Certificate{URIs: uris}); err == nil {
			t.Errorf("%v name %s", uris, who)
		}
	}
}

func TestAnAuthoritySignsForItsOwnClusterOnly(t *testing.T) {
	if _, err := newAuthority(t, "blue").Issue(member(3, "green"), time.Now(), 1); err == nil || !strings.Contains(err.Error(), "cluster blue's") {
		t.Error(err)
	}
}

func TestAnExpiredAuthoritySignsNothing(t *testing.T) {
	old, err := NewAuthority("b", time.Now().Add(-48*time.Hour), 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := old.Issue(member(1, "b"), time.Now(), 1); err == nil || !strings.Contains(err.Error(), "quorumlog cert ca") {
		t.Error(err)
	}
}

func TestAMembersCertificateSignsNothing(t *testing.T) {
	made := issued(t, newAuthority(t, "b"), member(1, "b"), time.Now(), 1)
	if _, err := made.Issue(member(2, "b"), time.Now(), 1); err == nil || !strings.Contains(err.Error(), "no authority's") {
		t.Error(err)
	}
}

func TestACertificateEndsWithItsAuthority(t *testing.T) {
	authority, err := NewAuthority("b", time.Now(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if made := leaf(t, issued(t, authority, member(1, "b"), time.Now(), 10)); !made.NotAfter.Equal(leaf(t, authority).NotAfter) {
		t.Errorf("it ends at %s", made.NotAfter)
	}
}

func TestNamesAndDaysThatCannotBeAreRefused(t *testing.T) {
	for _, name := range []string{"", "a b", ".a", "a.", "a/b", strings.Repeat("a", 129), "ä"} {
		if _, err := NewAuthority(name, time.Now(), 1); err == nil {
			t.Errorf("an authority of %q was made", name)
		}
	}
	for _, days := range []int{-1, 0, 36501} {
		if _, err := NewAuthority("b", time.Now(), days); err == nil {
			t.Errorf("an authority for %d days was made", days)
		}
	}
}

func TestKeysAreForTheOwnerOnlyAndNothingIsReplaced(t *testing.T) {
	paths := In(filepath.Join(t.TempDir(), "new"), "ca")
	first := newAuthority(t, "b")
	if err := paths.Write(first); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(paths.Key); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	for _, gone := range []string{"", paths.Key, paths.Certificate} {
		if gone != "" {
			if err := os.Remove(gone); err != nil {
				t.Fatal(err)
			}
		}
		if err := paths.Write(newAuthority(t, "b")); err == nil || !strings.Contains(err.Error(), "is not replaced") {
			t.Errorf("without %q: %v", gone, err)
		}
		if gone == "" {
			if got, err := paths.Read(); err != nil || string(got.Key) != string(first.Key) {
				t.Errorf("something was replaced: %v", err)
			}
			continue
		}
		if err := os.WriteFile(gone, map[string][]byte{paths.Key: first.Key, paths.Certificate: first.Certificate}[gone], 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAKeyOfAnotherCertificateIsNamed(t *testing.T) {
	one, two := newAuthority(t, "b"), newAuthority(t, "b")
	paths := In(t.TempDir(), "ca")
	if err := paths.Write(Pair{one.Certificate, two.Key}); err != nil {
		t.Fatal(err)
	}
	if _, err := paths.Read(); err == nil || !strings.Contains(err.Error(), "is not that of the certificate") {
		t.Error(err)
	}
}

func newAuthority(t *testing.T, cluster string) Pair {
	t.Helper()
	pair, err := NewAuthority(cluster, time.Now(), 1)
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

func issued(t *testing.T, authority Pair, who Identity, now time.Time, days int) Pair {
	t.Helper()
	pair, err := authority.Issue(who, now, days)
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

func leaf(t *testing.T, p Pair) *x509.Certificate {
	t.Helper()
	all, err := Parse(p.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	return all[0]
}

func member(id int, cluster string) Identity {
	return Identity{Cluster: cluster, Role: Member, Member: log.ReplicaID(id)}
}
