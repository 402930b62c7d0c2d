package cluster

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"

	"github.com/quorumlog/quorumlog/messages"
)

// shelf is a handler that keeps what it is handed.
type shelf struct {
	least   slog.Leveler
	records []slog.Record
	refuses error
}

func (s *shelf) Enabled(_ context.Context, l slog.Level) bool { return l >= s.least.Level() }
func (s *shelf) Handle(_ context.Context, r slog.Record) error {
	s.records = append(s.records, r)
	return s.refuses
}
func (s *shelf) WithAttrs([]slog.Attr) slog.Handler { return s }
func (s *shelf) WithGroup(string) slog.Handler      { return s }

func TestLevelsOfZerologAreThoseOfSlog(t *testing.T) {
	s := &shelf{least: slog.Level(-100)}
	l := SlogLogger(slog.New(s))
	for _, c := range []struct {
		level zerolog.Level
		want  slog.Level
	}{
		{zerolog.TraceLevel, slog.LevelDebug - 4},
		{zerolog.DebugLevel, slog.LevelDebug},
		{zerolog.InfoLevel, slog.LevelInfo},
		{zerolog.WarnLevel, slog.LevelWarn},
		{zerolog.ErrorLevel, slog.LevelError},
		{zerolog.NoLevel, slog.LevelInfo},
	} {
		l.WithLevel(c.level).Msg("words")
		if r := s.records[len(s.records)-1]; r.Level != c.want || r.Message != "words" || r.NumAttrs() != 0 {
			t.Errorf("%s becomes %s %q with %d attributes", c.level, r.Level, r.Message, r.NumAttrs())
		}
	}
	if got := slogLevel(zerolog.FatalLevel); got <= slog.LevelError || slogLevel(zerolog.PanicLevel) <= got {
		t.Errorf("fatal is %s, panic %s", got, slogLevel(zerolog.PanicLevel))
	}
}

func TestFieldsKeepTheirTypesNestingAndOrder(t *testing.T) {
	s := &shelf{least: slog.LevelInfo}
	l := SlogLogger(slog.New(s)).With().Str("by", "protoactor").Logger()
	l.Info().Str("message", "a field").Str("text", `a "quoted" line`).Int("least", -1<<63).Uint64("most", 1<<64-1).Float64("part", 0.25).Bool("yes", true).
		Err(errors.New("why")).Strs("list", []string{"a", "b"}).Ints("numbers", []int{1, 2}).Interface("nothing", nil).
		Dict("peer", zerolog.Dict().Uint16("id", 3).Dict("at", zerolog.Dict().Str("host", "h"))).Msg("words")
	var got []slog.Attr
	s.records[0].Attrs(func(a slog.Attr) bool {
		got = append(got, a)
		return true
	})
	want := []slog.Attr{
		slog.String("by", "protoactor"), slog.String("message", "a field"), slog.String("text", `a "quoted" line`), slog.Int64("least", -1<<63), slog.Uint64("most", 1<<64-1),
		slog.Float64("part", 0.25), slog.Bool("yes", true), slog.String("error", "why"), slog.Any("list", []any{"a", "b"}),
		slog.Any("numbers", []any{int64(1), int64(2)}), slog.Any("nothing", nil),
		slog.Group("peer", slog.Int64("id", 3), slog.Group("at", slog.String("host", "h"))),
	}
	if len(got) != len(want) {
		t.Fatalf("the attributes are %v", got)
	}
	for i := range want {
		if got[i].Key != want[i].Key || got[i].Value.Kind() != want[i].Value.Kind() || !reflect.DeepEqual(got[i].Value.Any(), want[i].Value.Any()) {
			t.Errorf("attribute %d is %v (%s), expected %v (%s)", i, got[i], got[i].Value.Kind(), want[i], want[i].Value.Kind())
		}
	}
}

func TestLineHasTheTimeOfItsWriterOrItsOwn(t *testing.T) {
	s := &shelf{least: slog.LevelInfo}
	l, before := SlogLogger(slog.New(s)), time.Now()
	l.Info().Msg("now")
	if at := s.records[0].Time; at.Before(before) || at.After(time.Now()) {
		t.Errorf("the time is %s", at)
	}
	own := time.Date(2026, 11, 23, 1, 2, 3, 0, time.UTC)
	l.Info().Time(zerolog.TimestampFieldName, own).Msg("then")
	if r := s.records[1]; !r.Time.Equal(own) || r.NumAttrs() != 0 {
		t.Errorf("the time is %s, with %d attributes", r.Time, r.NumAttrs())
	}
	l.Info().Timestamp().Msg("in this second")
	if at := s.records[2].Time; at.Before(before) {
		t.Errorf("the time is cut down to %s", at)
	}
	l.Info().Str(zerolog.TimestampFieldName, "tea").Msg("never")
	if r := s.records[3]; r.NumAttrs() != 1 {
		t.Error("what is no time is no attribute either")
	}
}

func TestLineHasItsSource(t *testing.T) {
	var out bytes.Buffer
	to := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{AddSource: true}))
	l := SlogLogger(to)
	l.Info().Msg("words")
	if !strings.Contains(out.String(), "slog_test.go:") {
		t.Error(out.String())
	}
	out.Reset()
	slog.New(quiet{zerolog.NewSlogHandler(l)}).Error("what protoactor says")
	if !strings.Contains(out.String(), "slog_test.go:") || !strings.Contains(out.String(), "level=WARN") {
		t.Error(out.String())
	}
}

func TestDisabledLevelCostsNothingAndMayChange(t *testing.T) {
	var least slog.LevelVar
	least.Set(slog.LevelWarn)
	s := &shelf{least: &least}
	l := SlogLogger(slog.New(s))
	if n := testing.AllocsPerRun(100, func() { l.Info().Str("key", "value").Int("number", 3).Msg("words") }); n != 0 || len(s.records) != 0 {
		t.Errorf("a line that nobody wants allocates %v times, and %d were written", n, len(s.records))
	}
	least.Set(slog.LevelInfo)
	if l.Info().Msg("words"); len(s.records) != 1 {
		t.Error("the new level does not count")
	}
}

func TestLineThatIsNoJSONIsStillThere(t *testing.T) {
	s := &shelf{least: slog.LevelInfo}
	if _, err := (slogWriter{s}).Write([]byte("words")); err != nil || len(s.records) != 1 || s.records[0].Message != "words" {
		t.Errorf("%v, %v", s.records, err)
	}
	s.refuses = errors.New("no room")
	if _, err := (slogWriter{s}).Write([]byte("{}")); !errors.Is(err, s.refuses) {
		t.Errorf("the handler refused, and %v is returned", err)
	}
}

func TestSlogLoggerIsToldWhatProtoactorSaysWithoutContents(t *testing.T) {
	var out bytes.Buffer
	system := newSystem(SlogLogger(slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))), "127.0.0.1:4101")
	system.Root.Send(actor.NewPID(system.Address(), "nobody"), &messages.AppendRequest{Entries: [][]byte{[]byte("secret")}})
	if logged := out.String(); !strings.Contains(logged, "AppendRequest") || strings.Contains(logged, "secret") {
		t.Error(logged)
	}
}
