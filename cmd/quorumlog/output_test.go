package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/cluster"
)

func TestRowsArePrintedInEveryFormat(t *testing.T) {
	for _, r := range []struct {
		format format
		rows   []appended
		want   string
	}{
		{table, nil, ""},
		{ndjson, nil, ""},
		{asJSON, nil, "[]\n"},
		{table, []appended{{1}, {2}}, "row\nrow\n"},
		{ndjson, []appended{{1}, {2}}, "{\"position\":1}\n{\"position\":2}\n"},
		{asJSON, []appended{{1}, {2}}, "[\n{\"position\":1},\n{\"position\":2}\n]\n"},
	} {
		var out bytes.Buffer
		rows := newRows(&out, r.format, func(appended) []byte { return []byte("row") })
		for _, one := range r.rows {
			if err := rows.add(one); err != nil {
				t.Fatal(err)
			}
		}
		if err := rows.end(); err != nil || out.String() != r.want {
			t.Errorf("%s %v: %q, expected %q: %v", r.format, r.rows, &out, r.want, err)
		}
	}
}

// full takes nothing.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space") }

func TestOutputThatFailsIsAnError(t *testing.T) {
	rows := newRows(full{}, table, func(appended) []byte { return nil })
	if err := errors.Join(rows.add(appended{1}), rows.end()); err == nil {
		t.Error("rows: no error")
	}
	if err := printTable(full{}, "A B", nil); err == nil {
		t.Error("table: no error")
	}
	if err := printJSON(full{}, asJSON, 1); err == nil {
		t.Error("json: no error")
	}
}

func TestTableHasStraightColumnsAndNoBlanksAtTheEnd(t *testing.T) {
	var out bytes.Buffer
	if err := printTable(&out, "ID NAME NOTE", [][]string{{"1", "long name", ""}, {"22", "x", "why"}}); err != nil {
		t.Fatal(err)
	}
	want := "ID  NAME       NOTE\n1   long name\n22  x          why\n"
	if out.String() != want {
		t.Errorf("\n%s\nexpected\n%s", &out, want)
	}
}

func TestEntriesAreQuotedWhereTheyCannotBePrinted(t *testing.T) {
	for _, r := range []struct{ data, want string }{
		{"plain text", "7\tplain text"},
		{"fünf 五", "7\tfünf 五"},
		{"", "7\t"},
		{"a\tb", `7	"a\tb"`},
		{"a\nb", `7	"a\nb"`},
		{"\x1b[31m", `7	"\x1b[31m"`},
		{"\xff", `7	"\xff"`},
		{`"quoted"`, `7	"\"quoted\""`},
	} {
		if got := string(reading{}.line(entry{7, []byte(r.data)})); got != r.want {
			t.Errorf("%q: %q, expected %q", r.data, got, r.want)
		}
		if got := string(reading{text: true}.line(entry{7, []byte(r.data)})); got != r.data {
			t.Errorf("--text of %q: %q", r.data, got)
		}
	}
}

func TestStatusRowSaysWhyAMemberIsNotThere(t *testing.T) {
	cells := statusCells(cluster.Status{ID: 2, Address: "b:2", Error: "it is\naway"})
	if got := strings.Join(cells, " "); got != "2 b:2 UNREACHABLE - - - - - - - - it is; away" {
		t.Error(got)
	}
}

func TestQuorumIsMoreThanHalfOfTheMembers(t *testing.T) {
	for _, r := range []struct {
		statuses string // V votes, R does not, - is away
		want     bool
	}{
		{"V", true}, {"-", false}, {"V-", false}, {"VV-", true}, {"VR-", false}, {"VV--", false}, {"VVV-R", true},
	} {
		var statuses []cluster.Status
		for _, s := range r.statuses {
			name := map[rune]string{'V': voting, 'R': "RECOVERING"}[s]
			statuses = append(statuses, cluster.Status{Status: name, Reachable: s != '-'})
		}
		if err := quorumVotes(statuses); (err == nil) != r.want {
			t.Errorf("%s: %v", r.statuses, err)
		}
	}
}

func TestWithoutATerminalProgressIsEvents(t *testing.T) {
	s := newShell("", nil)
	g := s.progress("append", bytesUnit, 10)
	g.set(5)
	g.told = time.Now().Add(-time.Minute)
	g.set(8)
	g.set(9)
	g.set(10)
	g.end()
	lines := strings.Split(strings.TrimSpace(s.err.String()), "\n")
	var e progressEvent
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &e); err != nil || e.Event != "progress" || e.Done != 10 || e.Total != 10 {
		t.Errorf("%+v %v", e, err)
	}
	if len(lines) != 2 {
		t.Errorf("%d events, expected one within a second and the last:\n%s", len(lines), &s.err)
	}
}

func TestProgressIsForTerminalsAndForThoseWhoAsk(t *testing.T) {
	for _, r := range []struct {
		terminal bool
		output   format
		want     bool
	}{
		{false, table, false}, {false, asJSON, false}, {false, ndjson, true}, {true, table, true}, {true, asJSON, true},
	} {
		p := &program{console: newShell("", nil).console, settings: settings{output: r.output}}
		p.errTerminal = r.terminal
		if got := p.progress("append", bytesUnit, 10) != nil; got != r.want {
			t.Errorf("terminal %v, -o %s: %v", r.terminal, r.output, got)
		}
	}
}

func TestOnATerminalProgressIsABar(t *testing.T) {
	s := newShell("", map[string]string{"NO_COLOR": "1"})
	s.outTerminal, s.errTerminal = true, true
	g := s.progress("append", positionsUnit, 10)
	g.hide()
	g.set(10)
	g.end()
	if text := s.err.String(); !strings.Contains(text, "append") || strings.Contains(text, "\x1b[3") || strings.Contains(text, "{") {
		t.Errorf("%q", text)
	}
}

func TestBarShowsNoRateBeforeThereIsOne(t *testing.T) {
	s := newShell("", map[string]string{"NO_COLOR": "1"})
	s.errTerminal = true
	g := s.progress("append", positionsUnit, 10)
	g.set(0)
	if text := s.err.String(); strings.Contains(text, "positions/") {
		t.Errorf("%q", text)
	}
	g.began, g.told = time.Now().Add(-time.Minute), time.Time{}
	g.set(5)
	if text := s.err.String(); !strings.Contains(text, "positions/s") {
		t.Errorf("%q", text)
	}
}

func TestWhatIsDoneAtFirstIsDrawnAtOnce(t *testing.T) {
	s := newShell("", map[string]string{"NO_COLOR": "1"})
	s.errTerminal = true
	s.progress("recover", positionsUnit, 10).set(5)
	if text := s.err.String(); !strings.Contains(text, "5/10") {
		t.Errorf("%q", text)
	}
}

func TestNothingIsAProgressToo(t *testing.T) {
	var g *progress
	g.set(1)
	g.hide()
	g.end()
}
