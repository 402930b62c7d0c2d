package cluster

import (
	"testing"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"
)

func TestSecondLogOfAnActorSystemIsRefusedAndTheFirstGoesOn(t *testing.T) {
	if !alone(t) {
		return
	}
	address := free(t)
	host, port, err := split(address)
	if err != nil {
		t.Fatal(err)
	}
	system := actor.NewActorSystem()
	r := remote.NewRemote(system, remote.Configure(host, port))
	r.Start()
	defer r.Shutdown(true)
	c := Config{ID: 1, Data: t.TempDir(), Members: []Member{{1, address}}, AutoInitialize: true, System: system}
	first, err := Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	c.Data = t.TempDir()
	if second, err := Start(t.Context(), c); err == nil {
		t.Errorf("it has two logs: %v", second.Close())
	}
	if _, err := first.Append(t.Context(), []byte("entry")); err != nil {
		t.Error(err)
	}
	if err := first.Close(); err != nil {
		t.Error(err)
	}
}
