// What a collector of OpenTelemetry makes of traces that are posted to it as JSON: its own receiver takes what stands on standard
// input, over HTTP as from any client, and what arrived behind it is printed, with the answer that the client got.
//
// collector < traces.json
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
)

// A span as the collector has it: numbers and words of its own model, and not those of the JSON.
type span struct {
	Trace      string         `json:"trace"`
	ID         string         `json:"id"`
	Parent     string         `json:"parent"`
	Name       string         `json:"name"`
	Kind       string         `json:"kind"`
	Start      uint64         `json:"start"`
	End        uint64         `json:"end"`
	Status     string         `json:"status"`
	Message    string         `json:"message"`
	Attributes map[string]any `json:"attributes"`
	Links      []link         `json:"links"`
	Resource   map[string]any `json:"resource"`
	Scope      string         `json:"scope"`
}

type link struct {
	Trace string `json:"trace"`
	ID    string `json:"id"`
}

// What is printed.
type told struct {
	Status int             `json:"status"`
	Answer json.RawMessage `json:"answer"`
	Spans  []span          `json:"spans"`
}

// Keeps what arrives.
type sink struct {
	lock  sync.Mutex
	spans []span
}

func (s *sink) take(_ context.Context, traces ptrace.Traces) error {
	s.lock.Lock()
	defer s.lock.Unlock()
	for _, resource := range traces.ResourceSpans().All() {
		for _, scope := range resource.ScopeSpans().All() {
			for _, one := range scope.Spans().All() {
				taken := of(one)
				taken.Resource = resource.Resource().Attributes().AsRaw()
				taken.Scope = scope.Scope().Name()
				s.spans = append(s.spans, taken)
			}
		}
	}
	return nil
}

func of(one ptrace.Span) span {
	links := []link{}
	for _, linked := range one.Links().All() {
		links = append(links, link{linked.TraceID().String(), linked.SpanID().String()})
	}
	return span{
		Trace:      one.TraceID().String(),
		ID:         one.SpanID().String(),
		Parent:     one.ParentSpanID().String(),
		Name:       one.Name(),
		Kind:       one.Kind().String(),
		Start:      uint64(one.StartTimestamp()),
		End:        uint64(one.EndTimestamp()),
		Status:     one.Status().Code().String(),
		Message:    one.Status().Message(),
		Attributes: one.Attributes().AsRaw(),
		Links:      links,
	}
}

// Starts the receiver; the address at which it takes traces.
func start(ctx context.Context, behind consumer.Traces) (string, receiver.Traces, error) {
	// A port that is free: the receiver does not tell which one it was given.
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	address := free.Addr().String()
	if err := free.Close(); err != nil {
		return "", nil, err
	}
	factory := otlpreceiver.NewFactory()
	config := factory.CreateDefaultConfig()
	written := map[string]any{"protocols": map[string]any{"http": map[string]any{"endpoint": address}}}
	if err := confmap.NewFromStringMap(written).Unmarshal(config); err != nil {
		return "", nil, err
	}
	if err := confmap.Validate(config); err != nil {
		return "", nil, err
	}
	settings := receiver.Settings{
		ID:                component.NewID(factory.Type()),
		TelemetrySettings: componenttest.NewNopTelemetrySettings(),
		BuildInfo:         component.NewDefaultBuildInfo(),
	}
	traces, err := factory.CreateTraces(ctx, settings, config, behind)
	if err != nil {
		return "", nil, err
	}
	return "http://" + address + "/v1/traces", traces, traces.Start(ctx, componenttest.NewNopHost())
}

func run() error {
	ctx := context.Background()
	posted, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	kept := &sink{spans: []span{}}
	behind, err := consumer.NewTraces(kept.take)
	if err != nil {
		return err
	}
	address, traces, err := start(ctx, behind)
	if err != nil {
		return err
	}
	response, err := http.Post(address, "application/json", bytes.NewReader(posted))
	if err != nil {
		return err
	}
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if err := traces.Shutdown(ctx); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(told{response.StatusCode, answer, kept.spans})
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
