package cluster

import (
	"net"
	"strings"
	"testing"
)

func TestAddressOfAnotherMachineIsAnError(t *testing.T) {
	err := probe("192.0.2.1:4101") // reserved for documentation: nobody has it
	if err == nil || !strings.Contains(err.Error(), "this machine does not have this address") {
		t.Error(err)
	}
}

func TestFreeAddressCanBeHad(t *testing.T) {
	if err := probe(free(t)); err != nil {
		t.Error(err)
	}
}

func TestOutboundHostOfLocalMembersIsTheLoopback(t *testing.T) {
	for _, c := range []struct{ member, want string }{
		{"127.0.0.1:4101", "127.0.0.1"},
		{"[::1]:4101", "::1"},
	} {
		if _, err := net.Dial("udp", c.member); err != nil {
			t.Logf("this machine has no %s", c.want)
			continue
		}
		if host, err := outboundHost([]string{c.member}); err != nil || host != c.want {
			t.Errorf("%s: %q, %v", c.member, host, err)
		}
	}
}

func TestOutboundHostPrefersWhatOthersSee(t *testing.T) {
	const far = "192.0.2.1:4101"
	own, err := outboundIP(far)
	if err != nil {
		t.Skip("this machine has no way to others")
	}
	if host, err := outboundHost([]string{"127.0.0.1:4101", far}); err != nil || host != own.String() {
		t.Errorf("%q, %v", host, err)
	}
}

func TestOutboundHostPassesOverMembersThatItCannotFind(t *testing.T) {
	if host, err := outboundHost([]string{"no port", "127.0.0.1:4101"}); err != nil || host != "127.0.0.1" {
		t.Errorf("%q, %v", host, err)
	}
	if _, err := outboundHost([]string{"no port"}); err == nil {
		t.Error("found a way to nowhere")
	}
}

func TestSplitKeepsTheBracketsOfIPv6(t *testing.T) {
	for _, c := range []struct {
		address, host string
		port          int
	}{
		{"127.0.0.1:4101", "127.0.0.1", 4101},
		{"[::1]:4101", "[::1]", 4101},
		{":4101", "", 4101},
		{"log-0.log:65535", "log-0.log", 65535},
	} {
		if host, port, err := split(c.address); err != nil || host != c.host || port != c.port {
			t.Errorf("%s: %q %d %v", c.address, host, port, err)
		}
	}
	for _, bad := range []string{"", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:http", "::1:4101"} {
		if _, _, err := split(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
