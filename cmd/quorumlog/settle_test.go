package main

import (
	"strings"
	"testing"
	"time"
)

func TestFlagsWinOverEnvironmentOverFileOverDefaults(t *testing.T) {
	const file, environment, flag = "timeout: 3s\n", "2s", "--timeout 1s"
	for _, r := range []struct {
		flag, environment, file string
		want                    time.Duration
	}{
		{"", "", "", 30 * time.Second},
		{"", "", file, 3 * time.Second},
		{"", environment, "", 2 * time.Second},
		{"", environment, file, 2 * time.Second},
		{flag, "", "", time.Second},
		{flag, "", file, time.Second},
		{flag, environment, "", time.Second},
		{flag, environment, file, time.Second},
	} {
		s := newShell("", map[string]string{"QUORUMLOG_TIMEOUT": r.environment})
		got, err := s.settled(t, "status "+r.flag+" --config "+write(t, r.file))
		if err != nil || got.timeout != r.want {
			t.Errorf("flag %q, environment %q, file %q: %v, expected %v: %v", r.flag, r.environment, r.file, got.timeout, r.want, err)
		}
	}
}

func TestFileMaySayEverything(t *testing.T) {
	path := write(t, `
id: 2
cluster: blue
members: {2: "b:2", 1: "a:1"}
data: /data
listen: ":7"
http: ":8"
auto-initialize: false
auto-elect: false
log-level: debug
log-format: console
timeout: 5s
output: json
logs: [orders, users]
log: orders
`)
	s := newShell("", map[string]string{"QUORUMLOG_CONFIG": path})
	got, err := s.settled(t, "serve")
	if err != nil {
		t.Fatal(err)
	}
	if got.id != 2 || got.cluster != "blue" || got.members.String() != "1=a:1,2=b:2" || got.data != "/data" || got.listen != ":7" ||
		got.http != ":8" || got.logs.String() != "orders,users" || got.autoInitialize || got.autoElect || got.logLevel.String() != "debug" || got.logFormat != logConsole {
		t.Errorf("serve: %+v", got)
	}
	got, err = s.settled(t, "status") // the same file; it takes what it knows
	if err != nil || got.timeout != 5*time.Second || got.output != asJSON || got.log != "orders" || got.id != 0 {
		t.Errorf("status: %+v %v", got, err)
	}
}

func TestFilesWithMistakesAreRefused(t *testing.T) {
	for _, r := range []struct{ file, says string }{
		{"colour: blue", `unknown field "colour"`},
		{"id: many", "id"},
		{"id: 70000", "id"},
		{"auto-initialize: perhaps", "auto-initialize"},
		{"members: 1", "is not a member"},
		{"members: {1: 'a:1', 2: 'a:1'}", "two members have the address a:1"},
		{"members: {1: 'a:1', 1: 'b:1'}", "already defined"},
		{"log-level: loud", "it is one of"},
		{"logs: [a, A]", "not a name of a log"},
		{"logs: -a", "not a name of a log"},
		{"timeout: soon", ""}, // serve has no timeout
		{"id: 1\nid: 2", "already defined"},
		{"- id", ""},
	} {
		_, err := newShell("", nil).settled(t, "serve --config "+write(t, r.file))
		if r.file == "timeout: soon" {
			if err != nil {
				t.Errorf("%q is nothing to serve, and it says %v", r.file, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), r.says) {
			t.Errorf("%q: %v, expected %q", r.file, err, r.says)
		}
	}
}

func TestEmptyFileIsFine(t *testing.T) {
	for _, text := range []string{"", "\n", "# nothing\n", "---\n"} {
		if _, err := newShell("", nil).settled(t, "serve --config "+write(t, text)); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestDirectoryToReadComesFromTheFlagOnly(t *testing.T) {
	s := newShell("", map[string]string{"QUORUMLOG_DATA": "/environment", "QUORUMLOG_CONFIG": write(t, "data: /file")})
	for _, command := range []string{"read", "verify"} {
		if got, err := s.settled(t, command); err != nil || got.data != "" {
			t.Errorf("%s: %q %v", command, got.data, err)
		}
	}
}

func TestWrongEnvironmentIsNamed(t *testing.T) {
	s := newShell("", map[string]string{"QUORUMLOG_MEMBERS": "nobody"})
	if code := s.run("status"); code != exitUsage || !strings.Contains(s.err.String(), "QUORUMLOG_MEMBERS=nobody") {
		t.Errorf("exit code %d: %s", code, &s.err)
	}
}
