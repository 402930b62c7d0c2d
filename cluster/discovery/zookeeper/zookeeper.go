// Package zookeeper is a discovery in ZooKeeper.
//
//	/protoactor/NAME/_c_..-actor-0000000007  {"id":"3","host":"10.0.0.7","port":7101,...}    ephemeral, of the member's session
//
// That is what protoactor's cluster provider for ZooKeeper writes. The provider itself cannot be started without a cluster of
// protoactor. Mesos' members are found in the same way, but there whoever is found votes.
//
//	zookeeper.go   what is written there, and read
//	session.go     the session in which it is
package zookeeper

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-zookeeper/zk"

	"github.com/quorumlog/quorumlog/cluster/discovery"
)

// most is how many bytes an answer may have: as in ZooKeeper itself.
const most = 1 << 20

// Source is a node of ZooKeeper whose children are places.
type Source struct {
	Servers []string // host:port
	Name    string   // of the log; the node is /protoactor/NAME
	Digest  string   // user:password, with which the sessions are begun; empty: none. Others may then read, and not write
}

var _ discovery.Source = (*Source)(nil)

// above is the node above those of all logs.
const above = "/protoactor"

func (s *Source) dir() string { return above + "/" + s.Name }

// acl says that everybody may read, and, of those who do not know the password, who else may do what.
func (s *Source) acl(others int32) []zk.ACL {
	if user, password, found := strings.Cut(s.Digest, ":"); found {
		return append(zk.DigestACL(zk.PermAll, user, password), zk.WorldACL(zk.PermRead|others)...)
	}
	return zk.WorldACL(zk.PermAll)
}

// Announce implements discovery.Source.
func (s *Source) Announce(ctx context.Context, own discovery.Place) error {
	text, err := discovery.Marshal(own)
	if err != nil {
		return err
	}
	conn, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer conn.end()
	if err := s.makeDir(conn); err != nil {
		return err
	}
	path, err := conn.CreateProtectedEphemeralSequential(s.dir()+"/actor-", text, s.acl(0))
	if err != nil {
		return fmt.Errorf("write into %s of ZooKeeper: %w", s.dir(), err)
	}
	for {
		there, _, changed, err := conn.ExistsW(path)
		if err != nil {
			return fmt.Errorf("look for %s in ZooKeeper: %w", path, err)
		}
		if !there {
			return fmt.Errorf("%s is not in ZooKeeper any more", path)
		}
		if err := conn.until(ctx, changed); err != nil {
			return err
		}
	}
}

// makeDir makes the node of the log, below the one of all logs, where others may make theirs.
func (s *Source) makeDir(conn *session) error {
	for _, node := range []struct {
		path   string
		others int32
	}{{above, zk.PermCreate}, {s.dir(), 0}} {
		if _, err := conn.Create(node.path, nil, 0, s.acl(node.others)); err != nil && !errors.Is(err, zk.ErrNodeExists) {
			return fmt.Errorf("make %s in ZooKeeper: %w", node.path, err)
		}
	}
	return nil
}

// Watch implements discovery.Source. That nobody has announced anything yet is no error.
func (s *Source) Watch(ctx context.Context, found func(discovery.Places)) error {
	conn, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer conn.end()
	for {
		names, changed, err := s.list(conn)
		if err != nil {
			return fmt.Errorf("read %s of ZooKeeper: %w", s.dir(), err)
		}
		places, err := s.read(conn, names)
		if err != nil {
			return err
		}
		found(places)
		if err := conn.until(ctx, changed); err != nil {
			return err
		}
	}
}

// list returns the names of the places, and what is closed, or tells, once there are others.
func (s *Source) list(conn *session) ([]string, <-chan zk.Event, error) {
	for {
		names, _, changed, err := conn.ChildrenW(s.dir())
		if !errors.Is(err, zk.ErrNoNode) {
			return names, changed, err
		}
		there, _, made, err := conn.ExistsW(s.dir())
		if err != nil || !there { // where it was made just now, that is no watch of its children
			return nil, made, err
		}
	}
}

// read reads the places, the newest first: that of a process that was killed stays for a while.
func (s *Source) read(conn *session, names []string) (discovery.Places, error) {
	slices.SortFunc(names, func(a, b string) int { return cmp.Compare(sequence(b), sequence(a)) })
	places := make(discovery.Places)
	for _, name := range names[:min(len(names), discovery.MaxMembers)] {
		text, _, err := conn.Get(s.dir() + "/" + name)
		if errors.Is(err, zk.ErrNoNode) {
			continue // it went just now
		}
		if err != nil {
			return nil, fmt.Errorf("read %s of ZooKeeper: %w", name, err)
		}
		if at, err := discovery.Unmarshal(text); err == nil { // what others keep there is none of ours
			places.Add(at)
		}
	}
	return places, nil
}

// sequence is what ZooKeeper counts the children with.
func sequence(name string) string { return name[strings.LastIndex(name, "-")+1:] }
