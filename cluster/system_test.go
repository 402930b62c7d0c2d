package cluster

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"

	"github.com/quorumlog/quorumlog/messages"
)

func TestDeadLettersAreLoggedWithoutTheirContents(t *testing.T) {
	var out bytes.Buffer
	system := newSystem(zerolog.New(&out), "127.0.0.1:4101")
	system.Root.Send(actor.NewPID(system.Address(), "nobody"), &messages.AppendRequest{Entries: [][]byte{[]byte("secret")}})
	logged := out.String() // dead letters are logged where they are sent
	if !strings.Contains(logged, "AppendRequest") || strings.Contains(logged, "secret") {
		t.Error(logged)
	}
	if secret := "c2VjcmV0"; strings.Contains(logged, secret) { // the same in base64
		t.Error(logged)
	}
}

func TestProtoactorSpeaksOneLevelLower(t *testing.T) {
	for _, c := range []struct {
		said slog.Level
		want string
	}{
		{slog.LevelDebug, "debug"},
		{slog.LevelInfo, "debug"},
		{slog.LevelWarn, "info"},
		{slog.LevelError, "warn"},
	} {
		var out bytes.Buffer
		slog.New(quiet{zerolog.NewSlogHandler(zerolog.New(&out))}).Log(t.Context(), c.said, "words")
		if !strings.Contains(out.String(), `"level":"`+c.want+`"`) {
			t.Errorf("%s: %s", c.said, out.String())
		}
	}
}

func TestAttributesOfALoggerHaveNoContentsEither(t *testing.T) {
	var out bytes.Buffer
	logger := slog.New(quiet{zerolog.NewSlogHandler(zerolog.New(&out))}).With("message", "secret").WithGroup("group")
	logger.Info("words", "message", "secret", "address", "here")
	if strings.Contains(out.String(), "secret") || !strings.Contains(out.String(), "here") {
		t.Error(out.String())
	}
}

func TestActorsOfANewSystemHaveItsAddress(t *testing.T) {
	system := newSystem(zerolog.Nop(), "127.0.0.1:4101")
	pid := system.Root.Spawn(actor.PropsFromFunc(func(actor.Context) {}))
	if pid.GetAddress() != "127.0.0.1:4101" {
		t.Errorf("got %s", pid.GetAddress())
	}
	if err := system.Root.StopFuture(pid).Wait(); err != nil {
		t.Fatal(err)
	}
}
