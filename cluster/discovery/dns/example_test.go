package dns_test

import (
	"context"
	"fmt"
	"net"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/quorumlog/quorumlog/cluster/discovery"
	"github.com/quorumlog/quorumlog/cluster/discovery/dns"
)

// The pods of a StatefulSet count from 0. Without Server the system's servers are asked; here a small one on the loopback is.
func Example() {
	server, stop := serve("log-0.log.example.org.", "log-1.log.example.org.")
	defer stop()

	ctx, cancel := context.WithCancel(context.Background())
	source := &dns.Source{Name: "_quorumlog._tcp.example.org", Server: server, Offset: 1}
	err := source.Watch(ctx, func(p discovery.Places) {
		fmt.Println(p[1], p[2])
		cancel()
	})
	fmt.Println(err)
	// Output:
	// [log-0.log.example.org:7101] [log-1.log.example.org:7101]
	// <nil>
}

// serve answers every question with these targets, at port 7101.
func serve(targets ...string) (address string, stop func()) {
	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go func() {
		question := make([]byte, 512)
		for {
			n, from, err := socket.ReadFrom(question)
			if err != nil {
				return // it was stopped
			}
			if _, err := socket.WriteTo(answer(question[:n], targets), from); err != nil {
				return
			}
		}
	}()
	return socket.LocalAddr().String(), func() { _ = socket.Close() } // nobody asks any more
}

func answer(question []byte, targets []string) []byte {
	var m dnsmessage.Message
	if err := m.Unpack(question); err != nil {
		panic(err)
	}
	m.Response, m.Additionals = true, nil
	for _, target := range targets {
		m.Answers = append(m.Answers, dnsmessage.Resource{
			Header: dnsmessage.ResourceHeader{Name: m.Questions[0].Name, Type: dnsmessage.TypeSRV, Class: dnsmessage.ClassINET},
			Body:   &dnsmessage.SRVResource{Port: 7101, Target: dnsmessage.MustNewName(target)},
		})
	}
	packed, err := m.Pack()
	if err != nil {
		panic(err)
	}
	return packed
}
