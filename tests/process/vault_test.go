package process

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/quorumlog/quorumlog/actors/persistence"
	"github.com/quorumlog/quorumlog/cluster"
	"github.com/quorumlog/quorumlog/log"
)

// A vault is a program that embeds a member in its own actor system, with a remote of its own, and keeps persistent actors in
// the log. It is this test's own binary, and does what it is ordered on stdin: see vaults_test.go.
const vaultVariable = "QUORUMLOG_TEST_VAULT" // ID DIRECTORY MEMBERS; a process that has it is a vault

// order is what a vault is asked, and word what it answers, a line of JSON each.
type (
	order struct {
		Number int    // of the order; its answer repeats it
		Do     string // "activate" or "write"
		Owner  string // the persistence id
		Event  string // of a write
	}
	word struct {
		Number     int          // of the order; 0 is said once the process votes
		Activation log.Position // once an actor is activated
		Replay     []string     // what its state was made of then
		Index      uint64       // of what was written
		Error      string       // empty: it is done
		Fenced     bool         // the error is an ErrFenced
		Sure       bool         // what was written is not in the journal, and never will be
	}
)

// clerk is a persistent actor whose state is the list of its events.
type clerk struct {
	persistence.Mixin
	owner  string
	events []string
	lost   error
}

type (
	replay struct{}
	write  struct{ event string }
)

func (a *clerk) PersistenceID(actor.Context) string { return a.owner }
func (a *clerk) Apply(event proto.Message)          { a.events = append(a.events, text(event)) }
func (a *clerk) Restore(state proto.Message)        { a.events = strings.Fields(text(state)) }
func (a *clerk) State() proto.Message               { return wrapperspb.String(strings.Join(a.events, " ")) }

func text(m proto.Message) string { return m.(*wrapperspb.StringValue).GetValue() }

// Receive implements actor.Actor.
func (a *clerk) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case persistence.Lost:
		a.lost = m.Err
	case replay:
		if a.lost != nil {
			ctx.Respond(refusal(a.lost))
			return
		}
		ctx.Respond(word{Activation: a.Journal().Activation(), Replay: append([]string{}, a.events...)})
	case write:
		index := a.Journal().Next()
		if err := a.Persist(ctx, wrapperspb.String(m.event)); err != nil {
			ctx.Respond(refusal(err))
			return
		}
		ctx.Respond(word{Index: index})
	}
}

func refusal(err error) word {
	fenced := errors.Is(err, persistence.ErrFenced)
	return word{Error: err.Error(), Fenced: fenced, Sure: fenced || errors.Is(err, persistence.ErrOrder)}
}

// vault is the program.
type vault struct {
	root     *actor.RootContext
	provider *persistence.Provider
	mu       sync.Mutex
	clerks   map[string]*actor.PID
	out      *json.Encoder
}

// runVault is the program's main.
func runVault(setting string, in io.Reader, out io.Writer) error {
	var id uint16
	var data, list string
	if _, err := fmt.Sscan(setting, &id, &data, &list); err != nil {
		return fmt.Errorf("%s=%q: %w", vaultVariable, setting, err)
	}
	members, err := cluster.ParseMembers(list)
	if err != nil {
		return err
	}
	host, port, err := net.SplitHostPort(members[id-1].Address)
	if err != nil {
		return err
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return err
	}
	system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }))
	r := remote.NewRemote(system, remote.Configure(host, number))
	r.Start()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	node, err := cluster.Start(ctx, cluster.Config{
		ID: log.ReplicaID(id), Data: data, Members: members, AutoInitialize: true, AutoElect: true, System: system,
	})
	if err != nil {
		return err
	}
	if err := node.Recovered(ctx); err != nil {
		return err
	}
	v := &vault{
		root: system.Root, clerks: map[string]*actor.PID{}, out: json.NewEncoder(out),
		provider: node.Persist(cluster.PersistenceConfig{SnapshotEvery: 20, TruncateEvery: 100}).Provider,
	}
	v.say(word{}) // it is there
	return v.serve(in)
}

// serve obeys until nobody orders any more.
func (v *vault) serve(in io.Reader) error {
	for orders := json.NewDecoder(in); ; {
		var o order
		if err := orders.Decode(&o); err != nil {
			return err
		}
		go func() {
			answer := v.obey(o)
			answer.Number = o.Number
			v.say(answer)
		}()
	}
}

func (v *vault) say(w word) {
	v.mu.Lock()
	defer v.mu.Unlock()
	_ = v.out.Encode(w) // whoever does not listen any more has ended
}

func (v *vault) obey(o order) word {
	if o.Do == "activate" {
		props := actor.PropsFromProducer(func() actor.Actor { return &clerk{owner: o.Owner} }, actor.WithReceiverMiddleware(v.provider.Receive()))
		v.mu.Lock()
		v.clerks[o.Owner] = v.root.Spawn(props) // another one of the same actor may be here: it will be fenced
		v.mu.Unlock()
		return v.ask(o.Owner, replay{})
	}
	return v.ask(o.Owner, write{o.Event})
}

func (v *vault) ask(owner string, what any) word {
	v.mu.Lock()
	pid := v.clerks[owner]
	v.mu.Unlock()
	if pid == nil {
		return word{Error: "it was not activated here", Sure: true}
	}
	answer, err := v.root.RequestFuture(pid, what, persistence.DefaultTimeout+time.Second).Result()
	if err != nil { // it has ended, and may have been asked before
		return word{Error: err.Error()}
	}
	return answer.(word)
}

// beVault is the process of a vault; false where this is none.
func beVault() (code int, is bool) {
	setting := os.Getenv(vaultVariable)
	if setting == "" {
		return 0, false
	}
	if err := runVault(setting, os.Stdin, os.Stdout); err != nil && !errors.Is(err, io.EOF) {
		fmt.Fprintln(os.Stderr, err)
		return 1, true
	}
	return 0, true
}
