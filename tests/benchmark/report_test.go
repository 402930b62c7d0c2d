package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
)

func TestAFigureIsComparedWithTheLimitOfItsOwnRun(t *testing.T) {
	r := result{Figures: []float64{10, 100, 30}, Limits: []float64{20, 100, 100}}
	r.conclude()
	if r.Median != 30 || r.Limit != 100 || r.Ratio != 0.5 {
		t.Errorf("median %v, limit %v, ratio %v", r.Median, r.Limit, r.Ratio)
	}
}

func TestWhatTheProgramPrintsIsRead(t *testing.T) {
	for _, c := range []struct {
		text string
		rate float64
		runs int
	}{
		{`{"benchmark":"append","entries_per_second":7.5,"p50_us":3,"writer":2}`, 7.5, 0},
		{`{"benchmark":"start","seconds":0.5,"runs":[0.5]}`, 0, 0},
		{`{"benchmark":"recover","entries_per_second":9,"runs":[{"restart_seconds":0.1,"memory_bytes":{"1":5,"2":7}}]}`, 9, 1},
	} {
		a, err := read([]byte(c.text))
		if err != nil || a.Rate != c.rate || len(a.Runs) != c.runs {
			t.Errorf("%s: %+v, %v", c.text, a, err)
		}
	}
}

func TestTheLargestMemberCounts(t *testing.T) {
	var r result
	r.note(answer{Runs: []recovered{{Memory: map[string]uint64{"1": 5, "2": 7, "3": 6}, Before: 200, Meanwhile: 150}}})
	if r.Memory[0] != 7 || r.Appends[0] != 0.75 {
		t.Errorf("memory %v, appends %v", r.Memory, r.Appends)
	}
}

func TestAReportHasALineForEachResultAndATable(t *testing.T) {
	r := result{Workload: "W9", What: "nothing", Unit: perSecond, Figures: []float64{1234, 2000, 1500}, Limits: []float64{3000, 4000, 3000},
		Goal: "5,000", Load: []float64{0.5, 9, 1}, Recover: []float64{0.25}}
	r.conclude()
	var out bytes.Buffer
	if err := errors.Join(r.print(&out), printMarkdown(&out, machine{name: "here", commit: "abc", cores: 2}, []result{r})); err != nil {
		t.Fatal(err)
	}
	line, rest, _ := strings.Cut(out.String(), "\n")
	var again result
	if err := json.Unmarshal([]byte(line), &again); err != nil || again.Median != 1500 {
		t.Errorf("%s: %v", line, err)
	}
	for _, want := range []string{"here; commit abc; load average 0.5 to 9.0: the machine was busy",
		"| W9 | nothing | entries/s | 1,234 2,000 1,500 | **1,500** | 3,000 | 0.50 | 5,000 | 0.25 s |"} {
		if !strings.Contains(rest, want) {
			t.Errorf("expected %q in:\n%s", want, rest)
		}
	}
}

func TestPowersOfTenStandAtEvenDistances(t *testing.T) {
	a := axisOf([]float64{1000, 1_000_000})
	for power, want := range map[int]float64{3: 0, 4: 1.0 / 3, 5: 2.0 / 3, 6: 1} {
		if got := a.share(math.Pow10(power)); math.Abs(got-want) > 1e-9 {
			t.Errorf("10^%d stands at %v, expected %v", power, got, want)
		}
	}
}

func TestAxesHoldAllThatIsDrawn(t *testing.T) {
	for _, values := range [][]float64{nil, {5}, {10}, {0.03, 2}, {1, 1e6}} {
		a := axisOf(values)
		for _, v := range values {
			if share := a.share(v); share < 0 || share > 1 {
				t.Errorf("%v: %v stands at %v of the axis from 10^%d to 10^%d", values, v, share, a.low, a.high)
			}
		}
		if a.high <= a.low {
			t.Errorf("%v: the axis is from 10^%d to 10^%d", values, a.low, a.high)
		}
	}
}

func TestAChartIsAPictureWithNamedAxes(t *testing.T) {
	points := []point{{Entries: 1000, Recover: []float64{0.1, 0.2}, Restart: []float64{0.05, 0}}, {Entries: 100_000, Recover: []float64{1, 2}}}
	drawn := growthChart(points, machine{name: "a <b> & c"}).draw()
	var texts strings.Builder
	decoder := xml.NewDecoder(bytes.NewReader(drawn))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v in:\n%s", err, drawn)
		}
		if text, ok := token.(xml.CharData); ok {
			texts.Write(text)
		}
	}
	for _, want := range []string{"entries in the log", "seconds", "recovery", "restart", "1,000", "100,000", "0.01", "a <b> & c"} {
		if !strings.Contains(texts.String(), want) {
			t.Errorf("%q is not in the picture:\n%s", want, drawn)
		}
	}
}

func TestGrowthGoesFromAThousandToAMillion(t *testing.T) {
	lengths := options{}.scale().lengths()
	if len(lengths) != 7 || lengths[0] != 1000 || lengths[1] != 3162 || lengths[6] != 1_000_000 {
		t.Errorf("got %v", lengths)
	}
}
