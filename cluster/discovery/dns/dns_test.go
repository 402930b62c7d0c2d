package dns

import (
	"context"
	"net"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/quorumlog/quorumlog/cluster/discovery"
)

const name = "_quorumlog._tcp.example.org"

// serveDNS answers every question for SRV records with the targets that it is told, all of them at port 7101, and returns where.
func serveDNS(t *testing.T, targets <-chan []string) string {
	t.Helper()
	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = socket.Close() }) // the test is over
	go func() {
		question := make([]byte, 512)
		for {
			n, from, err := socket.ReadFrom(question)
			if err != nil {
				return
			}
			answer, err := answerWith(question[:n], <-targets)
			if err == nil {
				_, err = socket.WriteTo(answer, from)
			}
			if err != nil {
				t.Error(err)
			}
		}
	}()
	return socket.LocalAddr().String()
}

func answerWith(question []byte, targets []string) ([]byte, error) {
	var m dnsmessage.Message
	if err := m.Unpack(question); err != nil {
		return nil, err
	}
	m.Response, m.Additionals = true, nil
	if len(targets) == 0 {
		m.RCode = dnsmessage.RCodeNameError
	}
	for _, target := range targets {
		m.Answers = append(m.Answers, dnsmessage.Resource{
			Header: dnsmessage.ResourceHeader{Name: m.Questions[0].Name, Type: dnsmessage.TypeSRV, Class: dnsmessage.ClassINET},
			Body:   &dnsmessage.SRVResource{Port: 7101, Target: dnsmessage.MustNewName(target)},
		})
	}
	return m.Pack()
}

func TestTargetsNameMembers(t *testing.T) {
	targets := make(chan []string)
	s := &Source{Name: name, Server: serveDNS(t, targets), Every: time.Nanosecond}
	ctx, cancel := context.WithCancel(t.Context())
	heard, ended := make(chan discovery.Places), make(chan error)
	go func() { ended <- s.Watch(ctx, func(p discovery.Places) { heard <- p }) }()
	for _, r := range []struct {
		targets []string
		want    discovery.Places
	}{
		{[]string{"log-1.example.org.", "gateway.example.org."}, discovery.Places{1: {"log-1.example.org:7101"}}},
		{[]string{"log-1.other.org.", "2.a."}, discovery.Places{1: {"log-1.other.org:7101"}, 2: {"2.a:7101"}}},
	} {
		targets <- r.targets
		if got := <-heard; !reflect.DeepEqual(got, r.want) {
			t.Errorf("%v: %v", r.targets, got)
		}
	}
	cancel()
	close(targets)
	if err := <-ended; err != nil && !strings.Contains(err.Error(), "cancel") {
		t.Error(err)
	}
}

func TestNameWithoutMembersIsAnError(t *testing.T) {
	for _, r := range []struct {
		targets []string
		want    string
	}{
		{[]string{"gateway.example.org."}, "none of the 1 targets"},
		{[]string{"log-0.example.org."}, "none of the 1 targets"},
		{nil, "no such host"},
	} {
		targets := make(chan []string, 8)
		for range cap(targets) {
			targets <- r.targets
		}
		s := &Source{Name: name, Server: serveDNS(t, targets)}
		if err := s.Watch(t.Context(), func(discovery.Places) { t.Error("something was found") }); err == nil || !strings.Contains(err.Error(), r.want) {
			t.Errorf("%v: %v", r.targets, err)
		}
	}
}

func TestNumbersFromZeroAreIdsWithAnOffset(t *testing.T) {
	s := &Source{Offset: 1}
	for host, want := range map[string]uint16{"log-0.a": 1, "log-2.a": 3, "log-65535.a": 0, "log.a": 0, "log-99999999999.a": 0, "7": 8, "": 0} {
		if id, ok := s.member(host); uint16(id) != want || ok != (want > 0) {
			t.Errorf("%q: %d, %t", host, id, ok)
		}
	}
}
