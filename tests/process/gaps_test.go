package process

import (
	"slices"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest/history"
)

func TestGapIsTheLongestTimeWithoutAnAcknowledgementOfWhatWasCalledAfterTheBlow(t *testing.T) {
	h := &history.History{}
	for _, o := range []struct {
		outcome       history.Outcome
		called, ended time.Duration
	}{
		{history.Succeeded, 0, 90},
		{history.Succeeded, 95, 110}, // it was on its way when the blow came
		{history.Rejected, 120, 130},
		{history.Succeeded, 130, 140},
		{history.Succeeded, 140, 150},
		{history.Succeeded, 150, 230}, // it is over after the first blow's time
		{history.Succeeded, 230, 231},
		{history.Succeeded, 231, 290},
	} {
		h.Operations = append(h.Operations, &history.Operation{Kind: history.Append, Outcome: o.outcome, Call: o.called, Return: o.ended})
	}
	for _, c := range []struct {
		blow blow
		want time.Duration
	}{
		{blow{"", 100, 145}, 40},
		{blow{"", 100, 200}, 50},
		{blow{"", 230, 260}, 29},
		{blow{"", 230, 400}, 110},
		{blow{"", 290, 300}, 10},
	} {
		if got := gapsAfter(h, []blow{c.blow})[""]; !slices.Equal(got, []time.Duration{c.want}) {
			t.Errorf("%+v: want %d, got %d", c.blow, c.want, got)
		}
	}
}
