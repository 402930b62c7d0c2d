package certificate_test

import (
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/quorumlog/quorumlog/cluster/certificate"
)

// An authority signs for a member and a client; the member then knows who talks to it. quorumlog cert does the same.
func Example() {
	dir, err := os.MkdirTemp("", "certs")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // a temporary directory: nothing is lost if it stays
	now := time.Now()
	authority, err := certificate.NewAuthority("blue", now, certificate.AuthorityDays)
	if err != nil {
		panic(err)
	}
	issue(authority, certificate.Identity{Cluster: "blue", Role: certificate.Member, Member: 3}, certificate.In(dir, "member-3"))
	client := issue(authority, certificate.Identity{Cluster: "blue", Role: certificate.Reader, Name: "audit"}, certificate.In(dir, "audit"))
	if err := os.WriteFile(filepath.Join(dir, "ca.crt"), authority.Certificate, 0o600); err != nil {
		panic(err)
	}

	keys, err := certificate.Open(certificate.Files{CA: filepath.Join(dir, "ca.crt"), Paths: certificate.In(dir, "member-3")},
		func(*certificate.Credentials, error) {}) // a program logs what becomes of a change
	if err != nil {
		panic(err)
	}
	fmt.Println(keys.Current().Own.URI())
	fmt.Println(keys.Current().Verify(client, now))
	_, err = keys.Current().Verify(client, now.AddDate(2, 0, 0)) // it has expired
	fmt.Println(err != nil)
	// Output:
	// quorumlog://blue/member/3
	// reader audit of cluster blue <nil>
	// true
}

// issue makes a certificate for somebody, writes it, and returns what is shown of it.
func issue(authority certificate.Pair, who certificate.Identity, to certificate.Paths) []*x509.Certificate {
	pair, err := authority.Issue(who, time.Now(), certificate.HolderDays)
	if err != nil {
		panic(err)
	}
	if err := to.Write(pair); err != nil {
		panic(err)
	}
	shown, err := certificate.Parse(pair.Certificate)
	if err != nil {
		panic(err)
	}
	return shown
}
