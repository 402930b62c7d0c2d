package codec_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/membership"
	"github.com/quorumlog/quorumlog/messages"
)

func configuration() membership.Configuration {
	return membership.Configuration{Epoch: 3, Highest: 7, Members: []membership.Member{
		{ID: 1, Address: "a:1", Role: membership.Voter}, {ID: 7, Address: "[::1]:2", Role: membership.Observer},
	}}
}

func TestConfigurationIsReadAsItWasWritten(t *testing.T) {
	want := configuration()
	data, err := codec.FormatConfiguration(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := codec.ParseConfiguration(data)
	if err != nil || !got.Equal(want) {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}

func TestConfigurationThatCannotBeIsMalformed(t *testing.T) {
	for claim, change := range map[string]func(*messages.Configuration){
		"epoch 0":                  func(m *messages.Configuration) { m.Epoch = 0 },
		"an epoch that is used up": func(m *messages.Configuration) { m.Epoch = membership.MaxEpoch + 1 },
		"no members":               func(m *messages.Configuration) { m.Members = nil },
		"no voter":                 func(m *messages.Configuration) { m.Members = m.Members[1:] },
		"no role":                  func(m *messages.Configuration) { m.Members[1].Role = 0 },
		"an unknown role":          func(m *messages.Configuration) { m.Members[1].Role = 258 },
		"the id 0":                 func(m *messages.Configuration) { m.Members[0].Replica = 0 },
		"an id twice":              func(m *messages.Configuration) { m.Members[1].Replica = 1 },
		"ids out of order":         func(m *messages.Configuration) { slices.Reverse(m.Members) },
		"an id above the highest":  func(m *messages.Configuration) { m.Highest = 6 },
		"an address twice":         func(m *messages.Configuration) { m.Members[1].Address = "a:1" },
		"no port":                  func(m *messages.Configuration) { m.Members[1].Address = "b" },
		"no host":                  func(m *messages.Configuration) { m.Members[1].Address = ":1" },
		"a long address": func(m *messages.Configuration) {
			m.Members[1].Address = strings.Repeat("b", membership.MaxAddress) + ":1"
		},
		"too many members": func(m *messages.Configuration) { m.Members = repeat(codec.MaxMembers+1, m.Members[0]) },
	} {
		m := codec.EncodeConfiguration(configuration())
		change(m)
		if c, err := codec.DecodeConfiguration(m); !errors.Is(err, codec.ErrMalformed) {
			t.Errorf("%s: got %s, %v", claim, c, err)
		}
	}
}

func TestConfigIsAConfigurationAndWrittenAlone(t *testing.T) {
	data, err := codec.FormatConfiguration(configuration())
	if err != nil {
		t.Fatal(err)
	}
	config := log.Value{Kind: log.Config, Data: data}
	for _, c := range []struct {
		claim  string
		values []log.Value
		ok     bool
	}{
		{"alone", []log.Value{config}, true},
		{"behind an entry", []log.Value{{Kind: log.Append}, config}, false},
		{"before one", []log.Value{config, {Kind: log.NOP}}, false},
		{"without a configuration", []log.Value{{Kind: log.Config}}, false},
		{"with something else", []log.Value{{Kind: log.Config, Data: []byte("abc")}}, false},
		{"that truncates", []log.Value{{Kind: log.Config, Data: data, To: 1}}, false},
	} {
		w := codec.Write{By: log.NewProposal(1, 1), First: 5, Values: c.values, Settled: 4}
		_, err := codec.DecodeWriteRequest(codec.EncodeWriteRequest(sender(), w))
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", c.claim, err)
		}
	}
}
