package tidy

import (
	"slices"
	"strings"
)

// order is the line of rooms: each imports only rooms to its left. Tests may open any door.
func order() []string { return []string{"messages", "log", "actors", "cluster", "cmd", "tests"} }

// pure lists the packages that are functions of their arguments: no I/O, clock, randomness, goroutine or logger.
func pure() []string {
	return []string{
		"log", "log/digest", "log/identity", "log/interval", "log/invariant", "log/journal", "log/ledger", "log/membership", "log/paxos", "log/sessions", "log/status",
	}
}

// impure lists the parts of the standard library that a pure package may not touch.
func impure() []string {
	return []string{
		"context", "crypto/rand", "database", "io/ioutil", "log", "math/rand", "net", "os", "runtime", "sync", "syscall",
		"testing", "time",
	}
}

// outside lists what an actor may not reach for: the world comes to it as messages, the clock and chance as a timer.
func outside() []string {
	return []string{"crypto/rand", "io/ioutil", "math/rand", "net", "os", "syscall", "testing"}
}

const (
	protobuf   = "google.golang.org/protobuf"
	protoactor = "github.com/asynkron/protoactor-go"
	zerolog    = "github.com/rs/zerolog"
	rates      = "golang.org/x/time/rate"
	otel       = "go.opentelemetry.io/otel"
)

// door is what the packages of a directory, and those below it without a door of their own, may import.
type door struct {
	dir       string
	own       []string // packages of this repository; "x/..." is x and everything below it
	foreign   []string // other modules, with everything below them
	forbidden []string // parts of the standard library, with everything below them
}

func doors() []door {
	storage := append(pure(), "log/storage")
	spoken := append(slices.Clone(storage), "log/codec", "messages", "actors/...")
	placed := []string{"messages", "log/...", "actors/...", "cluster/..."}
	return []door{
		{dir: "messages", foreign: []string{protobuf}},
		{dir: "log", own: pure(), forbidden: impure()},
		{dir: "log/codec", own: append(pure(), "messages"), foreign: []string{protobuf}, forbidden: impure()},
		{dir: "log/storage", own: append(pure(), "log/storage/..."), forbidden: []string{"net"}},
		{
			dir:     "log/storage/disk",
			own:     append(slices.Clone(storage), "log/codec", "messages"),
			foreign: []string{"github.com/cockroachdb", "golang.org/x/sys", protobuf, zerolog}, forbidden: []string{"net"},
		},
		{
			dir: "log/storage/backup", own: append(slices.Clone(storage), "log/codec", "messages"),
			foreign: []string{protobuf}, forbidden: []string{"net"},
		},
		{dir: "actors", own: spoken, foreign: []string{protoactor, protobuf, zerolog, rates}, forbidden: outside()},
		{dir: "actors/timer", own: pure(), foreign: []string{protoactor}, forbidden: []string{"net", "os"}},
		{
			dir: "actors/persistence/providertest", own: append(slices.Clone(spoken), "log/storage/..."),
			foreign: []string{protoactor, protobuf}, forbidden: []string{"net"},
		},
		{
			dir: "actors/actortest", own: append(slices.Clone(spoken), "log/storage/..."),
			foreign: []string{protoactor, protobuf, zerolog, rates}, forbidden: []string{"net"},
		},
		{
			dir: "actors/actortest/history/linear", own: append(slices.Clone(spoken), "log/storage/..."),
			foreign: []string{"github.com/anishathalye/porcupine"}, forbidden: []string{"net"},
		},
		{dir: "cluster", own: placed, foreign: []string{
			protoactor, protobuf, zerolog, rates, otel + "/attribute", otel + "/codes", otel + "/metric", otel + "/trace",
			"github.com/prometheus", "golang.org/x/sync", "google.golang.org/grpc",
		}},
		{dir: "cluster/discovery", own: []string{"cluster/discovery/...", "log"}, foreign: []string{
			zerolog, "golang.org/x/net/netutil", "github.com/go-zookeeper/zk", "github.com/hashicorp/consul/api", "go.etcd.io/etcd/client/v3", "go.uber.org/zap",
		}},
		{dir: "cmd", own: append(placed, "cmd/..."), foreign: []string{
			zerolog, otel, "github.com/goccy/go-yaml", "github.com/mattn", "github.com/prometheus", "github.com/schollz",
			"github.com/spf13", "golang.org/x",
		}},
	}
}

// doorOf is the door of the nearest directory above; false where the room does not exist.
func doorOf(dir string) (door, bool) {
	nearest, found := door{}, false
	for _, d := range doors() {
		if under(dir, d.dir) && len(d.dir) > len(nearest.dir) {
			nearest, found = d, true
		}
	}
	return nearest, found
}

func arrowRules() []rule {
	return []rule{
		{claim: "every package is in a room", check: roomsExist, bad: []sample{
			{"internal/a.go", "package internal\n"},
			{"a.go", "package quorumlog\n"},
			{"log/util/a.go", "package util\n"},
			{"cluster/helpers/a.go", "package helpers\n"},
		}, good: []sample{{"log/paxos/a.go", "package paxos\n"}, {"tests/process/a_test.go", "package process\n"}}},
		{claim: "a room imports only rooms to its left", check: arrows, bad: []sample{
			{"messages/doc.go", importing("messages", module+"log")},
			{"log/codec/a.go", importing("codec", module+"actors/replica")},
			{"log/paxos/a_test.go", importing("paxos", module+"cluster")},
			{"actors/replica/a.go", importing("replica", module+"log/storage/disk")},
			{"log/paxos/a.go", importing("paxos", module+"log/storage")},
			{"cluster/a.go", importing("cluster", module+"cmd/quorumlog")},
			{"cluster/b.go", importing("cluster", module+"tests/tidy")},
		}, good: []sample{
			{"actors/replica/a.go", importing("replica", module+"log/paxos")},
			{"actors/replica/a_test.go", importing("replica", module+"log/storage/memory")},
			{"tests/process/a.go", importing("process", module+"cmd/quorumlog")},
		}},
		{claim: "a room uses only the libraries it needs", check: libraries, bad: []sample{
			{"log/paxos/a.go", importing("paxos", zerolog)},
			{"log/codec/a.go", importing("codec", protoactor+"/actor")},
			{"actors/replica/a.go", importing("replica", "github.com/cockroachdb/pebble/v2")},
			{"cmd/quorumlog/a.go", importing("main", protoactor+"/actor")},
		}, good: []sample{
			{"log/storage/disk/a.go", importing("disk", "github.com/cockroachdb/pebble/v2")},
			{"log/paxos/a_test.go", importing("paxos", "pgregory.net/rapid")},
		}},
		{claim: "a rule does not touch the world", check: purity, bad: []sample{
			{"log/paxos/a.go", importing("paxos", "math/rand/v2")},
			{"log/status/a.go", importing("status", "os")},
			{"actors/replica/a.go", importing("replica", "net/http")},
			{"actors/round/a.go", importing("round", "math/rand")},
		}, good: []sample{
			{"log/paxos/a_test.go", importing("paxos", "math/rand/v2")},
			{"actors/timer/a.go", importing("timer", "math/rand/v2")},
		}},
		{claim: "test kits stay in tests", check: kits, bad: []sample{
			{"cluster/a.go", importing("cluster", module+"actors/actortest")},
			{"actors/replica/a.go", importing("replica", module+"actors/actortest")},
		}, good: []sample{{"actors/replica/a_test.go", importing("replica", module+"actors/actortest")}}},
	}
}

func importing(name, what string) string {
	return "package " + name + "\n\nimport _ \"" + what + "\"\n"
}

func roomsExist(t tree) (faults []string) {
	vague := []string{"common", "helper", "helpers", "misc", "pkg", "util", "utils"}
	for _, f := range t.goFiles() {
		if _, found := doorOf(f.dir()); !found && f.room() != "tests" {
			faults = append(faults, f.fault(f.code.Name.Pos(), "no room called %q; the rooms are %s",
				f.dir(), strings.Join(order(), ", ")))
		}
		for _, part := range strings.Split(f.dir(), "/") {
			if slices.Contains(vague, part) {
				faults = append(faults, f.fault(f.code.Name.Pos(), "%q says nothing; name the package after what it does", part))
			}
		}
	}
	return faults
}

func arrows(t tree) (faults []string) {
	for _, f := range t.goFiles() {
		for _, i := range f.imports() {
			own, isOwn := strings.CutPrefix(i.path, module)
			if isOwn && !mayKnow(f, own) {
				faults = append(faults, f.fault(i.at, "%s must not know %s; the arrows are in tests/tidy/arrows_test.go",
					f.dir(), own))
			}
		}
	}
	return faults
}

// mayKnow says whether a file may import a package of this repository. A test stands in its room, with the libraries and
// the neighbours it likes.
func mayKnow(f file, own string) bool {
	if f.isTest() {
		return slices.Index(order(), room(own)) <= slices.Index(order(), f.room())
	}
	d, _ := doorOf(f.dir())
	return slices.ContainsFunc(d.own, func(pattern string) bool {
		if dir, below := strings.CutSuffix(pattern, "/..."); below {
			return under(own, dir)
		}
		return own == pattern
	})
}

func libraries(t tree) (faults []string) {
	for _, f := range t.goFiles() {
		d, _ := doorOf(f.dir())
		for _, i := range f.imports() {
			isForeign := strings.Contains(room(i.path), ".") && !strings.HasPrefix(i.path, module)
			if isForeign && !f.isTest() && !under(i.path, d.foreign...) {
				faults = append(faults, f.fault(i.at, "%s must not use %s; it may use: %s",
					f.dir(), i.path, strings.Join(d.foreign, ", ")))
			}
		}
	}
	return faults
}

func purity(t tree) (faults []string) {
	for _, f := range t.goFiles() {
		d, _ := doorOf(f.dir())
		why := "the world comes to it as messages, clock and chance through actors/timer"
		if d.dir == "log" || d.dir == "log/codec" {
			why = "a rule is a function of its arguments; hand it what it needs"
		}
		for _, i := range f.imports() {
			if !f.isTest() && under(i.path, d.forbidden...) {
				faults = append(faults, f.fault(i.at, "%s must not import %q: %s", f.dir(), i.path, why))
			}
		}
	}
	return faults
}

func kits(t tree) (faults []string) {
	testKits := []string{"actors/actortest", "log/storage/storagetest"}
	for _, f := range t.goFiles() {
		for _, i := range f.imports() {
			if !f.isTest() && !under(f.dir(), testKits...) && under(strings.TrimPrefix(i.path, module), testKits...) {
				faults = append(faults, f.fault(i.at, "%s is for tests; the program must not need it", i.path))
			}
		}
	}
	return faults
}
